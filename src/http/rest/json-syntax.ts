/** A position in a text. Line and column start at 1; columns count UTF-16 code units. */
export interface TextPosition {
  line: number;
  column: number;
}

/** Numbers and literals. Strings are scanned by hand, because a pattern would backtrack over long ones. */
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const WHITE_SPACE = /[\t\n\r ]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'comma or end';

/**
 * Finds the first JSON syntax error (RFC 8259): the unexpected character, or the end of the text if it is incomplete.
 * Uses an explicit stack instead of recursion, so nesting depth is not limited.
 *
 * @returns undefined if the text is valid JSON
 */
export function locateSyntaxError(text: string): TextPosition | undefined {
  const offset = findSyntaxError(text);
  if (offset === undefined) return undefined;
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

function findSyntaxError(text: string): number | undefined {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  let at = 0;
  for (;;) {
    at = endOf(WHITE_SPACE, text, at) ?? at;
    const inside = open.at(-1);
    const character = text[at];
    if (expected === 'comma or end') {
      if (inside === undefined) return character === undefined ? undefined : at;
      if (character === ',') expected = inside === '{' ? 'key' : 'value';
      else if (character === closing(inside)) open.pop();
      else return at;
      at += 1;
    } else if (expected === 'colon') {
      if (character !== ':') return at;
      expected = 'value';
      at += 1;
    } else if (expected.endsWith('or end') && inside !== undefined && character === closing(inside)) {
      open.pop();
      expected = 'comma or end';
      at += 1;
    } else if (expected.startsWith('key') || character === '"') {
      const string = readString(text, at);
      if (!string.isComplete) return string.end;
      expected = expected.startsWith('key') ? 'colon' : 'comma or end';
      at = string.end;
    } else if (character === '{' || character === '[') {
      open.push(character);
      expected = character === '{' ? 'key or end' : 'value or end';
      at += 1;
    } else {
      const end = endOf(SCALAR, text, at);
      if (end === undefined) return at;
      expected = 'comma or end';
      at = end;
    }
  }
}

function closing(opening: '{' | '['): '}' | ']' {
  return opening === '{' ? '}' : ']';
}

/** The end of the match at exactly `start`; undefined if the pattern does not match there. */
function endOf(pattern: RegExp, text: string, start: number): number | undefined {
  pattern.lastIndex = start;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

/** The end of the string, or the position of the error in it. */
function readString(text: string, start: number): { isComplete: boolean; end: number } {
  if (text[start] !== '"') return { isComplete: false, end: start };
  let at = start + 1;
  for (;;) {
    const character = text[at];
    if (character === '"') return { isComplete: true, end: at + 1 };
    if (character === undefined || character < ' ') return { isComplete: false, end: at };
    const next = character === '\\' ? endOf(ESCAPE, text, at) : at + 1;
    if (next === undefined) return { isComplete: false, end: at };
    at = next;
  }
}
