import { validationFailed } from '../../errors.ts';
import { Issues } from '../validation/issues.ts';
import { parseJsonc } from '../validation/json-text.ts';
import { readClientServer } from './client-server.ts';
import { completeServer } from './complete-server.ts';
import { FieldReader, type FilePath, isObject, toShown } from './field-reader.ts';
import { readGatehouseServer } from './gatehouse-server.ts';
import type { ParsedServerFile, ReadResult, ServerFileFormat } from './imported-server.ts';
import { readRegistryServer } from './registry-server.ts';
import { toSlugs } from './slug.ts';

/** The maximum size of a file, in bytes of UTF-8. */
export const MAX_FILE_BYTES = 1_048_576;
/** The maximum number of servers in a file. */
export const MAX_SERVERS = 1_000;

/** The version of our own format. */
export const GATEHOUSE_VERSION = 1;

interface Entry {
  path: FilePath;
  value: unknown;
  read: (reader: FieldReader) => ReadResult;
}

interface Listing {
  format: ServerFileFormat;
  entries: Entry[];
}

/**
 * Parses a file of MCP servers: our own export, `mcp.json` (`mcpServers`), VS Code's (`servers`, also under `mcp` in
 * its settings), or the registry's `server.json` and API lists. Comments and trailing commas are allowed. Only the
 * shape of the file is checked; the config service checks the rules for configs.
 *
 * @throws VALIDATION_FAILED with all problems and their positions in the file; the messages contain no values from the
 *   file
 */
export function parseServerFile(text: string): ParsedServerFile {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) throw fileProblem('TOO_LONG', 'Is larger than 1 MiB.');
  const parsed = parseJsonc(text);
  if (!parsed.ok) {
    const { line, column, message } = parsed.problem;
    throw fileProblem('INVALID_JSON', `Is not JSON at line ${line}, column ${column}: ${message}`);
  }
  const issues = new Issues();
  const { format, entries } = listEntries(issues, parsed.value);
  if (entries.length > MAX_SERVERS) throw fileProblem('TOO_MANY', `Has more than ${MAX_SERVERS} servers.`);
  const results = entries.map(({ path, value, read }) => {
    if (isObject(value)) return read(new FieldReader(issues, path, value));
    issues.add(path, 'WRONG_TYPE', 'Must be an object.');
    return undefined;
  });
  issues.throwIfAny();
  const found = results.filter((result) => result !== undefined && 'plain' in result);
  const slugs = toSlugs(found.map(({ name }) => name));
  return {
    format,
    servers: found.map((server, index) => completeServer(server, slugs[index] ?? '')),
    skipped: results.filter((result) => result !== undefined && 'reason' in result),
  };
}

function fileProblem(code: string, message: string): Error {
  return validationFailed([{ path: [], code, message }]);
}

function listEntries(issues: Issues, root: unknown): Listing {
  if (!isObject(root)) throw unknownFormat();
  const reader = new FieldReader(issues, [], root);
  const has = (name: string) => Object.hasOwn(root, name);
  if (has('gatehouse')) return listGatehouse(reader);
  if (has('mcpServers') && has('servers')) {
    throw fileProblem('AMBIGUOUS', 'Has both "mcpServers" and "servers": remove one.');
  }
  if (has('mcpServers')) return listClients('mcp_json', reader, 'mcpServers');
  if (Array.isArray(root['servers'])) return listRegistry(reader);
  if (has('servers')) return listClients('vscode', reader, 'servers');
  if (isObject(root['mcp']) && Object.hasOwn(root['mcp'], 'servers')) {
    return listClients('vscode', new FieldReader(issues, ['mcp'], root['mcp']), 'servers');
  }
  if (isObject(root['server'])) return { format: 'registry', entries: [toRegistryEntry([], root)] };
  if (has('name') && ['remotes', 'packages', 'version'].some(has)) {
    return { format: 'registry', entries: [{ path: [], value: root, read: readRegistryServer }] };
  }
  throw unknownFormat();
}

function unknownFormat(): Error {
  return fileProblem(
    'UNKNOWN_FORMAT',
    'Is not a supported file: an export of this gateway, mcp.json ("mcpServers"), VS Code\'s mcp.json ("servers"), a server.json of the MCP registry.',
  );
}

function listGatehouse(reader: FieldReader): Listing {
  if (reader.take('gatehouse')?.value !== GATEHOUSE_VERSION) {
    const message = `Must be ${GATEHOUSE_VERSION}, the format version that this gateway supports.`;
    reader.issues.add(['gatehouse'], 'NOT_SUPPORTED', message);
  }
  return {
    format: 'gatehouse',
    entries: listNamed(reader, 'servers', (name) => (each) => readGatehouseServer(each, name)),
  };
}

function listClients(format: ServerFileFormat, reader: FieldReader, field: string): Listing {
  const descriptions = readInputs(reader);
  const entries = listNamed(reader, field, (name) => (each) => readClientServer(each, { name, descriptions }));
  return { format, entries };
}

function listNamed(reader: FieldReader, field: string, toRead: (name: string) => Entry['read']): Entry[] {
  const servers = reader.object(field);
  if (servers == null) reader.require(field, 'Add the servers by name.');
  return (servers?.entries() ?? []).map(([name, value]) => ({
    path: [...(servers?.path ?? []), toShown(name)],
    value,
    read: toRead(name),
  }));
}

/** VS Code's `inputs` for `${input:id}`, which are next to the servers. */
function readInputs(reader: FieldReader): ReadonlyMap<string, string> {
  const inputs = reader.objects('inputs') ?? [];
  return new Map(
    inputs.flatMap((input) => {
      const id = input.text('id');
      const description = input.text('description');
      return id == null || description == null || description === '' ? [] : [[`input:${id}`, description]];
    }),
  );
}

function listRegistry(reader: FieldReader): Listing {
  const list = reader.take('servers')?.value;
  const values: unknown[] = Array.isArray(list) ? list : [];
  return { format: 'registry', entries: values.map((value, index) => toRegistryEntry(['servers', index], value)) };
}

/** The API wraps list entries as `{server, _meta}`. */
function toRegistryEntry(path: FilePath, value: unknown): Entry {
  if (!isObject(value) || !Object.hasOwn(value, 'server')) return { path, value, read: readRegistryServer };
  const read = (reader: FieldReader) => readRegistryServer(reader, value['_meta']);
  return { path: [...path, 'server'], value: value['server'], read };
}
