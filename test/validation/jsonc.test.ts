import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJsonc } from '../../src/domain/validation/json-text.ts';

function parsed(text: string): unknown {
  const result = parseJsonc(text);
  if (!result.ok) throw new Error(result.problem.message);
  return result.value;
}

describe('JSON with comments', () => {
  test('reads all JSON as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parsed(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('refuses what JSON.parse refuses, except comments, trailing commas and a byte order mark', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"b"',
      '1',
      '-',
      '01',
      '1.5e3',
      'true',
      'nul',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        let expected: unknown;
        try {
          expected = JSON.parse(text.replace(/,(?=\s*[\]}])/g, ''));
        } catch {
          // A comma may be removed only after an entry.
          expect(parseJsonc(text).ok).toBe(false);
          return;
        }
        const result = parseJsonc(text);
        if (result.ok) expect(result.value).toEqual(expected);
        else expect(/[{[,]\s*,|"a".*"a"|"b".*"b"/.test(text)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test('accepts comments and trailing commas', () => {
    const text = `\ufeff// first
      { /* a , } */ "url": "https://x.example//not/*a comment*/", // after
        "list": [1, 2, /* last */ ], }
      // end`;
    expect(parsed(text)).toEqual({ url: 'https://x.example//not/*a comment*/', list: [1, 2] });
  });

  test('keeps __proto__ and constructor as ordinary names', () => {
    const value = parsed('{"__proto__": {"polluted": true}, "constructor": 1}') as object;
    expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test.each([
    ['an open object', '{\n  "a": 1', 2, 9],
    ['a missing comma', '{\n  "a": 1\n  "b": 2\n}', 3, 3],
    ['a bare word', '{"a": oops}', 1, 7],
    ['an open string', '{"a": "x\n"}', 1, 9],
    ['an unknown escape', '"\\x41"', 1, 2],
    ['an open comment', '{} /* never', 1, 4],
    ['a second value', '{}\n\n[]', 3, 1],
    ['a name that is there twice', '{\n "a": 1,\n "a": 2}', 3, 2],
    ['a comma alone', '[,]', 1, 2],
    ['nothing at all', '', 1, 1],
    ['an incomplete number', '[1.]', 1, 4],
    ['a no-break space', '[\u00a01]', 1, 2],
    ['depth without end', '['.repeat(5_000), 1, 102],
  ])('says where %s goes wrong', (_what, text, line, column) => {
    expect(parseJsonc(text)).toMatchObject({ ok: false, problem: { line, column } });
  });

  test('handles a megabyte of any text', () => {
    for (const piece of ['"', '\\', '/*', '[', '{"a":', '1', '//', '"\\u0041']) {
      expect(parseJsonc(piece.repeat(1_048_576 / piece.length)).ok).toBe(piece === '1');
    }
  });
});
