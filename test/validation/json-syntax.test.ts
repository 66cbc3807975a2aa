import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { locateSyntaxError } from '../../src/domain/validation/json-text.ts';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test.each([
  ['', 1, 1],
  ['  ', 1, 3],
  ['{', 1, 2],
  ['{a: 1}', 1, 2],
  ["{'a': 1}", 1, 2],
  ['{"a" 1}', 1, 6],
  ['{"a": 1,}', 1, 9],
  ['{"a": 1 "b": 2}', 1, 9],
  ['{"a": 01}', 1, 8],
  ['[1, 2', 1, 6],
  ['[1, ]', 1, 5],
  ['[}', 1, 2],
  ['{]', 1, 2],
  ['{"a": tru}', 1, 7],
  ['{"a": undefined}', 1, 7],
  ['"a\nb"', 1, 3],
  ['"a\\x"', 1, 3],
  ['"abc', 1, 5],
  ['1 2', 1, 3],
  ['[1.]', 1, 4],
  ['[\u00a01]', 1, 2],
  ['[/* c */ 1]', 1, 2],
  ['{\n  "a": [\n    1,\n    oops\n  ]\n}', 4, 5],
  ['[1]]', 1, 4],
])('the mistake in %j is at line %d, column %d', (text, line, column) => {
  expect(locateSyntaxError(text)).toEqual({ line, column });
});

describe('for any text', () => {
  /** JSON with some characters changed, which is sometimes still JSON. */
  const nearlyJson = fc
    .tuple(
      fc.json(),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(...'{}[]",:\\/ \n\t01-.eEtfnu\u0001', '')), { maxLength: 2 }),
    )
    .map(([json, changes]) =>
      changes.reduce((text, [at, character]) => {
        const index = at % (text.length + 1);
        return text.slice(0, index) + character + text.slice(index + 1);
      }, json),
    );

  test('a mistake is found exactly when the parser refuses the text', () => {
    fc.assert(
      fc.property(fc.oneof(nearlyJson, fc.string()), (text) => {
        expect(locateSyntaxError(text) === undefined).toBe(isJson(text));
      }),
      { numRuns: 3_000 },
    );
  });

  test('a control character is found where it is, or at the word that it breaks', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (json, at) => {
        const index = at % (json.length + 1);
        const column = locateSyntaxError(`${json.slice(0, index)}\u0001${json.slice(index)}`)?.column ?? 0;
        expect(column).toBeLessThanOrEqual(index + 1);
        // The longest words are an escape such as \u00e9 and "false".
        expect(column).toBeGreaterThanOrEqual(index + 1 - 5);
      }),
      { numRuns: 1_000 },
    );
  });
});

test('a deep or long text causes no problem', () => {
  expect(locateSyntaxError('['.repeat(200_000))).toEqual({ line: 1, column: 200_001 });
  expect(locateSyntaxError(`"${'a\\n'.repeat(80_000)}`)).toEqual({ line: 1, column: 240_002 });
});
