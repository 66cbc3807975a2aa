import { HttpProblem } from './problem.ts';

/** Bodies larger than this are refused, whatever they hold. */
export const MAX_BODY_BYTES = 256 * 1_024;

/**
 * Reads a request's body. Call it once it is known that the caller may do what he asks for: nothing is read before.
 *
 * @param incoming the same request as Node has it, where there is one: reading that costs less than a stream around it
 * @throws HttpProblem 413 when it is larger than `MAX_BODY_BYTES`, at once where its length is announced
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
    // A caller who goes away in the middle is no fault of the gateway.
    if (error instanceof HttpProblem) throw error;
    throw new HttpProblem(400, { message: 'The body did not arrive whole.', code: 'VALIDATION_FAILED' });
  }
  return new Uint8Array(Buffer.concat(chunks, size));
}

/** RFC 8259, section 8.1: JSON is UTF-8, whatever charset the header names. @throws HttpProblem 400 for other bytes */
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
