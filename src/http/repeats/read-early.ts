import type { IncomingMessage } from 'node:http';
import { REQUEST_LIMITS } from '../../limits/request-limits.ts';

/** Longer bodies are not read before the caller is known and has a place. */
const MAX_EARLY_BYTES = REQUEST_LIMITS.earlyBody.value;

const bodies = new WeakMap<object, Uint8Array<ArrayBuffer>>();

/**
 * Reads a short body of a request whose caller is not known yet.
 *
 * @param done gets the body in the same turn of the event loop in which it is complete; undefined, with nothing read, for a
 *   body that is long or of unknown length; undefined, too, if its sender has gone
 */
export function readEarly(incoming: IncomingMessage, done: (body: Uint8Array<ArrayBuffer> | undefined) => void): void {
  const length = Number(incoming.headers['content-length']);
  if (!(length <= MAX_EARLY_BYTES)) {
    done(undefined);
    return;
  }
  const chunks: Buffer[] = [];
  let isDone = false;
  const end = (body: Uint8Array<ArrayBuffer> | undefined): void => {
    if (isDone) return;
    isDone = true;
    if (body !== undefined) bodies.set(incoming, body);
    done(body);
  };
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => end(new Uint8Array(Buffer.concat(chunks))));
  // Who has gone is noticed by the code that reads the body otherwise.
  incoming.on('close', () => end(undefined));
}

/** The body of a request, if it was read early. */
export function findEarlyBody(incoming: object | undefined): Uint8Array<ArrayBuffer> | undefined {
  return incoming === undefined ? undefined : bodies.get(incoming);
}
