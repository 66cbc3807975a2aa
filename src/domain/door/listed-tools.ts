import type { Caches } from '../../cache/caches.ts';
import type { McpServerConfigRecord } from '../../data/records.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { CatalogueTool } from '../catalogue/catalogue-tool.ts';
import type { DecidedTool } from '../catalogue/tool-decision.ts';

/** The allowed tools of one server, as lists of revision 2026-07-28 have them. */
export interface ListedTools {
  names: readonly string[];
  /** The definitions as JSON, with commas between them. */
  json: string;
  /** Whether the same object is there again, as long as nothing changes. */
  isKept: boolean;
}

interface Kept extends ListedTools {
  decided: readonly DecidedTool[];
}

/** What an entry keeps for each character of its JSON, with the rows that it was made of. */
const BYTES_FOR_CHARACTER = 3;

/**
 * Creates the memory of lists as text. A server's part is the same for everybody at a door of its kind, and is kept until
 * anything changes that it is made of: what was decided is the same object for as long as the config and the rows are.
 * Lists with rows of one user are not kept, so nobody fills it with their own.
 */
export function createListedTools(caches: Caches) {
  const cache = caches.createMap<string, Kept>(
    CACHE_BOUNDS.listedTools,
    (key, { json }) => 2 * key.length + BYTES_FOR_CHARACTER * json.length,
  );

  /** @param toShown the name of a tool at the door, which `kind` decides */
  return (
    config: McpServerConfigRecord,
    decided: readonly DecidedTool[],
    { kind, toShown }: { kind: string; toShown: (name: string) => string },
  ): ListedTools => {
    const key = `${config.id} ${kind}`;
    const known = cache.get(key);
    if (known?.decided === decided) return known;
    const tools = decided
      .filter(({ decision }) => decision === 'allowed')
      .map((each) => {
        // This revision has no `execution`.
        const { execution: _execution, ...definition } = new CatalogueTool(config, each).definition;
        return { ...definition, name: toShown(each.tool.name) };
      });
    const made = {
      names: tools.map(({ name }) => name),
      json: tools.map((tool) => JSON.stringify(tool)).join(','),
      isKept: decided.every(({ tool }) => tool.userId === null),
      decided,
    };
    if (made.isKept) cache.set(key, made);
    return made;
  };
}
