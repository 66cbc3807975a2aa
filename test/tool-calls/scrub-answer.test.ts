import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/crypto/secret.ts';
import { createScrub } from '../../src/domain/tool-calls/scrub-answer.ts';

const scrub = (value: unknown, ...sent: string[]) => createScrub(sent.map((each) => new Secret(each)))(value);

test('removes a token with and without its scheme, in texts and in names of fields', () => {
  const answer = {
    content: [{ type: 'text', text: 'You sent Bearer secret-token, that is secret-token.' }],
    structuredContent: { 'secret-token': ['x secret-token'], count: 2, none: null, yes: true },
  };
  expect(scrub(answer, 'Bearer secret-token')).toEqual({
    content: [{ type: 'text', text: 'You sent [removed], that is [removed].' }],
    structuredContent: { '[removed]': ['x [removed]'], count: 2, none: null, yes: true },
  });
});

test('removes a value as JSON writes it', () => {
  const value = 'with "quotes" \\ in it';
  expect(scrub(JSON.stringify({ seen: value }), value)).toBe('{"seen":"[removed]"}');
});

const ODD = 'key/with+odd ?&=~"characters"';
const FORMS: [string, (value: string) => string][] = [
  ['Base64', (value) => Buffer.from(value).toString('base64')],
  ['Base64 after one byte', (value) => Buffer.from(`:${value}!`).toString('base64')],
  ['Base64 after two bytes', (value) => Buffer.from(`a:${value}!!`).toString('base64')],
  ['Base64 for URLs', (value) => Buffer.from(`{"sent":${JSON.stringify([value])}}`).toString('base64url')],
  ['hexadecimal digits', (value) => Buffer.from(value).toString('hex')],
  ['capital hexadecimal digits', (value) => Buffer.from(value).toString('hex').toUpperCase()],
  ['a part of a URL', encodeURIComponent],
  [
    'a part of a URL, with small letters',
    (value) => encodeURIComponent(value).replace(/%../g, (code) => code.toLowerCase()),
  ],
  ['a form', (value) => new URLSearchParams({ sent: value }).toString()],
  ['JSON', (value) => JSON.stringify({ sent: value })],
  ['JSON with escaped slashes', (value) => JSON.stringify({ sent: value }).replaceAll('/', '\\/')],
];

describe.each(['ghp_1234567890abcdef', 'eyJhbGciOi.J9~-_.sig/+==', ODD])('the value %s', (value) => {
  test.each(FORMS)('is removed as %s, with and without its scheme', (_form, encode) => {
    for (const sent of [value, `Bearer ${value}`]) {
      for (const seen of [encode(value), encode(sent)]) {
        const { text } = scrub({ text: `before ${seen} after` }, sent) as { text: string };
        expect(text).toMatch(/^before .*\[removed\].* after$/);
        // What stands around it is left, and in Base64 less than a byte of each end.
        const around = 'before  after'.length + encode('').length + seen.length - encode(value).length;
        const left = text.replace('[removed]', '');
        expect(left.length, left).toBeLessThan(around + 8);
      }
    }
  });
});

test('removes user and password of Basic', () => {
  const sent = `Basic ${Buffer.from('somebody:secret-password').toString('base64')}`;
  expect(scrub(`${sent} somebody:secret-password secret-password`, sent)).toBe('[removed] [removed] [removed]');
});

test('leaves values that are not the ones that were sent', () => {
  const other = FORMS.map(([, encode]) => encode('ghp_1234567890abcdeX'));
  expect(scrub(other, 'ghp_1234567890abcdef', 'Bearer ghp_1234567890abcdef')).toEqual(other);
});

test('removes the longer value where one contains the other', () => {
  expect(scrub('secret-token-2 secret-token', 'secret-token', 'secret-token-2')).toBe('[removed] [removed]');
});

test('leaves short values and everything else', () => {
  const answer = { text: 'true, 7 chars', ['__proto__x']: 1 };
  expect(scrub(answer, 'true', '7 chars')).toEqual(answer);
  expect(scrub(answer)).toBe(answer);
});
