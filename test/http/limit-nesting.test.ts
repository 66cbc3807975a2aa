// On the embedded database: it needs none.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limitNesting, MAX_NESTING } from '../../src/http/limit-nesting.ts';

const nest = (levels: number, inner = '') => `${'['.repeat(levels)}${inner}${']'.repeat(levels)}`;

test('JSON within the limit stays as it is', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 20 }), (text) => {
      expect(limitNesting(text)).toBe(text);
    }),
  );
  const deepest = nest(MAX_NESTING, '"[[[\\"{"');
  expect(limitNesting(deepest)).toBe(deepest);
});

test('what is nested deeper is null, and the rest stays', () => {
  const deep = nest(MAX_NESTING + 1_000, '"]]]", {"a": "}"}');
  const text = `{"before": [1, {"a": "]"}], "deep": ${deep}, "again": ${deep}, "after": "\\\\\\""}`;
  const limited = nest(MAX_NESTING - 1, 'null');
  expect(limitNesting(text)).toBe(
    `{"before": [1, {"a": "]"}], "deep": ${limited}, "again": ${limited}, "after": "\\\\\\""}`,
  );
  expect(limitNesting(nest(MAX_NESTING, '{"a": 1}, []'))).toBe(nest(MAX_NESTING, 'null, null'));
});

test('nothing is left that is nested deeper, whatever the text is', () => {
  const text = fc
    .array(fc.constantFrom('[', ']', '{', '}', '"', '\\', ':', ',', '1', nest(70), '['.repeat(70), ']'.repeat(70)))
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, (given) => {
      let depth = 0;
      for (const [token] of limitNesting(given).matchAll(/"(?:[^"\\]|\\.)*(?:"|\\?$)|[[\]{}]/g)) {
        if (token === '[' || token === '{') depth += 1;
        else if (!token.startsWith('"')) depth -= 1;
        expect(depth).toBeLessThanOrEqual(MAX_NESTING);
      }
    }),
  );
});
