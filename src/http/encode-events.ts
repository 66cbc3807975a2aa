import { constants, crc32, deflateRawSync } from 'node:zlib';
import { NOTHING_YET, OVER, type Supply, type Taken } from '../domain/feed/supply.ts';

/** RFC 1952, section 2.3: deflate, no flags, no time, and no operating system in particular. */
const HEAD = new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/** A last block without data (RFC 1951, section 3.2.6). */
const LAST_BLOCK = new Uint8Array([3, 0]);

/** Each part is compressed once: a thousand subscribers share the same bytes. */
const blocks = new WeakMap<Uint8Array, Uint8Array>();

/**
 * Compresses events with gzip. Each part becomes a block of its own that refers to no other, so that it can be
 * read as soon as it comes, and is the same in every stream: a stream keeps a checksum and a length, and no compressor.
 */
export function encodeEvents(source: Supply<Uint8Array>): Supply<Uint8Array> {
  let checksum = 0;
  let length = 0;
  /** What is sent next, before any other part. */
  let next: Uint8Array | undefined = HEAD;
  let isOver = false;

  const encode = (taken: Taken<Uint8Array>): Taken<Uint8Array> => {
    if (taken === NOTHING_YET) return taken;
    if (taken === OVER) {
      isOver = true;
      return Buffer.concat([LAST_BLOCK, toTrailer(checksum, length)]);
    }
    // Of no bytes, `crc32` forgets what came before.
    if (taken.length > 0) checksum = crc32(taken, checksum);
    length += taken.length;
    return toBlock(taken);
  };

  return {
    take() {
      const bytes = next;
      next = undefined;
      if (bytes !== undefined) return bytes;
      if (isOver) return OVER;
      const taken = source.take();
      return taken instanceof Promise ? taken.then(encode) : encode(taken);
    },
    onReady: (callback) => source.onReady(callback),
    close() {
      isOver = true;
      source.close();
    },
  };
}

function toBlock(part: Uint8Array): Uint8Array {
  const known = blocks.get(part);
  if (known !== undefined) return known;
  // What the compressor returns is a view of 16 kB, which would last as long as the event.
  const block = new Uint8Array(deflateRawSync(part, { finishFlush: constants.Z_FULL_FLUSH }));
  blocks.set(part, block);
  return block;
}

/** The checksum and the length of what was compressed, modulo 2^32. */
function toTrailer(checksum: number, length: number): Uint8Array {
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(checksum, 0);
  trailer.writeUInt32LE(length % 2 ** 32, 4);
  return trailer;
}
