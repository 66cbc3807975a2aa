import { promisify } from 'node:util';
import { brotliDecompress, unzip } from 'node:zlib';

/** `unzip` reads gzip and deflate (zlib). */
const DECODERS = {
  gzip: promisify(unzip),
  'x-gzip': promisify(unzip),
  deflate: promisify(unzip),
  br: promisify(brotliDecompress),
} as const;

/**
 * Decodes a response body. The gateway asks for no content coding, but some networks in front of servers compress anyway.
 * A body that expands to more than the limit is refused before it is expanded further.
 *
 * @param coding the `Content-Encoding` of the response (RFC 9110, section 8.4)
 * @param maxBytes limit of the decoded body, in bytes
 * @returns the failure: `encoding` for an unknown coding, several codings or a damaged body
 */
export async function decodeBody(
  bytes: Buffer<ArrayBuffer>,
  coding: string,
  maxBytes: number,
): Promise<Buffer<ArrayBuffer> | 'encoding' | 'size'> {
  const name = coding.trim().toLowerCase();
  if (name === '' || name === 'identity' || bytes.byteLength === 0) return bytes;
  if (!Object.hasOwn(DECODERS, name)) return 'encoding';
  try {
    return await DECODERS[name as keyof typeof DECODERS](bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    const isTooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    return isTooLarge ? 'size' : 'encoding';
  }
}
