import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { Caches } from '../cache/caches.ts';
import { findSupply, toBody } from '../graphql/supply-body.ts';
import { CACHE_BOUNDS } from '../limits/cache-bounds.ts';
import { type Coding, findCoding } from './content-coding.ts';
import type { HttpEnv } from './context.ts';
import { encodeEvents } from './encode-events.ts';
import { hasTag } from './entity-tag.ts';
import { noteSupply } from './send-supply.ts';
import { findWholeLength } from './whole-answer.ts';

/** Shorter bodies are sent as they are. */
const LEAST_BYTES = 1_024;

/** Media types of answers that end. */
const ENCODED_TYPE = /^(?:application\/(?:[\w.-]+\+)?json|text\/(?:html|plain|markdown))\b/i;

/** Answers of this path that are events are either made from a supply, or there as a whole. */
const GRAPH_PATH = '/graphql';
const EVENTS_TYPE = /^text\/event-stream\b/i;

/** Paths whose answers to GET have an entity tag. */
const TAGGED_PATH = /^\/(?:graphql$|api\/)/;

/** Larger bodies are compressed at the fastest setting: answers of tools have megabytes, and no processor share counts this. */
const LARGE_BYTES = 262_144;

const compressors = {
  // The default of 11 takes forty times as long, for answers that are a tenth smaller.
  br: (body: Buffer) =>
    promisify(brotliCompress)(body, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: body.length > LARGE_BYTES ? 1 : 4,
        [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
      },
    }),
  gzip: (body: Buffer) => promisify(gzip)(body, { level: body.length > LARGE_BYTES ? 1 : 6 }),
};

/**
 * Compresses answers of over 1 KB for clients that accept it (RFC 9110, section 12.5.3), and answers a GET with 304 if
 * the client has the same already (section 13.1.2). A body that is sent again is compressed once. Events of the graph are
 * compressed one by one.
 */
export function encodeAnswers(caches: Caches) {
  /** By coding and hash of the body. The value is empty for a body that was sent once: many are never sent again. */
  const encoded = caches.createMap<string, Uint8Array<ArrayBuffer>>(
    CACHE_BOUNDS.encodedAnswers,
    (key, bytes) => key.length + bytes.length,
  );

  const encode = async (coding: Coding, body: Buffer, isKept: boolean): Promise<Uint8Array<ArrayBuffer>> => {
    if (!isKept) return new Uint8Array(await compressors[coding](body));
    const key = `${coding} ${toHash(body)}`;
    const known = encoded.get(key);
    if (known !== undefined && known.length > 0) return known;
    const bytes = new Uint8Array(await compressors[coding](body));
    encoded.set(key, known === undefined ? new Uint8Array() : bytes);
    return bytes;
  };

  return createMiddleware<HttpEnv>(async (c, next) => {
    await next();
    const { method, path } = c.req;
    const isTaggable = method === 'GET' && TAGGED_PATH.test(path);
    const length = findWholeLength(c.res);
    const isShort = length !== undefined && length <= LEAST_BYTES;
    // The server's response class sends a body as it is, unless it is asked for: then it makes a stream of it, and makes its
    // headers anew.
    const isAsIs = length !== undefined && !isTaggable && (isShort || findCoding(c) === undefined);
    const isEmpty = !isAsIs && c.res.body === null;
    const { headers, status } = c.res;
    const type = headers.get('content-type') ?? '';
    const events = EVENTS_TYPE.test(type) && c.res.body !== null ? findSupply(c.res.body) : undefined;
    if (events !== undefined) {
      headers.append('vary', 'Accept-Encoding');
      const isEncoded = findCoding(c, ['gzip']) !== undefined;
      const supply = isEncoded ? encodeEvents(events) : events;
      if (isEncoded) replace(c, toBody(supply), { 'content-encoding': 'gzip' });
      noteSupply(c.res, supply);
      return;
    }
    // A whole answer as events: of a query, or a subscription that was refused.
    const isWholeEvents = path === GRAPH_PATH && EVENTS_TYPE.test(type);
    if (!(ENCODED_TYPE.test(type) || isWholeEvents) || headers.has('content-encoding') || isEmpty || method === 'HEAD')
      return;
    const isTagged = isTaggable && status === 200 && !headers.has('etag');
    headers.append('vary', 'Accept-Encoding');
    if (isAsIs) return;
    const coding = findCoding(c);
    if (coding === undefined && !isTagged) return;

    const content = Buffer.from(await c.res.arrayBuffer());
    const tag = isTagged ? { etag: `W/"${toHash(content).slice(0, 22)}"` } : undefined;
    if (tag !== undefined && hasTag(c.req.header('if-none-match'), tag.etag)) {
      return replace(c, null, { status: 304, ...tag });
    }
    if (coding === undefined || content.length <= LEAST_BYTES) return replace(c, new Uint8Array(content), { ...tag });
    // Pages are for one person, and may have a link that is.
    const isKept = !type.startsWith('text/html');
    return replace(c, await encode(coding, content, isKept), { ...tag, 'content-encoding': coding });
  });
}

function toHash(body: Buffer): string {
  return hash('sha256', body, 'base64url');
}

function replace(
  c: Context<HttpEnv>,
  body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null,
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
