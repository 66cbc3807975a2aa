import type { McpServerConfigRecord } from '../../src/data/records.ts';
import { diffServer, type ServerDiff, toSkipped } from '../../src/domain/server-files/diff-servers.ts';
import type { GivenSecrets } from '../../src/domain/server-files/fill-secrets.ts';
import type { ParsedServerFile } from '../../src/domain/server-files/imported-server.ts';
import { matchServers } from '../../src/domain/server-files/match-servers.ts';

/** The differences between a file and the existing configs, without the checks of the config service. */
export function diffServers(
  file: Pick<ParsedServerFile, 'servers' | 'skipped'>,
  existing: readonly McpServerConfigRecord[],
  given: ReadonlyMap<string, GivenSecrets> = new Map(),
): ServerDiff[] {
  const matched = matchServers(file.servers, existing);
  return [
    ...matched.map((each) => diffServer(each, given.get(each.server.input.slug))),
    ...file.skipped.map(toSkipped),
  ];
}
