import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { Caches } from '../cache/caches.ts';
import { CACHE_BOUNDS } from '../limits/cache-bounds.ts';
import { findCoding } from './content-coding.ts';
import type { HttpEnv } from './context.ts';

/** Shorter bodies are sent as they are. */
const LEAST_BYTES = 1_024;

/** Media types of answers that end. Streams of events are not among them. */
const ENCODED_TYPE = /^(?:application\/(?:[\w.-]+\+)?json|text\/(?:html|plain|markdown))\b/i;

/** Paths whose answers to GET have an entity tag. */
const TAGGED_PATH = /^\/(?:graphql$|api\/)/;

const compressors = {
  // The default of 11 takes forty times as long, for answers that are a tenth smaller.
  br: (body: Buffer) =>
    promisify(brotliCompress)(body, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_SIZE_HINT]: body.length },
    }),
  gzip: (body: Buffer) => promisify(gzip)(body),
};

/**
 * Compresses answers of over 1 KB for clients that accept it (RFC 9110, section 12.5.3), and answers a GET with 304 if
 * the client has the same already (section 13.1.2). A body that is sent again is compressed once.
 */
export function encodeAnswers(caches: Caches) {
  /** By coding and hash of the body. The value is empty for a body that was sent once: many are never sent again. */
  const encoded = caches.createMap<string, Uint8Array<ArrayBuffer>>(
    CACHE_BOUNDS.encodedAnswers,
    (key, bytes) => key.length + bytes.length,
  );

  const encode = async (coding: 'br' | 'gzip', hash: string, body: Buffer): Promise<Uint8Array<ArrayBuffer>> => {
    const key = `${coding} ${hash}`;
    const known = encoded.get(key);
    if (known !== undefined && known.length > 0) return known;
    const bytes = new Uint8Array(await compressors[coding](body));
    encoded.set(key, known === undefined ? new Uint8Array() : bytes);
    return bytes;
  };

  return createMiddleware<HttpEnv>(async (c, next) => {
    await next();
    const { method, path } = c.req;
    const { headers, status, body } = c.res;
    const isFinal = ENCODED_TYPE.test(headers.get('content-type') ?? '') && !headers.has('content-encoding');
    if (!isFinal || body === null || method === 'HEAD') return;
    const isTagged = method === 'GET' && status === 200 && TAGGED_PATH.test(path) && !headers.has('etag');
    headers.append('vary', 'Accept-Encoding');
    const coding = findCoding(c);
    if (coding === undefined && !isTagged) return;

    const content = Buffer.from(await c.res.arrayBuffer());
    const hash = createHash('sha256').update(content).digest('base64url');
    const tag = `W/"${hash.slice(0, 22)}"`;
    if (isTagged && matches(c, tag)) return replace(c, null, { status: 304, etag: tag });
    const isEncoded = coding !== undefined && content.length > LEAST_BYTES;
    const bytes = isEncoded ? await encode(coding, hash, content) : new Uint8Array(content);
    replace(c, bytes, {
      ...(isTagged && { etag: tag }),
      ...(isEncoded && { 'content-encoding': coding }),
    });
  });
}

/** Whether `If-None-Match` has the tag. Tags are compared weakly, as for every GET. */
function matches(c: Context<HttpEnv>, tag: string): boolean {
  const asked = c.req.header('if-none-match')?.split(',') ?? [];
  return asked.some((each) => each.trim() === '*' || each.trim().replace(/^(?:W\/)?/, 'W/') === tag);
}

function replace(
  c: Context<HttpEnv>,
  body: Uint8Array<ArrayBuffer> | null,
  { status, ...added }: { status?: number; etag?: string; 'content-encoding'?: string },
): void {
  const headers = new Headers(c.res.headers);
  headers.delete('content-length');
  if (body === null) headers.delete('content-type');
  for (const [name, value] of Object.entries(added)) headers.set(name, value);
  const response = new Response(body, { status: status ?? c.res.status, headers });
  // Else Hono adds the headers of the former response.
  c.res = undefined;
  c.res = response;
}
