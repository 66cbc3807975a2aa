import type { WholeFetch } from '../outbound/stream-fetch.ts';
import type { Exchange, Received } from './exchange.ts';
import { inspectAnswer } from './inspect-answer.ts';
import { toUpstreamError } from './outbound-problem.ts';
import { hasOnly } from './plain-object.ts';
import { toRequestHeaders } from './request-headers.ts';
import { UpstreamError } from './upstream-error.ts';
import { MAX_SILENCE_MS } from './upstream-limits.ts';

/** A request, as far as it matters whether it needs the SDK's client. */
interface DirectRequest {
  method: string;
  params?: Readonly<Record<string, unknown>> | undefined;
  onProgress?: unknown;
  /** In addition, such as `Mcp-Param-*`. */
  headers?: Readonly<Record<string, string>> | undefined;
}

/** The result as received, or a response of which only the SDK knows what it means. */
export type DirectAnswer = { result: Readonly<Record<string, unknown>> } | Received;

/** Sends the requests of one connection that need no client. Undefined: this one needs it. Nothing was sent then. */
export type DirectCalls = (exchange: Exchange, request: DirectRequest) => Promise<DirectAnswer> | undefined;

/** The revision whose servers are called so. */
export const DIRECT_REVISION = '2026-07-28';

/** Names that are headers as they are. */
const NAME = /^[\w./-]+$/;
const JSON_TYPE = /^\s*application\/json\s*(?:;|$)/i;
/** Requests of the SDK's client have ids from 0 on. */
const FIRST_ID = 1_000_000_000;

const MESSAGE = new Set(['jsonrpc', 'id', 'result']);
const RESULT = new Set(['resultType', 'content', 'structuredContent', 'isError', '_meta']);
const META = new Set(['io.modelcontextprotocol/serverInfo']);
const TEXT = new Set(['type', 'text']);

/**
 * Creates what calls tools of a server of revision 2026-07-28 without the SDK's client, which costs more than the rest of
 * most calls. It sends what the client would send. An answer that the client would do more with than check it is handed to
 * the client, so that there is one judge of whatever is odd or wrong, and each call is sent once.
 */
export function createDirectCalls(options: {
  fetch: WholeFetch;
  url: URL;
  userAgent: string;
  identity: Readonly<Record<'name' | 'version', string>>;
}): DirectCalls {
  const { fetch, url, userAgent, identity } = options;
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': DIRECT_REVISION,
    'io.modelcontextprotocol/clientInfo': identity,
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  let lastId = FIRST_ID;

  const send = async (
    exchange: Exchange,
    name: string,
    { method, params, headers }: DirectRequest,
  ): Promise<DirectAnswer> => {
    lastId += 1;
    const id = lastId;
    const meta = { ...envelope, ...(params?.['_meta'] as object | undefined) };
    const body = JSON.stringify({ method, params: { ...params, _meta: meta }, jsonrpc: '2.0', id });
    const own = {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-method': method,
      'mcp-name': name,
      'mcp-protocol-version': DIRECT_REVISION,
      'user-agent': userAgent,
      ...toSmallNames(headers),
    };
    const { signal, maxSilenceMs = MAX_SILENCE_MS } = exchange;
    const onFault = (fault: Exchange['fault']): void => {
      exchange.fault = fault;
    };
    try {
      const answer = await fetch(
        url,
        {
          method: 'POST',
          headers: toRequestHeaders(exchange, own),
          body,
          signal,
          maxIdleMs: maxSilenceMs,
          inspectAs: inspectAnswer(exchange, { isEndless: false, onFault }),
          onBroken(error, status) {
            exchange.fault ??= new UpstreamError(toUpstreamError(error).problem, { status });
          },
        },
        (status, type) => status === 200 && JSON_TYPE.test(type),
      );
      if (answer instanceof Response) return { id, response: answer };
      const { status, type, bytes } = answer;
      const result = readPlainResult(bytes, id);
      if (result !== undefined) return { result };
      return { id, response: new Response(new Uint8Array(bytes), { status, headers: { 'content-type': type } }) };
    } catch (error) {
      // What was aborted fails for the reason of that.
      throw signal.aborted ? signal.reason : (exchange.fault ?? toUpstreamError(error));
    }
  };

  return (exchange, request) => {
    const name = request.params?.['name'];
    const isDirect = request.method === 'tools/call' && request.onProgress === undefined;
    return isDirect && typeof name === 'string' && NAME.test(name) ? send(exchange, name, request) : undefined;
  };
}

/** The result, if there is nothing in the answer that has to be looked into. */
function readPlainResult(bytes: Buffer, id: number): Readonly<Record<string, unknown>> | undefined {
  let message: unknown;
  try {
    message = JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
  if (!hasOnly(message, MESSAGE) || message['jsonrpc'] !== '2.0' || message['id'] !== id) return undefined;
  if (!hasOnly(message['result'], RESULT)) return undefined;
  const { resultType, ...result } = message['result'];
  const { content, isError, _meta: meta } = result;
  if (resultType !== 'complete' || !Array.isArray(content) || !content.every(isText)) return undefined;
  if ((isError !== undefined && typeof isError !== 'boolean') || (meta !== undefined && !hasOnly(meta, META))) {
    return undefined;
  }
  return result;
}

function isText(item: unknown): boolean {
  return hasOnly(item, TEXT) && item['type'] === 'text' && typeof item['text'] === 'string';
}

function toSmallNames(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
