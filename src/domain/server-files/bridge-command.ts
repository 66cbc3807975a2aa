import type { McpTransport } from '../../data/records.ts';
import { parseHeaderLine } from './client-headers.ts';
import { isObject } from './field-reader.ts';
import type { HeaderTemplate } from './imported-server.ts';

/** The remote server behind a local bridge. */
export interface BridgedServer {
  url: string;
  headers: HeaderTemplate[];
  /** Tools that the bridge hides. */
  denied: string[];
  transport: McpTransport | undefined;
  notes: string[];
}

const BRIDGE = /^(?:.*[\\/])?mcp-remote(?:@[\w.-]+)?$/;

/** The options of `mcp-remote` that have a value which does not matter here. */
const OPTIONS_WITH_VALUES = new Set([
  ...['--host', '--resource', '--auth-timeout', '--static-oauth-client-metadata', '--callback-port', '--protocol'],
]);

/**
 * Reads the server that the bridge `mcp-remote` connects to: `npx -y mcp-remote https://… --header "X-Key: …"`.
 *
 * @param words the command and its arguments
 * @param environment the entry's `env`, from which the bridge fills `${NAME}` in headers
 * @returns undefined if it is another command, or has no URL
 */
export function readBridge(words: readonly unknown[], environment: unknown): BridgedServer | undefined {
  const texts = words.filter((word) => typeof word === 'string');
  const start = texts.findIndex((word) => BRIDGE.test(word));
  if (start === -1) return undefined;
  const server: BridgedServer = { url: '', headers: [], denied: [], transport: undefined, notes: [] };
  const rest = texts.slice(start + 1);
  for (let index = 0; index < rest.length; index += 1) {
    const word = rest[index] ?? '';
    if (word === '--header') readHeader(server, rest[++index] ?? '', environment);
    else if (word === '--ignore-tool') server.denied.push(rest[++index] ?? '');
    else if (word === '--transport')
      server.transport = (rest[++index] ?? '').startsWith('sse') ? 'sse' : 'streamable_http';
    else if (word === '--static-oauth-client-info') {
      index += 1;
      server.notes.push('The OAuth 2 client of the bridge was ignored: set authType to OAUTH2 and enter it.');
    } else if (OPTIONS_WITH_VALUES.has(word)) index += 1;
    else if (server.url === '' && !word.startsWith('-')) server.url = word;
  }
  return server.url === '' ? undefined : server;
}

function readHeader(server: BridgedServer, text: string, environment: unknown): void {
  const variables = isObject(environment) ? environment : {};
  const filled = text.replace(/\$\{(\w{1,100})\}/g, (whole, name: string) => {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    return typeof value === 'string' ? value : whole;
  });
  const header = parseHeaderLine(filled);
  if (header === undefined) server.notes.push('A header of the bridge was ignored, because it has no name.');
  else server.headers.push(header);
}
