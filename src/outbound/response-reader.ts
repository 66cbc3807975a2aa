import type { Dispatcher } from 'undici';
import { OutboundError } from './outbound-error.ts';
import { toHeaders, toOutboundError } from './safe-fetch.ts';

/** A response that was read to its end. */
export interface WholeResponse {
  status: number;
  /** Its `Content-Type`. */
  type: string;
  bytes: Buffer;
}

type Controller = Dispatcher.DispatchController;
type ResponseHeaders = Dispatcher.ResponseData['headers'];

/** Whose response is read, and how. */
interface Reading {
  hostname: string;
  /** Ends the request, and the response. */
  signal: AbortSignal | undefined;
  /** Begins to look at a body of this type. What it returns throws to refuse the rest. */
  inspectAs: (type: string) => (chunk: Uint8Array) => void;
  /** Learns that the body broke off, before the reader does. */
  onBroken: ((error: OutboundError, status: number) => void) | undefined;
  /** Whether to read a response of this status and type to its end. All others are streams. */
  isWhole: (status: number, type: string) => boolean;
  resolve: (response: WholeResponse | Response) => void;
  /** Gets an OutboundError, or what was thrown to refuse the body. A body that is a stream fails with the same. */
  reject: (error: unknown) => void;
}

/**
 * Reads the response to one request as undici receives it. What undici itself makes of a response has a stream, and costs
 * more than some tool calls.
 */
export class ResponseReader implements Dispatcher.DispatchHandler {
  readonly #reading: Reading;
  #controller: Controller | undefined;
  /** Set when the headers are there. */
  #head: { status: number; type: string } | undefined;
  #inspect: ((chunk: Uint8Array) => void) | undefined;
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  readonly #chunks: Buffer[] = [];
  #hasEnded = false;

  constructor(reading: Reading) {
    this.#reading = reading;
    const { signal } = reading;
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort);
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#hasEnded) this.#disconnect();
  }

  onResponseStart(_controller: Controller, status: number, headers: ResponseHeaders): void {
    // Below 200 there is another one to come.
    if (status < 200 || this.#hasEnded) return;
    const { hostname, inspectAs, isWhole, resolve } = this.#reading;
    if (status >= 300 && status < 400) {
      this.#refuse(new OutboundError('redirect', `${hostname} responded with a redirect.`));
      return;
    }
    const encoding = headers['content-encoding'];
    if (encoding !== undefined && encoding !== 'identity') {
      const message = `${hostname} responded with a content coding that was not requested.`;
      this.#refuse(new OutboundError('encoding', message));
      return;
    }
    const type = String(headers['content-type'] ?? '');
    this.#head = { status, type };
    this.#inspect = inspectAs(type);
    if (isWhole(status, type)) return;
    const isBodyless = status === 204 || status === 205;
    resolve(new Response(isBodyless ? null : this.#toStream(), { status, headers: toHeaders(headers) }));
    if (!isBodyless) return;
    this.#end();
    // With 204, there is nothing to come.
    if (status === 205) this.#disconnect();
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    // undici's parser gives an empty part when it goes on.
    if (this.#hasEnded || chunk.length === 0) return;
    try {
      this.#inspect?.(chunk);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    if (this.#stream === undefined) {
      this.#chunks.push(chunk);
      return;
    }
    this.#stream.enqueue(chunk);
    if ((this.#stream.desiredSize ?? 0) <= 0) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#hasEnded || this.#head === undefined) return;
    const bytes = Buffer.concat(this.#chunks);
    this.#end();
    if (this.#stream !== undefined) this.#stream.close();
    else this.#reading.resolve({ ...this.#head, bytes });
  }

  onResponseError(_controller: Controller | undefined, error: unknown): void {
    const { hostname, signal, onBroken } = this.#reading;
    const failure = toOutboundError(error, hostname, this.#head === undefined ? signal : undefined);
    if (this.#head !== undefined && !this.#hasEnded) onBroken?.(failure, this.#head.status);
    this.#fail(failure);
  }

  /** Without waiting for undici, which waits for a connection first. */
  readonly #onAbort = (): void => {
    this.onResponseError(undefined, this.#reading.signal?.reason);
    this.#disconnect();
  };

  #toStream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      start: (stream) => {
        this.#stream = stream;
      },
      pull: () => this.#controller?.resume(),
      cancel: () => {
        this.#end();
        this.#disconnect();
      },
    });
  }

  #refuse(error: unknown): void {
    this.#fail(error);
    this.#disconnect();
  }

  #fail(error: unknown): void {
    if (this.#hasEnded) return;
    this.#end();
    if (this.#stream !== undefined) this.#stream.error(error);
    else this.#reading.reject(error);
  }

  #end(): void {
    this.#hasEnded = true;
    this.#chunks.length = 0;
    this.#reading.signal?.removeEventListener('abort', this.#onAbort);
  }

  #disconnect(): void {
    this.#controller?.abort(new Error('the response is not wanted any more'));
  }
}
