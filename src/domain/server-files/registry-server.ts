import { Secret } from '../../crypto/secret.ts';
import type { McpTransport } from '../../data/records.ts';
import { toHeaderCredentials } from './credentials.ts';
import { type FieldReader, type FilePath, isObject } from './field-reader.ts';
import type { HeaderTemplate, ReadResult } from './imported-server.ts';
import type { Entry, Listing } from './listing.ts';
import { parseTemplate, type TemplateVariable } from './secret-template.ts';
import { explainGap, fillUrl, listUrlNotes } from './url-template.ts';

const TRANSPORTS: ReadonlyMap<string, McpTransport> = new Map([
  ['streamable-http', 'streamable_http'],
  ['sse', 'sse'],
]);

const OFFICIAL = 'io.modelcontextprotocol.registry/official';

interface Remote {
  url: string;
  transport: McpTransport;
  reader: FieldReader;
}

/** Lists a `server.json` of the registry, or a list of its API. Undefined if it is another file. */
export function listRegistry(root: unknown): Listing | undefined {
  if (!isObject(root)) return undefined;
  const { servers } = root;
  const has = (name: string) => Object.hasOwn(root, name);
  if (!has('mcpServers') && Array.isArray(servers) && (servers.length === 0 || servers.some(isRegistryEntry))) {
    return { format: 'registry', entries: servers.map((each, index) => toEntry(['servers', index], each)), notes: [] };
  }
  const isOne = (isObject(root['server']) && !has('url')) || (!has('url') && has('name') && REGISTRY_FIELDS.some(has));
  return isOne && !has('servers') && !has('mcpServers')
    ? { format: 'registry', entries: [toEntry([], root)], notes: [] }
    : undefined;
}

const REGISTRY_FIELDS = ['remotes', 'packages', 'version'];

function isRegistryEntry(value: unknown): boolean {
  if (!isObject(value)) return false;
  const isPlain = !Object.hasOwn(value, 'url') && REGISTRY_FIELDS.some((name) => Object.hasOwn(value, name));
  return isPlain || isObject(value['server']);
}

/** The API wraps list entries as `{server, _meta}`. */
function toEntry(path: FilePath, value: unknown): Entry {
  const isWrapped = isObject(value) && Object.hasOwn(value, 'server');
  const server = isWrapped ? value['server'] : value;
  const name =
    isObject(server) && typeof server['name'] === 'string' ? server['name'] : `server ${Number(path[1] ?? 0) + 1}`;
  return {
    name,
    path: isWrapped ? [...path, 'server'] : path,
    value: server,
    read: (reader) => readRegistryServer(reader, isWrapped ? value['_meta'] : undefined),
  };
}

/**
 * Reads a `server.json` of the MCP registry (schema 2025-12-11): the first Streamable HTTP remote, otherwise the first
 * SSE remote. `meta` holds the API's information about it, such as whether it is deleted or outdated.
 */
function readRegistryServer(reader: FieldReader, meta?: unknown): ReadResult {
  const name = reader.text('name');
  const remotes = readRemotes(reader);
  const title = reader.text('title');
  const description = reader.text('description');
  if (name == null) {
    reader.require('name', 'Add the name of the server.');
    return undefined;
  }
  const reason = explainUnusable(meta);
  if (reason !== undefined) return { name, reason };
  const remote = remotes.find(({ transport }) => transport === 'streamable_http') ?? remotes[0];
  if (remote === undefined) return { name, reason: explainNoRemote(reader) };
  const filled = fillUrl(remote.url, readVariables(remote.reader));
  if ('missing' in filled) return { name, reason: explainGap(filled.missing) };

  const descriptions = new Map<string, string>();
  const notes = remotes.length > 1 ? ['Its other remotes were ignored.'] : [];
  const headers = readHeaders(remote.reader, { descriptions, notes });
  const iconUrl = readIcon(reader);
  const { plain, templates, notes: left } = toHeaderCredentials(headers);
  if (headers.length === 0) {
    notes.push(
      'The registry does not say whether it requires a sign-in (OAuth 2). If it does, set authType to OAUTH2.',
    );
  }
  return {
    name,
    plain: {
      ...plain,
      url: filled.url,
      transport: remote.transport,
      ...(title != null && { displayName: title }),
      ...(description != null && { description }),
      ...(iconUrl !== undefined && { iconUrl }),
    },
    templates,
    notes: [...notes, ...left, ...listUrlNotes(filled)],
    assumed: [
      ...(title == null ? (['displayName'] as const) : []),
      ...(headers.length === 0 ? (['authType'] as const) : []),
    ],
    descriptions,
  };
}

function explainUnusable(meta: unknown): string | undefined {
  const official = isObject(meta) ? meta[OFFICIAL] : undefined;
  if (!isObject(official)) return undefined;
  if (official['status'] === 'deleted') return 'It was deleted from the registry.';
  return official['isLatest'] === false ? 'The registry has a newer version of it.' : undefined;
}

function explainNoRemote(reader: FieldReader): string {
  return reader.take('packages') === undefined
    ? 'It has no remote that the gateway can connect to.'
    : "It is a package that runs on the user's computer: the gateway only connects to remote servers.";
}

function readRemotes(reader: FieldReader): Remote[] {
  return (reader.objects('remotes') ?? []).flatMap((remote) => {
    const type = remote.text('type');
    const url = remote.text('url');
    if (type == null) remote.require('type', 'Say "streamable-http" or "sse".');
    if (url == null) remote.require('url', 'Add the URL of the server.');
    const transport = TRANSPORTS.get(type ?? '');
    return url == null || transport === undefined ? [] : [{ url, transport, reader: remote }];
  });
}

type Variables = ReadonlyMap<string, TemplateVariable & { description: string | undefined }>;

function readVariables(reader: FieldReader): Variables {
  const variables = reader.object('variables');
  return new Map(
    (variables?.entries() ?? []).flatMap(([name]) => {
      const variable = variables?.object(name);
      if (variable == null) return [];
      const [value, fallback, description] = ['value', 'default', 'description'].map(
        (key) => variable.text(key) ?? undefined,
      );
      return [[name, { value, fallback, description }] as const];
    }),
  );
}

function readHeaders(
  remote: FieldReader,
  { descriptions, notes }: { descriptions: Map<string, string>; notes: string[] },
): HeaderTemplate[] {
  return (remote.objects('headers') ?? []).flatMap((header) => {
    const name = header.text('name');
    const value = header.text('value');
    const fallback = header.text('default');
    const isRequired = header.flag('isRequired') === true;
    if (name == null) {
      header.require('name', 'Add the name of the header.');
      return [];
    }
    const variables = readVariables(header);
    const described = [[name, { description: header.text('description') }] as const, ...variables];
    for (const [key, { description }] of described) if (description) descriptions.set(key, description);
    if (value != null) return [{ name, template: parseTemplate(value, { name, variables }) }];
    if (fallback != null && fallback !== '') return [{ name, template: [{ name, fallback: new Secret(fallback) }] }];
    if (isRequired) return [{ name, template: [{ name }] }];
    notes.push(`Its header "${name}" is optional and was ignored.`);
    return [];
  });
}

function readIcon(reader: FieldReader): string | undefined {
  const icons = (reader.objects('icons') ?? []).map((icon) => ({ src: icon.text('src'), theme: icon.text('theme') }));
  // An unusable icon is no reason to reject a server.
  const usable = icons.filter(({ src }) => src?.startsWith('https://') === true);
  return (usable.find(({ theme }) => theme !== 'dark') ?? usable[0])?.src ?? undefined;
}
