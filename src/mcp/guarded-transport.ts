import type { JSONRPCMessage, MessageExtraInfo, Transport, TransportSendOptions } from '@modelcontextprotocol/client';
import { createExchange, currentExchange, type Exchange, runExchange } from './exchange.ts';
import { UpstreamError } from './upstream-error.ts';
import { END_SESSION_TIMEOUT_MS, MAX_INBOUND_REQUESTS, MAX_NOTICE_BYTES } from './upstream-limits.ts';

/** Where the entries of a list are, as received, in the result that the SDK passes on. */
export const RAW_ITEMS = 'gatehouse/items';

/** The lists of servers, and the parts of their results that have the entries. */
const LISTS: Readonly<Record<string, string>> = {
  'tools/list': 'tools',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
  'prompts/list': 'prompts',
};

/** The request whose answer is the end of a subscription. */
const LISTEN = 'subscriptions/listen';

/** An answer that the transport makes itself: the server sent none. The reason is in the exchange. */
const NO_ANSWER = { code: -32_000, message: 'no answer' };

/**
 * Stands between the SDK's client and a transport, so that a server can make the client do little: it answers few
 * requests of the server, knows when an answer can no longer come, and takes the entries out of lists before the SDK looks
 * at them, because one that is not valid must not cost the others.
 */
export class GuardedTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage, extra?: MessageExtraInfo) => void;

  readonly #inner: Transport;
  readonly #onToolsChanged: () => void;
  /** The requests without an answer, by the id with which they were sent. */
  readonly #pending = new Map<unknown, { method: string; id: string | number; exchange: Exchange | undefined }>();
  #inbound = 0;

  constructor(inner: Transport, onToolsChanged: () => void) {
    this.#inner = inner;
    this.#onToolsChanged = onToolsChanged;
    inner.onmessage = (message, extra) => this.#receive(message, extra);
    inner.onclose = () => this.onclose?.();
    inner.onerror = (error) => this.onerror?.(error);
  }

  get hasPerRequestStream(): boolean {
    return this.#inner.hasPerRequestStream === true;
  }

  get sessionId(): string | undefined {
    return this.#inner.sessionId;
  }

  start(): Promise<void> {
    return this.#inner.start();
  }

  close(): Promise<void> {
    this.#pending.clear();
    return this.#inner.close();
  }

  setProtocolVersion(version: string): void {
    this.#inner.setProtocolVersion?.(version);
  }

  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if (!('method' in message)) return this.#inner.send(message, options);
    if (!('id' in message)) {
      const of = message.method === 'notifications/cancelled' ? this.#endRequest(message.params) : undefined;
      return of === undefined ? this.#inner.send(message, options) : this.#sendAfter(of, message, options);
    }
    const { id, method } = message;
    const exchange = currentExchange();
    // A request that was sent without the client has an id of its own.
    const sentId = exchange?.received?.id ?? id;
    this.#inbound = 0;
    this.#pending.set(sentId, { method, id, exchange });
    try {
      const onRequestStreamEnd = (): void => this.#endStream(sentId);
      await this.#inner.send({ ...message, id: sentId }, { ...options, onRequestStreamEnd });
    } catch (error) {
      this.#pending.delete(sentId);
      throw error;
    }
  }

  /** A request is cancelled when its exchange has ended, so the notice gets one of its own. */
  #sendAfter(of: Exchange, message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    const signal = AbortSignal.timeout(END_SESSION_TIMEOUT_MS);
    const exchange = createExchange({ headers: of.headers, signal, maxBytes: MAX_NOTICE_BYTES });
    return runExchange(exchange, () => this.#inner.send(message, options));
  }

  #endRequest(params: unknown): Exchange | undefined {
    const id = (params as { requestId?: unknown } | undefined)?.requestId;
    const request = this.#pending.get(id);
    this.#pending.delete(id);
    return request?.exchange;
  }

  /** The server ends what it tells. The client takes this for the end, and then nothing else ends the request. */
  #endListening(params: unknown): void {
    const id = (params as { requestId?: unknown } | undefined)?.requestId;
    if (this.#pending.get(id)?.method === LISTEN) this.#pending.delete(id);
  }

  /** The stream of a request ended, and no other one will bring the answer. */
  #endStream(sentId: string | number): void {
    const request = this.#pending.get(sentId);
    if (request === undefined) return;
    if (request.exchange !== undefined) request.exchange.fault ??= new UpstreamError('PROTOCOL_ERROR');
    this.#pending.delete(sentId);
    this.onmessage?.({ jsonrpc: '2.0', id: request.id, error: NO_ANSWER });
  }

  #receive(message: JSONRPCMessage, extra: MessageExtraInfo | undefined): void {
    if ('method' in message) {
      if ('id' in message) {
        this.#inbound += 1;
        if (this.#inbound > MAX_INBOUND_REQUESTS) return;
      } else if (message.method === 'notifications/tools/list_changed') this.#onToolsChanged();
      else if (message.method === 'notifications/cancelled') this.#endListening(message.params);
      this.onmessage?.(message, extra);
      return;
    }
    const request = this.#pending.get(message.id);
    // An answer to nothing, or a second one.
    if (request === undefined) return;
    this.#pending.delete(message.id);
    const part = LISTS[request.method];
    const answer = { ...message, id: request.id };
    this.onmessage?.(part === undefined ? answer : withoutItems(answer, part), extra);
  }
}

function withoutItems(message: JSONRPCMessage, part: string): JSONRPCMessage {
  if (!('result' in message)) return message;
  const result = message.result as Record<string, unknown>;
  return Array.isArray(result[part])
    ? { ...message, result: { ...result, [part]: [], [RAW_ITEMS]: result[part] } }
    : message;
}
