import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openCursor, sealCursor } from '../../src/crypto/cursor-seal.ts';
import { MasterKey } from '../../src/crypto/master-key.ts';

const key = new MasterKey(new Uint8Array(32).fill(7));
const other = new MasterKey(new Uint8Array(32).fill(8));
const purpose = { kind: 'feed', epoch: 'e', userId: 'u' };
const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const shared = { isUnique: false };
const unique = { isUnique: true };

test('known answers: a cursor of an earlier release opens', () => {
  const text = 'kNzN1PH74M6NMIXX_lZGf4pMTydHfTHudg';
  expect(sealCursor(key, purpose, bytes('position'), shared)).toBe(text);
  expect(openCursor(key, purpose, text)).toEqual(Buffer.from('position'));
  const once = 'QYJaprjxc4p_kdt1LrANGotBWCSk5Xw0OT0tFKDeZwyTftiEog';
  expect(openCursor(key, purpose, once)).toEqual(Buffer.from('position'));
});

test.each([shared, unique])('any position opens as it was sealed (%j)', (options) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (position) => {
      const text = sealCursor(key, purpose, position, options);
      expect(openCursor(key, purpose, text)).toEqual(Buffer.from(position));
    }),
    { numRuns: 200 },
  );
});

describe('a cursor does not open', () => {
  const text = sealCursor(key, purpose, bytes('position'), unique);

  test.each([
    ['with another key', other, purpose],
    ['of another kind', key, { ...purpose, kind: 'config' }],
    ['of another epoch', key, { ...purpose, epoch: 'f' }],
    ['of another user', key, { ...purpose, userId: 'v' }],
    ['with parts that join to the same text', key, { kind: 'feed","e', epoch: 'u', userId: '' }],
  ])('%s', (_name, used, asked) => {
    expect(openCursor(used, asked, text)).toBeUndefined();
  });

  test('when any bit of it is changed', () => {
    const sealed = Buffer.from(text, 'base64url');
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = Buffer.from(sealed);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(openCursor(key, purpose, changed.toString('base64url'))).toBeUndefined();
    }
  });

  test('when it is cut off or longer, for any text, and in another spelling', () => {
    for (let end = 0; end < text.length; end += 1) expect(openCursor(key, purpose, text.slice(0, end))).toBeUndefined();
    for (const each of [`${text}A`, `${text}=`, ` ${text}`, 'A'.repeat(100_000)]) {
      expect(openCursor(key, purpose, each)).toBeUndefined();
    }
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (any) => openCursor(key, purpose, any) === undefined));
  });
});

test('a unique cursor is different each time and shows no progress; a shared one is the same', () => {
  const seal = (position: string, options: typeof unique) => sealCursor(key, purpose, bytes(position), options);
  const texts = Array.from({ length: 50 }, () => seal('00000001', unique));
  expect(new Set(texts).size).toBe(50);
  expect(new Set([...texts, seal('99999999', unique)].map(({ length }) => length)).size).toBe(1);
  expect(seal('a', shared)).toBe(seal('a', shared));
  expect(seal('a', shared)).not.toBe(seal('b', shared));
});
