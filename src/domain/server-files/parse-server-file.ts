import { formatPath } from '../../errors.ts';
import { FIELD_LIMITS } from '../../limits/field-limits.ts';
import { Issues } from '../validation/issues.ts';
import { listClientServers } from './client-listing.ts';
import { completeServer } from './complete-server.ts';
import { FieldReader, isObject, toShown } from './field-reader.ts';
import { parseFileText } from './file-text.ts';
import { listGatehouse } from './gatehouse-server.ts';
import type { FoundServer, ParsedServerFile, SkippedServer } from './imported-server.ts';
import { type Entry, fileProblem, type Listing } from './listing.ts';
import { listRegistry } from './registry-server.ts';
import { toSlugs } from './slug.ts';

/** The maximum size of a file, in bytes of UTF-8. */
export const MAX_FILE_BYTES = FIELD_LIMITS.importFile.value;
/** The maximum number of servers in a file. */
export const MAX_SERVERS = FIELD_LIMITS.importServers.value;

/** The problems of one entry that are told. */
const MAX_TOLD = 5;

/**
 * Parses a file of MCP servers: our own export, a client's file in any of the shapes that `client-listing.ts` knows, or
 * the registry's `server.json` and API lists. JSON may have comments and trailing commas; TOML and YAML are read, too.
 * Only the shape of the file is checked; the config service checks the rules for configs. An entry that cannot be read
 * is skipped, with the reason.
 *
 * @throws VALIDATION_FAILED when the file as a whole cannot be read; the message contains no values from the file
 */
export function parseServerFile(text: string): ParsedServerFile {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) throw fileProblem('TOO_LONG', 'Is larger than 1 MiB.');
  const { format, entries, notes } = listEntries(parseFileText(text));
  if (entries.length > MAX_SERVERS) throw fileProblem('TOO_MANY', `Has more than ${MAX_SERVERS} servers.`);
  const results = entries.map(readEntry);
  const found = results.filter((result) => 'plain' in result);
  const slugs = toSlugs(found.map(({ name }) => name));
  return {
    format,
    notes,
    servers: found.map((server, index) => completeServer(server, slugs[index] ?? '')),
    skipped: results.filter((result) => 'reason' in result),
  };
}

function listEntries(root: unknown): Listing {
  const listing = listGatehouse(root) ?? listRegistry(root) ?? listClientServers(root);
  if (listing === undefined) {
    throw fileProblem(
      'UNKNOWN_FORMAT',
      'Is not a supported file: an export of this gateway, the file of an MCP client (such as mcp.json), a server.json of the MCP registry.',
    );
  }
  return listing;
}

function readEntry({ name, path, value, read }: Entry): FoundServer | SkippedServer {
  if (!isObject(value)) return { name, reason: 'It is not an object with the settings of a server.' };
  const issues = new Issues();
  const result = read(new FieldReader(issues, path, value));
  if (result !== undefined && 'reason' in result) return result;
  const problems = issues.list();
  if (result !== undefined && problems.length === 0) return result;
  const told = problems
    .slice(0, MAX_TOLD)
    .map((problem) => `${toShown(formatPath(problem.path.slice(path.length)))}: ${problem.message}`);
  const more = problems.length > MAX_TOLD ? [`And ${problems.length - MAX_TOLD} more.`] : [];
  return { name, reason: ['It cannot be read.', ...told, ...more].join(' ') };
}
