import type { Exchange } from './exchange.ts';
import { readPage } from './list-page.ts';
import { breaksHeaderRules } from './param-headers.ts';
import {
  checkDefinition,
  type DefinitionProblem,
  type SkippedTool,
  toShownName,
  type UpstreamTool,
} from './tool-definition.ts';
import { UpstreamError } from './upstream-error.ts';
import { MAX_INSTRUCTIONS_LENGTH, MAX_PAGES, MAX_SERVER_NAME_LENGTH, MAX_TOOLS } from './upstream-limits.ts';
import type { ServerDescription, UpstreamSession } from './upstream-session.ts';

/** The tools of a server, and what the server says about itself. All texts are the server's own. */
export interface ListedTools {
  tools: readonly UpstreamTool[];
  /** Definitions that are left out, at most as many as there may be tools. */
  skipped: readonly SkippedTool[];
  /** Whether the server has more tools than are listed. */
  isCut: boolean;
  /** How long the list may be used, in milliseconds. Undefined if the server does not say. */
  ttlMs: number | undefined;
  /** `private`: the list is for this user only. Undefined if the server does not say. */
  cacheScope: 'public' | 'private' | undefined;
  /** Whether the server says that it tells when its tools change, to those who ask it to. */
  tellsChanges: boolean;
  server: ServerDescription;
}

/** Reads all pages of a server's list of tools. @throws UpstreamError */
export async function listAllTools(session: UpstreamSession, exchange: Exchange): Promise<ListedTools> {
  const server = toBounded(await session.describe(exchange));
  const tools = new Map<string, UpstreamTool>();
  const skipped: SkippedTool[] = [];
  const cursors = new Set<string>();
  let ttlMs: number | undefined;
  let cacheScope: 'public' | 'private' | undefined;
  let index = 0;
  let cursor: string | undefined;
  let isCut = false;

  const skip = (value: unknown, problem: DefinitionProblem): void => {
    skipped.push({ index, name: toShownName(value), problem });
  };

  do {
    const params = cursor === undefined ? undefined : { cursor };
    const page = readPage(await session.request(exchange, { method: 'tools/list', params }));
    ttlMs = page.ttlMs === undefined ? ttlMs : Math.min(ttlMs ?? page.ttlMs, page.ttlMs);
    if (cacheScope !== 'private') cacheScope = page.cacheScope ?? cacheScope;
    for (const value of page.items) {
      if (index >= MAX_TOOLS) {
        isCut = true;
        break;
      }
      const tool = checkDefinition(value);
      if (typeof tool === 'string') skip(value, tool);
      else if (session.isModern && breaksHeaderRules(tool.definition['inputSchema'])) skip(value, 'WRONG_HEADERS');
      else if (tools.has(tool.name)) skip(value, 'DUPLICATE');
      else tools.set(tool.name, tool);
      index += 1;
    }
    cursor = page.nextCursor;
    if (cursor === undefined || isCut) break;
    // A cursor that comes again would never end.
    if (cursors.has(cursor)) throw new UpstreamError('PROTOCOL_ERROR');
    cursors.add(cursor);
    if (cursors.size >= MAX_PAGES || index >= MAX_TOOLS) isCut = true;
  } while (!isCut);

  return { tools: [...tools.values()], skipped, isCut, ttlMs, cacheScope, tellsChanges: tellsChanges(session), server };
}

function tellsChanges({ verdict }: UpstreamSession): boolean {
  return verdict.kind === 'modern' && verdict.discover.capabilities.tools?.listChanged === true;
}

function toBounded({ protocolVersion, name, version, instructions }: ServerDescription): ServerDescription {
  return {
    protocolVersion,
    name: name?.slice(0, MAX_SERVER_NAME_LENGTH),
    version: version?.slice(0, MAX_SERVER_NAME_LENGTH),
    instructions: instructions?.slice(0, MAX_INSTRUCTIONS_LENGTH),
  };
}
