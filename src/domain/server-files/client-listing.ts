import { Issues } from '../validation/issues.ts';
import { readClientServer } from './client-server.ts';
import { FieldReader, type FilePath, isObject, toShown } from './field-reader.ts';
import type { ServerFileFormat } from './imported-server.ts';
import { type Entry, fileProblem, type Listing } from './listing.ts';

type Fields = Readonly<Record<string, unknown>>;

const URL_FIELDS = ['url', 'serverUrl', 'server_url', 'httpUrl', 'http_url', 'uri', 'endpoint', 'command'];

/**
 * Finds the servers in a client's file, wherever the client keeps them.
 *
 * @returns undefined if it is no such file
 */
export function listClientServers(root: unknown): Listing | undefined {
  if (Array.isArray(root)) return root.some(isLikeServer) ? toListing('list', [], root) : undefined;
  if (!isObject(root)) return undefined;
  const has = (name: string) => Object.hasOwn(root, name);
  if (has('mcpServers') && has('servers')) {
    throw fileProblem('AMBIGUOUS', 'Has both "mcpServers" and "servers": remove one.');
  }
  if (has('mcpServers')) return listField('mcp_json', root, 'mcpServers', { isWholeFile: true });
  if (has('servers')) return listField('vscode', root, 'servers', { isWholeFile: true });
  for (const path of VSCODE_PATHS) {
    const inner = follow(root, path);
    if (inner !== undefined && Object.hasOwn(inner, 'servers')) return listField('vscode', inner, 'servers', { path });
  }
  if (has('mcp_servers')) return listField('mcp_servers', withToolsets(root), 'mcp_servers');
  if (has('context_servers')) return listField('zed', root, 'context_servers');
  if (isObject(root['mcp'])) return listField('opencode', withToolSwitches(root), 'mcp');
  const connections = follow(root, ['tool_server'])?.['connections'] ?? root['TOOL_SERVER_CONNECTIONS'];
  if (Array.isArray(connections)) return toListing('list', ['tool_server', 'connections'], connections);
  if (isObject(root['extensions']) && Object.values(root['extensions']).some(isLikeServer)) {
    return listField('goose', root, 'extensions');
  }
  if (Array.isArray(root['tools']) && root['tools'].some(isOpenAiServer)) {
    return toListing('list', ['tools'], root['tools'].filter(isOpenAiServer));
  }
  if (isLikeServer(root)) return toListing('server', [], [root]);
  const values = Object.values(root);
  return values.length > 0 && values.some(isLikeServer) ? toListing('map', [], root) : undefined;
}

/** VS Code's settings, a workspace file, and a development container's. */
const VSCODE_PATHS = [
  ['mcp'],
  ['settings', 'mcp'],
  ['customizations', 'vscode', 'mcp'],
  ['customizations', 'vscode', 'settings', 'mcp'],
];

function follow(root: Fields, path: readonly string[]): Fields | undefined {
  let value: unknown = root;
  for (const step of path) value = isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  return isObject(value) ? value : undefined;
}

function isLikeServer(value: unknown): boolean {
  if (!isObject(value)) return false;
  if (isObject(value['transport'])) return isLikeServer(value['transport']);
  return URL_FIELDS.some((name) => typeof value[name] === 'string' && Object.hasOwn(value, name));
}

function isOpenAiServer(value: unknown): boolean {
  return isObject(value) && value['type'] === 'mcp';
}

function listField(
  format: ServerFileFormat,
  root: Fields,
  field: string,
  { path = [], isWholeFile = false }: { path?: readonly string[]; isWholeFile?: boolean } = {},
): Listing {
  const value = root[field];
  if (!isObject(value) && !Array.isArray(value)) {
    throw fileProblem('WRONG_TYPE', 'Must be an object or a list of servers.', [...path, field]);
  }
  const reader = new FieldReader(new Issues(), path, root);
  const descriptions = readInputs(reader);
  reader.take(field);
  const listing = toListing(format, [...path, field], value, descriptions);
  const rest = isWholeFile ? reader.describeIgnored([field, 'inputs']) : undefined;
  return rest === undefined ? listing : { ...listing, notes: [`Beside "${field}": ${rest}`] };
}

function toListing(
  format: ServerFileFormat,
  path: FilePath,
  value: Fields | readonly unknown[],
  descriptions: ReadonlyMap<string, string> = new Map(),
): Listing {
  const named = Array.isArray(value)
    ? value.map((each: unknown, index) => ({ name: nameOf(each, index), step: index, each }))
    : Object.entries(value).map(([name, each]) => ({ name, step: toShown(name), each }));
  const entries = named.map(({ name, step, each }): Entry => {
    const { transport, ...rest } = isObject(each) ? each : {};
    return {
      name,
      path: format === 'server' ? [] : [...path, step],
      // The AI SDK keeps the connection in `transport`.
      value: isObject(transport) ? { ...rest, ...transport } : fromOpenWebUi(each),
      read: (reader) => readClientServer(reader, { name, descriptions }),
    };
  });
  return { format, entries, notes: [] };
}

/** The name of an entry in a list, or else its host. */
function nameOf(entry: unknown, index: number): string {
  const fields = isObject(entry) ? entry : {};
  const { info } = fields;
  const names = [
    ...['name', 'id', 'server_name', 'server_label', 'title', 'label'].map((field) => fields[field]),
    ...(isObject(info) ? [info['name'], info['id']] : []),
  ];
  const name = names.find((each) => typeof each === 'string' && each.trim() !== '');
  if (typeof name === 'string') return name;
  const url = URL_FIELDS.map((field) => fields[field]).find((each) => typeof each === 'string');
  return URL.canParse(String(url)) ? new URL(String(url)).hostname : `server ${index + 1}`;
}

/** Open WebUI keeps an entry's name, its switch and its list of tools in objects of their own. */
function fromOpenWebUi(entry: unknown): unknown {
  if (!isObject(entry) || !isObject(entry['info']) || !Object.hasOwn(entry, 'auth_type')) return entry;
  const { info, config, path: _path, spec: _spec, spec_type: _specType, ...rest } = entry;
  const { name, description } = info as Fields;
  const { enable, function_name_filter_list: tools } = isObject(config) ? config : {};
  return {
    ...rest,
    ...(typeof name === 'string' && { name }),
    ...(typeof description === 'string' && description !== '' && { description }),
    ...(typeof enable === 'boolean' && { enabled: enable }),
    ...(tools !== undefined && tools !== '' && { allowed_tools: tools }),
  };
}

/** Anthropic's API says in `tools` which tools of a server may be used. */
function withToolsets(root: Fields): Fields {
  const { mcp_servers: servers, tools } = root;
  if (!Array.isArray(servers) || !Array.isArray(tools)) return root;
  const toolsets = tools.filter(isObject).filter(({ type }) => type === 'mcp_toolset');
  const filled = servers.map((server: unknown) => {
    const toolset = isObject(server) && toolsets.find(({ mcp_server_name: name }) => name === server['name']);
    if (!toolset) return server;
    const { default_config: all, configs } = toolset;
    return { ...server, tools: { ...(isObject(all) && { '*': all }), ...(isObject(configs) && configs) } };
  });
  return { ...root, mcp_servers: filled };
}

/** opencode switches tools on and off beside the servers, as `<server>_<tool>` and `<server>_*`. */
function withToolSwitches(root: Fields): Fields {
  const { mcp: servers, tools } = root;
  if (!isObject(servers) || !isObject(tools)) return root;
  const filled = Object.entries(servers).map(([name, server]) => {
    const own = Object.entries(tools)
      .filter(([tool]) => tool === `${name}*` || tool.startsWith(`${name}_`))
      .map(([tool, value]) => [tool.slice(name.length).replace(/^_/, ''), value]);
    return [name, isObject(server) && own.length > 0 ? { ...server, tools: Object.fromEntries(own) } : server];
  });
  return { ...root, mcp: Object.fromEntries(filled) };
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
