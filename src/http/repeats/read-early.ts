import { REQUEST_LIMITS } from '../../limits/request-limits.ts';
import type { Incoming } from './repeat-memory.ts';

/** Longer bodies are not read before the caller is known and has a place. */
const MAX_EARLY_BYTES = REQUEST_LIMITS.earlyBody.value;

/**
 * Reads a short body of a request whose caller is not known yet.
 *
 * @returns undefined, with nothing read, for a body that is long or of unknown length; undefined, too, if its sender has gone
 */
export async function readEarly(request: Request, incoming?: Incoming): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (incoming?.headers === undefined || incoming.on === undefined) {
    // In memory, or in a test that hands over only a part of what the server does.
    return incoming === undefined ? new Uint8Array(await request.arrayBuffer()) : undefined;
  }
  const length = Number(incoming.headers['content-length']);
  if (!(length <= MAX_EARLY_BYTES)) return undefined;
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    incoming.on?.('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on?.('end', () => resolve(new Uint8Array(Buffer.concat(chunks))));
    incoming.on?.('close', () => resolve(undefined));
  });
}
