import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { generateMasterKey, MasterKey } from '../../src/crypto/master-key.ts';
import { parseMasterKeys } from '../../src/crypto/parse-master-keys.ts';

const good = generateMasterKey();
const NOT_RANDOM = 'is not random: make one with `gatehouse keys generate`';

test('keys are read in their order, with or without padding and spaces', () => {
  const second = generateMasterKey();
  const { keys, problems } = parseMasterKeys(` ${good} , ${second.replace('=', '')}`);
  expect(problems).toEqual([]);
  expect(keys.map((key) => key.digest)).toEqual(
    [good, second].map((text) => new MasterKey(Buffer.from(text, 'base64')).digest),
  );
});

test('a generated key is 32 bytes of base64, new each time', () => {
  expect(Buffer.from(good, 'base64')).toHaveLength(32);
  expect(generateMasterKey()).not.toBe(good);
});

describe('refused, by position and never by text:', () => {
  const spareBits = `${good.slice(0, 42)}${nextCharacter(good.charAt(42))}=`;
  test.each([
    ['nothing', '', 'is empty'],
    ['31 bytes', randomBytes(31).toString('base64'), 'has 31 bytes once decoded; it must have 32'],
    ['33 bytes', randomBytes(33).toString('base64'), 'has 33 bytes once decoded; it must have 32'],
    ['hexadecimal', randomBytes(32).toString('hex'), 'has 48 bytes once decoded; it must have 32'],
    ['a passphrase', 'correct horse battery staple', 'is not base64'],
    ['the URL alphabet', Buffer.alloc(32, 0xfb).toString('base64url'), 'is not base64'],
    ['bits to spare', spareBits, 'is not base64'],
    ['text in base64', Buffer.from('correct horse battery staple, ok').toString('base64'), NOT_RANDOM],
    ['hexadecimal text in base64', Buffer.from(randomBytes(16).toString('hex')).toString('base64'), NOT_RANDOM],
    ['zeros', Buffer.alloc(32).toString('base64'), NOT_RANDOM],
    ['a repeated pattern', Buffer.alloc(32, randomBytes(8)).toString('base64'), NOT_RANDOM],
    ['half of a key, twice', Buffer.alloc(32, randomBytes(16)).toString('base64'), NOT_RANDOM],
    ['counting', Buffer.from(Array.from({ length: 32 }, (_, i) => 240 + i)).toString('base64'), NOT_RANDOM],
    ['a duplicate', good, 'is the same as key 1'],
  ])('%s', (_, entry, reason) => {
    const { keys, problems } = parseMasterKeys(`${good},${entry}`);
    expect(problems).toEqual([`key 2 ${reason}`]);
    expect(keys).toHaveLength(1);
    if (entry !== '') expect(problems.join()).not.toContain(entry);
  });
});

test('all problems are reported at once', () => {
  const { keys, problems } = parseMasterKeys(`x,${good},,${good}`);
  expect(keys).toHaveLength(1);
  expect(problems.map((problem) => problem.slice(0, 5))).toEqual(['key 1', 'key 3', 'key 4']);
});

/** The last character before the padding has two bits to spare, which are zero in `character`. */
function nextCharacter(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  return alphabet.charAt(alphabet.indexOf(character) + 1);
}
