import type { ServerHistoryQuery } from '../generated/graphql.ts';
import type { Change } from '../parts/changes.tsx';

/** An entry of a server's history. */
export type Entry = ServerHistoryQuery['mcpServerConfigHistory']['nodes'][number];

/** A version of a server, and the entry of the change that made it. */
export interface Version {
  version: number;
  entryId: string;
  changes: readonly Change[];
}

/** Numbers the changes. @param entries newest first @param newest the version that the first of them made */
export function listVersions(entries: readonly Entry[], newest: number): Version[] {
  return entries
    .filter(({ action, outcome }) => outcome === 'SUCCESS' && /^MCP_SERVER_CONFIG_(?:CREATE|UPDATE)$/.test(action))
    .map(({ id, changes }, index) => ({ version: newest - index, entryId: id, changes }));
}

/**
 * What restoring a version would change: each setting that changed since, with its value of now and that of then. Secrets
 * are not restored.
 *
 * @param versions newest first
 */
export function toRestoredChanges(versions: readonly Version[], version: number): Change[] {
  const changes = new Map<string, Change>();
  for (const later of versions.filter((each) => each.version > version)) {
    for (const { field, before, after, isSecret } of later.changes) {
      if (field === 'enabled') continue;
      const now = changes.get(field);
      changes.set(field, { field, before: now === undefined ? after : now.before, after: before, isSecret });
    }
  }
  return [...changes.values()].filter(({ before, after, isSecret }) => !isSecret && before !== after);
}
