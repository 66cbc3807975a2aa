import { expect, test } from 'vitest';
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

test('removes the longer value where one contains the other', () => {
  expect(scrub('secret-token-2 secret-token', 'secret-token', 'secret-token-2')).toBe('[removed] [removed]');
});

test('leaves short values and everything else', () => {
  const answer = { text: 'true, 7 chars', ['__proto__x']: 1 };
  expect(scrub(answer, 'true', '7 chars')).toEqual(answer);
  expect(scrub(answer)).toBe(answer);
});
