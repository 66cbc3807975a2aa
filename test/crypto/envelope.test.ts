import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeBoundText, encodeBoundText } from '../../src/crypto/bound-text.ts';
import { openEnvelope, type SealedPlace, sealEnvelope, sealWithSalt } from '../../src/crypto/envelope.ts';
import { MasterKey } from '../../src/crypto/master-key.ts';
import { OpenError, type OpenFailure } from '../../src/crypto/open-error.ts';
import { sealV1 } from '../setup/seal-v1.ts';

const key = new MasterKey(randomBytes(32));
const place: SealedPlace = { table: 'things', column: 'secret', rowId: 'row-1', ownerId: 'user-1' };
const anyText = fc.string({ unit: 'binary', size: 'medium' });
const anyPlace = fc.record({
  table: fc.string({ maxLength: 4 }),
  column: fc.string({ maxLength: 4 }),
  rowId: fc.string({ maxLength: 4 }),
  ownerId: fc.option(fc.string({ minLength: 1, maxLength: 4 }), { nil: undefined }),
});

/** The text, to be sent to one origin. */
function bind(text: string) {
  return { text, origins: ['https://mcp.example.com'] };
}

/** Why it cannot be decrypted, or `opened`. */
function tryOpen(text: string, options: { key?: MasterKey; place?: SealedPlace } = {}): OpenFailure | 'opened' {
  try {
    openEnvelope(options.key ?? key, text, options.place ?? place);
    return 'opened';
  } catch (error) {
    if (!(error instanceof OpenError)) throw error;
    return error.reason;
  }
}

function decode(sealed: string): Buffer {
  return Buffer.from(sealed.slice('v2:'.length), 'base64url');
}

function encode(bytes: Uint8Array): string {
  return `v2:${Buffer.from(bytes).toString('base64url')}`;
}

function flipBit(bytes: Uint8Array, bit: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return flipped;
}

function listBits(bytes: Uint8Array): number[] {
  return Array.from({ length: bytes.length * 8 }, (_, bit) => bit);
}

describe('a sealed text', () => {
  test('opens to the same text, whatever Unicode it has', () => {
    fc.assert(
      fc.property(anyText, (text) => openEnvelope(key, sealEnvelope(key, bind(text), place), place).text === text),
      { examples: [[''], ['\0'], ['\u{10ffff}'], ['\ufeffBOM'], ['a\r\nb']] },
    );
  });

  test('opens when it has 64 KB', () => {
    const text = '\u{1f510}'.repeat(16 * 1024);
    expect(Buffer.byteLength(text)).toBe(64 * 1024);
    expect(openEnvelope(key, sealEnvelope(key, bind(text), place), place)).toEqual(bind(text));
  });

  test('is different each time', () => {
    const seals = Array.from({ length: 100 }, () => sealEnvelope(key, bind('same'), place));
    expect(new Set(seals).size).toBe(100);
    expect(new Set(seals.map((sealed) => decode(sealed).subarray(32, 64).toString('hex'))).size).toBe(100);
  });

  test('is accepted by the database, even for an empty text', () => {
    expect(sealEnvelope(key, bind(''), place)).toMatch(/^v2:[A-Za-z0-9_-]{107,}$/);
  });

  test('is refused when half a surrogate pair would be lost', () => {
    expect(() => sealEnvelope(key, bind('a\ud800b'), place)).toThrow(TypeError);
  });

  test('needs a salt of full length', () => {
    expect(() => sealWithSalt(key, bind('text'), place, randomBytes(16))).toThrow(RangeError);
  });
});

describe('an altered value cannot be decrypted', () => {
  const sealed = sealEnvelope(key, bind('sk-0123456789abc'), place);
  const bytes = decode(sealed);

  test('with any bit of its text flipped', () => {
    const text = Buffer.from(sealed, 'latin1');
    const opened = listBits(text).filter((bit) => tryOpen(flipBit(text, bit).toString('latin1')) === 'opened');
    expect(opened).toEqual([]);
  });

  test('with any bit of salt, commitment, ciphertext or tag flipped', () => {
    for (const bit of listBits(bytes)) {
      expect(tryOpen(encode(flipBit(bytes, bit))), `bit ${bit}`).toBe(bit < 64 * 8 ? 'commitment' : 'tag');
    }
  });

  test.each(Array.from({ length: 16 }, (_, length) => length))('with a tag of %i bytes', (length) => {
    expect(tryOpen(encode(bytes.subarray(0, bytes.length - 16 + length)))).not.toBe('opened');
    const empty = decode(sealEnvelope(key, bind(''), place));
    expect(tryOpen(encode(empty.subarray(0, 64 + length)))).toBe('malformed');
  });

  test('with bytes added at the end or in the middle', () => {
    expect(tryOpen(encode(Buffer.concat([bytes, Buffer.alloc(1)])))).toBe('tag');
    expect(tryOpen(encode(Buffer.concat([bytes.subarray(0, 64), Buffer.alloc(16), bytes.subarray(64)])))).toBe('tag');
  });

  test.each([
    ['nothing', ''],
    ['plain text', 'sk-0123456789abc'],
    ['the prefix alone', 'v2:'],
    ['another version', sealed.replace('v2', 'v3')],
    ['a line break after it', `${sealed}\n`],
    ['a space before it', ` ${sealed}`],
    ['padding', `${sealed}=`],
    ['the other base64 alphabet', encode(Buffer.alloc(96, 0xff)).replaceAll('_', '/')],
  ])('when it is %s', (_, text) => {
    expect(tryOpen(text)).toBe('malformed');
  });

  test('with spare bits of the last character set', () => {
    // 97 bytes leave 4 spare bits in the last of 130 characters.
    const text = sealEnvelope(key, { text: 'x'.repeat(13), origins: [] }, place);
    const last = text.slice(-1);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const twin = text.slice(0, -1) + alphabet[alphabet.indexOf(last) + 1];
    expect(decode(twin)).toEqual(decode(text));
    expect(tryOpen(twin)).toBe('malformed');
  });
});

describe('the origins of a value', () => {
  const origin = fc.constantFrom('https://a.example', 'https://b.example:8443', 'http://[::1]', '', '\0\0\0\u0001');
  const content = fc.record({ text: fc.string({ maxLength: 6 }), origins: fc.array(origin, { maxLength: 4 }) });

  test('come back with it, sorted and once each', () => {
    fc.assert(
      fc.property(content, ({ text, origins }) => {
        const opened = openEnvelope(key, sealEnvelope(key, { text, origins }, place), place);
        expect(opened).toEqual({ text, origins: [...new Set(origins)].sort() });
      }),
    );
  });

  test('cannot be taken for a part of the text, or the text for a part of them', () => {
    const toKey = ({ text, origins }: { text: string; origins: string[] }) =>
      JSON.stringify([text, [...new Set(origins)].sort()]);
    fc.assert(
      fc.property(content, content, (left, right) => {
        expect(encodeBoundText(left).equals(encodeBoundText(right))).toBe(toKey(left) === toKey(right));
      }),
    );
  });

  test('are not lost by the name of the other format', () => {
    const old = sealV1(key, 'text', place);
    const present = sealEnvelope(key, bind('text'), place);
    expect(openEnvelope(key, old, place)).toEqual({ text: 'text', origins: null });
    expect(tryOpen(present.replace('v2:', 'v1:'))).toBe('commitment');
    expect(tryOpen(old.replace('v1:', 'v2:'))).toBe('commitment');
  });

  test('are refused when they are cut off', () => {
    const bytes = encodeBoundText({ text: '', origins: ['https://a.example'] });
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => decodeBoundText(bytes.subarray(0, length))).toThrow(OpenError);
    }
  });
});

describe('a value can be decrypted only in its own place', () => {
  test.each<[string, Partial<SealedPlace>]>([
    ['table', { table: 'others' }],
    ['column', { column: 'other' }],
    ['row', { rowId: 'row-2' }],
    ['owner', { ownerId: 'user-2' }],
    ['owner taken away', { ownerId: undefined }],
  ])('not in another %s', (_, change) => {
    expect(tryOpen(sealEnvelope(key, bind('text'), place), { place: { ...place, ...change } })).toBe('tag');
  });

  test('places do not collide when concatenated', () => {
    fc.assert(
      fc.property(anyPlace, anyPlace, (here, there) => {
        const isSame = JSON.stringify(Object.values(here)) === JSON.stringify(Object.values(there));
        expect(tryOpen(sealEnvelope(key, bind('text'), here), { place: there })).toBe(isSame ? 'opened' : 'tag');
      }),
      {
        examples: [
          [
            { table: 'ab', column: 'c', rowId: '', ownerId: undefined },
            { table: 'a', column: 'bc', rowId: '', ownerId: undefined },
          ],
          [
            { table: 'a', column: '', rowId: 'b', ownerId: undefined },
            { table: 'a', column: 'b', rowId: '', ownerId: undefined },
          ],
        ],
      },
    );
  });

  test('a wrong key is detected by the commitment', () => {
    expect(tryOpen(sealEnvelope(key, bind('text'), place), { key: new MasterKey(randomBytes(32)) })).toBe('commitment');
  });

  test('the failure reveals nothing of the value', () => {
    const sealed = sealEnvelope(key, bind('text'), place);
    const error = new OpenError('tag');
    expect(() => openEnvelope(key, sealed, { ...place, rowId: 'row-2' })).toThrow(error);
    expect(`${error.message} ${JSON.stringify(error)}`).not.toContain(sealed.slice(3, 20));
  });
});
