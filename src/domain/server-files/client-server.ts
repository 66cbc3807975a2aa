import type { McpTransport } from '../../data/records.ts';
import { type BridgedServer, readBridge } from './bridge-command.ts';
import { type ClientAuth, readClientAuth } from './client-auth.ts';
import { readIconUrl, readIsDisabled, readTitle, readUserVariables, withoutUserValues } from './client-fields.ts';
import { readClientHeaders } from './client-headers.ts';
import { type Credentials, toHeaderCredentials, withHeaders } from './credentials.ts';
import { type FieldReader, toPlainName } from './field-reader.ts';
import type { AssumedField, HeaderTemplate, ReadResult } from './imported-server.ts';
import { readToolLists, type ToolLists } from './tool-lists.ts';
import { explainGap, fillUrl, listUrlNotes } from './url-template.ts';

/** The transport types in clients' files, in plain form. Null: the URL tells which. */
const TRANSPORTS: ReadonlyMap<string, McpTransport | null> = new Map([
  ['http', 'streamable_http'],
  ['streamablehttp', 'streamable_http'],
  ['streamable', 'streamable_http'],
  ['sse', 'sse'],
  ['remote', null],
  ['url', null],
  ['mcp', null],
]);

const URLS = ['url', 'serverUrl', 'server_url', 'httpUrl', 'http_url', 'sseUrl', 'sse_url', 'uri', 'endpoint'];

const NO_CREDENTIALS =
  'The file has no credentials for this server. If the server requires a sign-in (OAuth 2), set authType to OAUTH2.';

/** The usual names of fields, for notes about misspelled ones. */
const KNOWN = [
  ...['url', 'type', 'transport', 'headers', 'oauth', 'auth', 'disabled', 'enabled', 'description', 'displayName'],
  ...['tools', 'includeTools', 'excludeTools', 'allowedTools', 'disabledTools'],
];

/**
 * Reads an entry of `mcpServers` (Cursor, Claude Code, Windsurf, Gemini CLI, Cline, LibreChat, …), of VS Code's
 * `servers`, of `mcp_servers` (Codex, LiteLLM, Anthropic), of opencode's `mcp` or of Zed's `context_servers`.
 *
 * @param descriptions the descriptions of VS Code's `inputs`, by `input:<id>`
 */
export function readClientServer(
  reader: FieldReader,
  { name, descriptions }: { name: string; descriptions: ReadonlyMap<string, string> },
): ReadResult {
  const type = reader.text('type', 'transport', 'transportType', 'transport_type');
  const given = reader.text(...URLS);
  const bridge = given == null ? readBridge(listWords(reader), reader.peek('env')) : undefined;
  const url = given ?? bridge?.url;
  const headers = readClientHeaders(reader);
  const auth = readClientAuth(reader);
  const tools = readToolLists(reader);
  const reason = explainUnsupported(reader, { type, url, bridge }) ?? tools.reason ?? explainHidden(bridge);
  if (reason !== undefined) return { name, reason };
  if (auth.kind === 'unsupported') return { name, reason: auth.reason };
  const credentials = toCredentials(auth, [...headers.headers, ...(bridge?.headers ?? [])]);
  const title = readTitle(reader);
  const description = reader.text('description', 'server_description');
  const iconUrl = readIconUrl(reader);
  const isDisabled = readIsDisabled(reader);
  const users = readUserVariables(reader);
  if (url == null) {
    reader.require('url', 'Add the URL of the server.');
    return undefined;
  }
  const filled = fillUrl(url);
  if ('missing' in filled) return { name, reason: explainGap(filled.missing) };

  const transport = (type == null ? undefined : TRANSPORTS.get(toPlainName(type))) ?? bridge?.transport;
  const leftNotes = noteCommand(reader, bridge);
  const ignored = reader.describeIgnored(KNOWN);
  return {
    name,
    plain: {
      ...credentials.plain,
      url: filled.url,
      transport: transport ?? guessTransport(filled.url),
      ...(title !== undefined && { displayName: title }),
      ...(description != null && { description }),
      ...(iconUrl !== undefined && { iconUrl }),
      ...withHidden(tools, bridge),
      ...(isDisabled && { enabled: false }),
    },
    templates: credentials.templates,
    notes: [
      ...credentials.notes,
      ...headers.notes,
      ...users.notes,
      ...tools.notes,
      ...(isDisabled ? ['It is disabled in the file, so it is imported disabled.'] : []),
      ...listUrlNotes(filled),
      ...leftNotes,
      ...(ignored === undefined ? [] : [ignored]),
    ],
    assumed: [
      ...credentials.assumed,
      ...(title === undefined ? (['displayName'] as const) : []),
      ...(transport === undefined ? (['transport'] as const) : []),
    ],
    descriptions: new Map([...descriptions, ...users.descriptions]),
  };
}

function listWords(reader: FieldReader): unknown[] {
  return [reader.peek('command'), reader.peek('args')].flat();
}

interface Target {
  type: string | null | undefined;
  url: string | null | undefined;
  bridge: BridgedServer | undefined;
}

/** Why the gateway cannot connect to a server. Undefined when it can. */
function explainUnsupported(reader: FieldReader, { type, url, bridge }: Target): string | undefined {
  const hasCommand = reader.peek('command') !== undefined;
  const kind = type == null || bridge !== undefined ? undefined : toPlainName(type);
  if (kind === 'stdio' || kind === 'local' || kind === 'builtin' || (hasCommand && url == null)) {
    return listWords(reader).some((word) => typeof word === 'string' && word.includes('mcp-remote'))
      ? 'It runs the bridge "mcp-remote" locally: enter the URL that it connects to as "url" instead.'
      : "It runs a command on the user's computer: the gateway only connects to remote servers.";
  }
  if (url != null && /^(?:unix|pipe|file):/i.test(url)) {
    return 'Its URL points to the local computer: the gateway only connects to remote servers.';
  }
  if (kind === 'ws' || kind === 'websocket' || (url != null && /^wss?:/i.test(url))) {
    return 'It uses WebSocket: the gateway supports Streamable HTTP and SSE.';
  }
  if (kind === 'openapi') return 'It is an OpenAPI server, not an MCP server.';
  if (kind !== undefined && !TRANSPORTS.has(kind)) {
    return 'Its type is unknown: the gateway supports Streamable HTTP ("http") and SSE ("sse").';
  }
  return undefined;
}

function explainHidden(bridge: BridgedServer | undefined): string | undefined {
  const isPattern = bridge?.denied.some((tool) => /[*?]/.test(tool)) === true;
  return isPattern ? 'Its bridge hides tools by a pattern, but here a deny list has exact names.' : undefined;
}

function withHidden({ plain }: ToolLists, bridge: BridgedServer | undefined): ToolLists['plain'] {
  const denied = [...(plain.toolDenyList ?? []), ...(bridge?.denied ?? [])];
  return { ...plain, ...(denied.length > 0 && { toolDenyList: denied }) };
}

function noteCommand(reader: FieldReader, bridge: BridgedServer | undefined): string[] {
  const hasCommand = reader.take('command') !== undefined;
  if (hasCommand) for (const field of ['args', 'env']) reader.take(field);
  if (bridge !== undefined) return ['It is the server behind the bridge "mcp-remote".', ...bridge.notes];
  return hasCommand ? ['Its command was ignored, because it has a URL.'] : [];
}

/** Guesses as clients do when a file has no type. The path of the older transport is nearly always `/sse`. */
function guessTransport(url: string): McpTransport {
  const path = URL.canParse(url) ? new URL(url).pathname : url;
  return /\/sse\/?$/.test(path) ? 'sse' : 'streamable_http';
}

function toCredentials(
  auth: Exclude<ClientAuth, { kind: 'unsupported' }>,
  given: readonly HeaderTemplate[],
): Credentials & { assumed: readonly AssumedField[] } {
  const { kept, notes } = withoutUserValues(given);
  if (auth.kind === 'oauth2') {
    const both = withHeaders(auth.credentials, kept);
    return { ...both, notes: [...both.notes, ...notes], assumed: [] };
  }
  const isGiven = auth.kind === 'header' && kept.some(({ name }) => isSameHeader(name, auth.header.name));
  const headers = auth.kind === 'header' && !isGiven ? [auth.header, ...kept] : kept;
  const credentials = toHeaderCredentials(headers);
  const isSilent = auth.kind === 'unsaid' && credentials.plain.authType === 'none';
  const more = [...(auth.kind === 'header' ? auth.notes : []), ...notes, ...(isSilent ? [NO_CREDENTIALS] : [])];
  return { ...credentials, notes: [...credentials.notes, ...more], assumed: isSilent ? ['authType'] : [] };
}

function isSameHeader(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}
