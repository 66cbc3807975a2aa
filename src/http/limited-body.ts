import { REQUEST_LIMITS } from '../limits/request-limits.ts';
import { HttpProblem } from './problem.ts';

/** Size limit of all request bodies, in bytes. */
export const MAX_BODY_BYTES = REQUEST_LIMITS.body.value;

/**
 * Reads the body of a request. Call it only after authorization, so that bodies of rejected requests are never read.
 *
 * @param incoming the Node request, if there is one: reading it directly is cheaper than through a web stream
 * @throws HttpProblem 413 if the body is larger than `MAX_BODY_BYTES`, without reading it if Content-Length says so; 400
 *   if the body is incomplete
 */
export async function readLimitedBody(
  request: Request,
  incoming?: AsyncIterable<Uint8Array>,
): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of incoming ?? ((request.body ?? []) as AsyncIterable<Uint8Array>)) {
      size += chunk.byteLength;
      if (size > MAX_BODY_BYTES) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    // The caller disconnected: a client error, not a gateway error.
    if (error instanceof HttpProblem) throw error;
    throw new HttpProblem(400, { message: 'The request body is incomplete.', code: 'VALIDATION_FAILED' });
  }
  return new Uint8Array(Buffer.concat(chunks, size));
}

/** JSON is UTF-8, whatever charset the header names (RFC 8259, section 8.1). @throws HttpProblem 400 if it is not */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const message = 'The body is not valid JSON: its bytes are not UTF-8.';
    throw new HttpProblem(400, { message, code: 'VALIDATION_FAILED' });
  }
}

function tooLarge(): HttpProblem {
  const message = `The body is larger than ${MAX_BODY_BYTES / 1_024} KiB.`;
  return new HttpProblem(413, { message, code: 'VALIDATION_FAILED' });
}
