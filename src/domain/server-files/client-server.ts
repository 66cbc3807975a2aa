import type { McpTransport } from '../../data/records.ts';
import { type Credentials, readOAuth, toHeaderCredentials } from './credentials.ts';
import type { FieldReader } from './field-reader.ts';
import type { AssumedField, HeaderTemplate, ReadResult } from './imported-server.ts';
import { parseTemplate } from './secret-template.ts';
import { explainGap, fillUrl, listUrlNotes } from './url-template.ts';

/** The transport types in clients' files, without dashes. */
const TRANSPORTS: ReadonlyMap<string, McpTransport> = new Map([
  ['http', 'streamable_http'],
  ['streamablehttp', 'streamable_http'],
  ['remote', 'streamable_http'],
  ['sse', 'sse'],
]);

const NO_CREDENTIALS =
  'The file has no credentials for this server. If the server requires a sign-in (OAuth 2), set authType to OAUTH2.';

/**
 * Reads an entry of `mcpServers` (Cursor, Claude Code, Windsurf, Gemini CLI, Cline, …) or of VS Code's `servers`.
 *
 * @param descriptions the descriptions of VS Code's `inputs`, by `input:<id>`
 */
export function readClientServer(
  reader: FieldReader,
  { name, descriptions }: { name: string; descriptions: ReadonlyMap<string, string> },
): ReadResult {
  const type = reader.text('type', 'transport', 'transportType');
  const url = reader.text('url', 'serverUrl', 'httpUrl');
  const reason = explainUnsupported(reader, type, url);
  if (reason !== undefined) return { name, reason };
  const credentials = readCredentials(reader);
  const title = reader.text('title', 'displayName');
  const named = type == null ? undefined : TRANSPORTS.get(withoutDashes(type));
  const description = reader.text('description');
  const allowed = reader.texts('includeTools');
  const denied = reader.texts('excludeTools', 'disabledTools');
  if (url == null) {
    reader.require('url', 'Add the URL of the server.');
    return undefined;
  }
  const filled = fillUrl(url);
  if ('missing' in filled) return { name, reason: explainGap(filled.missing) };

  const left = reader.take('command') === undefined ? [] : ['Its command was ignored, because it has a URL.'];
  const ignored = reader.noteIgnored();
  return {
    name,
    plain: {
      ...credentials.plain,
      url: filled.url,
      transport: named ?? guessTransport(filled.url),
      ...(title != null && { displayName: title }),
      ...(description != null && { description }),
      ...(allowed != null && { toolAllowList: allowed }),
      ...(denied != null && { toolDenyList: denied }),
    },
    templates: credentials.templates,
    notes: [...credentials.notes, ...listUrlNotes(filled), ...left, ...(ignored === undefined ? [] : [ignored])],
    assumed: [
      ...credentials.assumed,
      ...(title == null ? (['displayName'] as const) : []),
      ...(named === undefined ? (['transport'] as const) : []),
    ],
    descriptions,
  };
}

function withoutDashes(type: string): string {
  return type.toLowerCase().replace(/[-_ ]/g, '');
}

/** Why the gateway cannot connect to a server. Undefined when it can. */
function explainUnsupported(
  reader: FieldReader,
  type: string | null | undefined,
  url: string | null | undefined,
): string | undefined {
  const command = reader.take('command')?.value;
  const kind = type == null ? undefined : withoutDashes(type);
  if (kind === 'stdio' || kind === 'local' || (command !== undefined && url == null)) {
    const words = [command, reader.take('args')?.value].flat();
    return words.some((word) => typeof word === 'string' && word.includes('mcp-remote'))
      ? 'It runs the bridge "mcp-remote" locally: enter the URL that it connects to as "url" instead.'
      : "It runs a command on the user's computer: the gateway only connects to remote servers.";
  }
  if (url != null && /^(?:unix|pipe|file):/i.test(url)) {
    return 'Its URL points to the local computer: the gateway only connects to remote servers.';
  }
  if (kind === 'ws' || kind === 'websocket' || (url != null && /^wss?:/i.test(url))) {
    return 'It uses WebSocket: the gateway supports Streamable HTTP and SSE.';
  }
  if (kind !== undefined && !TRANSPORTS.has(kind)) {
    return 'Its type is unknown: the gateway supports Streamable HTTP ("http") and SSE ("sse").';
  }
  return undefined;
}

/** Guesses as clients do when a file has no type. The path of the older transport is nearly always `/sse`. */
function guessTransport(url: string): McpTransport {
  const path = URL.canParse(url) ? new URL(url).pathname : url;
  return /\/sse\/?$/.test(path) ? 'sse' : 'streamable_http';
}

function readCredentials(reader: FieldReader): Credentials & { assumed: readonly AssumedField[] } {
  const headers = readHeaders(reader);
  const oauth = readOAuth(reader);
  if (oauth?.plain.authType === 'oauth2') {
    const lost = headers.length > 0 ? ['Its headers were ignored: with OAuth 2 the gateway sends only the token.'] : [];
    return { ...oauth, notes: [...oauth.notes, ...lost], assumed: [] };
  }
  const credentials = toHeaderCredentials(headers);
  const isSilent = headers.length === 0;
  const notes = [...(oauth?.notes ?? []), ...(isSilent ? [NO_CREDENTIALS] : [])];
  return { ...credentials, notes, assumed: isSilent ? ['authType'] : [] };
}

function readHeaders(reader: FieldReader): HeaderTemplate[] {
  const headers = reader.object('headers');
  return (headers?.entries() ?? []).flatMap(([name, value]) => {
    if (typeof value === 'string') return [{ name, template: parseTemplate(value, { name }) }];
    headers?.wrong(name, 'text');
    return [];
  });
}
