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
  const headers = { protocolVersionHeader: REVISION, mcpMethodHeader: asked };
  const route = classifyInboundRequest({ httpMethod: 'POST', ...headers, body: message });
  if (route.kind !== 'modern' || route.messageKind !== 'request') return undefined;
  const { id, method, params } = route.message;
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
