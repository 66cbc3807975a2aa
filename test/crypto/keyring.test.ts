import { createHash, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Keyring } from '../../src/crypto/keyring.ts';
import { MasterKey } from '../../src/crypto/master-key.ts';

const newKey = () => new MasterKey(randomBytes(32));

describe('a keyring', () => {
  test('encrypts with the first key and finds all keys', () => {
    const [first, second] = [newKey(), newKey()];
    const keyring = new Keyring([first, second]);
    expect(keyring.active).toBe(first);
    expect(keyring.find(first.digest)).toBe(first);
    expect(keyring.find(second.digest)).toBe(second);
    expect(keyring.find(newKey().digest)).toBeUndefined();
  });

  test('is never empty', () => {
    expect(() => new Keyring([])).toThrow(RangeError);
  });

  test('adds a decrypt-only key and promotes it later', () => {
    const [old, next] = [newKey(), newKey()];
    const keyring = new Keyring([old]);
    keyring.add(next);
    expect(keyring.active).toBe(old);
    keyring.promote(next.digest);
    expect(keyring.active).toBe(next);
    expect(keyring.keys).toEqual([old, next]);
  });

  test('does not promote a key that it does not have', () => {
    const keyring = new Keyring([newKey()]);
    expect(() => keyring.promote(newKey().digest)).toThrow(RangeError);
  });

  test('removes a decrypt-only key, never the active one', () => {
    const [active, other] = [newKey(), newKey()];
    const keyring = new Keyring([active, other]);
    keyring.remove(other.digest);
    keyring.remove(other.digest);
    expect(keyring.keys).toEqual([active]);
    expect(() => keyring.remove(active.digest)).toThrow(RangeError);
  });
});

describe('a master key', () => {
  const bytes = randomBytes(32);
  const key = new MasterKey(bytes);

  test('has 32 bytes', () => {
    expect(() => new MasterKey(randomBytes(31))).toThrow(RangeError);
    expect(() => new MasterKey(randomBytes(33))).toThrow(RangeError);
  });

  test('has a digest of its own, not the plain SHA-256 of its bytes', () => {
    expect(key.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(key.digest).toBe(new MasterKey(bytes).digest);
    expect(key.digest).not.toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  test('does not print its bytes, not even in a keyring', () => {
    const printed = [key, new Keyring([key]), { key }].flatMap((shown) => [
      inspect(shown, { depth: 9, showHidden: true }),
      JSON.stringify(shown),
      String(shown),
      JSON.stringify(Object.getOwnPropertyDescriptors(shown)),
    ]);
    for (const encoding of ['base64', 'hex', 'latin1'] as const) {
      expect(printed.join('\n')).not.toContain(bytes.toString(encoding));
    }
    expect(inspect(key)).toBe(`MasterKey(${key.digest})`);
  });

  test('derives different keys for each salt and use', () => {
    const salt = randomBytes(32);
    const derived = [
      key.deriveEnvelopeKeys(salt, 'one'),
      key.deriveEnvelopeKeys(salt, 'two'),
      key.deriveEnvelopeKeys(randomBytes(32), 'one'),
      new MasterKey(randomBytes(32)).deriveEnvelopeKeys(salt, 'one'),
    ].flatMap((keys) => [keys.encryptionKey, keys.commitment]);
    expect(derived.every((each) => each.length === 32)).toBe(true);
    expect(new Set(derived.map((each) => Buffer.from(each).toString('hex'))).size).toBe(8);
  });
});
