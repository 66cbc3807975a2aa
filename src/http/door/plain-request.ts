import { classifyInboundRequest } from '@modelcontextprotocol/server';
import { hasOnly, isRecord } from '../../mcp/plain-object.ts';

/** A list or a call of revision 2026-07-28 without anything odd, so that the whole of it is here. */
export type PlainRequest =
  | { method: 'tools/list'; id: string | number }
  | {
      method: 'tools/call';
      id: string | number;
      name: string;
      arguments: Readonly<Record<string, unknown>>;
      meta: Readonly<Record<string, unknown>>;
    };

const REVISION = '2026-07-28';

const PARAMS: Readonly<Record<PlainRequest['method'], ReadonlySet<string>>> = {
  'tools/list': new Set(['_meta']),
  'tools/call': new Set(['_meta', 'name', 'arguments']),
};
/** Without a progress token: progress needs a stream. */
const META = new Set([
  'io.modelcontextprotocol/protocolVersion',
  'io.modelcontextprotocol/clientInfo',
  'io.modelcontextprotocol/clientCapabilities',
  ...['traceparent', 'tracestate', 'baggage'],
]);

/**
 * Reads a request that needs no MCP server of its own. All others, and all that are wrong, are for the library.
 *
 * @param header reads a header of the request
 */
export function readPlainRequest(
  header: (name: string) => string | undefined,
  message: unknown,
): PlainRequest | undefined {
  if (header('content-type') !== 'application/json' || header('mcp-protocol-version') !== REVISION) return undefined;
  const asked = header('mcp-method');
  if (asked === undefined || !isPlainMethod(asked)) return undefined;
  if (!isUsual(message, asked) && !isModernRequest(message, asked)) return undefined;
  const { id, method, params } = message as { id: string | number; method: string; params: unknown };
  if (!isPlainMethod(method) || !hasOnly(params, PARAMS[method])) return undefined;
  const { _meta: meta, name, arguments: args = {} } = params;
  if (!hasOnly(meta, META)) return undefined;
  if (method === 'tools/list') return { method, id };
  // A name in Base64 begins like this.
  if (typeof name !== 'string' || header('mcp-name') !== name || name.startsWith('=?')) return undefined;
  if (!isRecord(args) || Object.hasOwn(args, '__proto__')) return undefined;
  return { method, id, name, arguments: args, meta };
}

function isPlainMethod(method: string): method is PlainRequest['method'] {
  return Object.hasOwn(PARAMS, method);
}

const MESSAGE = new Set(['jsonrpc', 'id', 'method', 'params']);
const CLIENT = new Set(['name', 'version']);
const CAPABILITIES = new Set(['elicitation', 'roots', 'sampling']);
const NOTHING: ReadonlySet<string> = new Set();

/** Whether a message is what most clients send. The library would accept it, and takes a while to find that out. */
function isUsual(message: unknown, asked: string): boolean {
  if (!hasOnly(message, MESSAGE) || message['jsonrpc'] !== '2.0' || message['method'] !== asked) return false;
  const { id, params } = message;
  if ((typeof id !== 'string' && !Number.isSafeInteger(id)) || !isRecord(params)) return false;
  const { _meta: meta } = params;
  if (!isRecord(meta) || meta['io.modelcontextprotocol/protocolVersion'] !== REVISION) return false;
  const client = meta['io.modelcontextprotocol/clientInfo'];
  if (!hasOnly(client, CLIENT) || typeof client['name'] !== 'string' || typeof client['version'] !== 'string')
    return false;
  const capabilities = meta['io.modelcontextprotocol/clientCapabilities'];
  return hasOnly(capabilities, CAPABILITIES) && Object.values(capabilities).every((each) => hasOnly(each, NOTHING));
}

/** Whether the library takes it for a request of this revision. */
function isModernRequest(body: unknown, asked: string): boolean {
  const headers = { protocolVersionHeader: REVISION, mcpMethodHeader: asked };
  const route = classifyInboundRequest({ httpMethod: 'POST', ...headers, body });
  return route.kind === 'modern' && route.messageKind === 'request';
}
