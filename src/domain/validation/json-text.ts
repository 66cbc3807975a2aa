import { createScanner, type JSONScanner } from 'jsonc-parser';
import { FIELD_LIMITS } from '../../limits/field-limits.ts';

/** A syntax error. Positions start at 1; columns count UTF-16 code units. */
export interface JsonProblem {
  line: number;
  column: number;
  /** What is wrong. It quotes nothing from the text, which may contain secrets. */
  message: string;
}

/** The parsed value, or the first syntax error. */
export type JsonResult = { ok: true; value: unknown } | { ok: false; problem: JsonProblem };

/** `JSON` is RFC 8259. `JSONC` is what VS Code reads: also `//` and block comments, and trailing commas. */
type Dialect = 'JSON' | 'JSONC';

/** The nesting limit of JSONC. Real files are not that deep, and code that walks the value may be recursive. */
const MAX_DEPTH = FIELD_LIMITS.importNesting.value;

const WHITE_SPACE = /^[\t\n\r ]+$/;
/** A control character, or an escape: complete, or only its backslash if it is invalid. */
const CONTROL_OR_ESCAPE = /\p{Cc}|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})?/gu;

class SyntaxProblem {
  readonly offset: number;
  readonly message: string;

  constructor(offset: number, message: string) {
    this.offset = offset;
    this.message = message;
  }
}

/**
 * Parses JSON with comments and trailing commas. A duplicate name in an object is an error, because parsers disagree
 * about which one counts (RFC 7493, section 2.3). Names such as `__proto__` become plain properties.
 */
export function parseJsonc(text: string): JsonResult {
  return read(text, 'JSONC');
}

/**
 * Finds the first syntax error in JSON: the unexpected character, or the end of the text if it is incomplete. Nesting
 * depth is not limited.
 *
 * @returns undefined if the text is valid JSON
 */
export function locateSyntaxError(text: string): Pick<JsonProblem, 'line' | 'column'> | undefined {
  const result = read(text, 'JSON');
  return result.ok ? undefined : { line: result.problem.line, column: result.problem.column };
}

function read(text: string, dialect: Dialect): JsonResult {
  try {
    return { ok: true, value: new Reader(text, dialect).read() };
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    const before = text.slice(0, error.offset).split('\n');
    const problem = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, message: error.message };
    return { ok: false, problem };
  }
}

/** An object or array that is not closed yet. `name` is the last name in the object. */
type Container = { end: '}'; entries: Map<string, unknown>; name: string } | { end: ']'; items: unknown[] };

/** Builds the value from the scanner's tokens. It keeps a stack, because recursion would limit the depth. */
class Reader {
  readonly #text: string;
  readonly #dialect: Dialect;
  readonly #scanner: JSONScanner;
  readonly #open: Container[] = [];
  #expected: 'value' | 'name' | 'colon' | 'comma' = 'value';
  /** Whether the innermost container may also end here. */
  #mayEnd = false;
  #root: unknown;

  constructor(text: string, dialect: Dialect) {
    this.#text = text;
    this.#dialect = dialect;
    this.#scanner = createScanner(text);
    if (dialect === 'JSONC' && text.startsWith('\ufeff')) this.#scanner.setPosition(1);
  }

  read(): unknown {
    for (;;) {
      const token = this.#nextToken();
      const inside = this.#open.at(-1);
      if (this.#expected === 'comma' && inside === undefined) {
        if (token === '') return this.#root;
        throw this.#problem('There is more than one value.');
      }
      if (this.#mayEnd && token === inside?.end) this.#close(inside);
      else if (this.#expected === 'comma') this.#readComma(token, inside);
      else if (this.#expected === 'colon') this.#readColon(token);
      else if (this.#expected === 'name' && inside?.end === '}') this.#readName(token, inside);
      else this.#readValue(token);
    }
  }

  /** The text of the next token; empty at the end. Skips white space, and comments in JSONC. */
  #nextToken(): string {
    for (;;) {
      this.#scanner.scan();
      const start = this.#scanner.getTokenOffset();
      const token = this.#text.slice(start, this.#scanner.getPosition());
      const isComment = token.startsWith('//') || token.startsWith('/*');
      if (isComment && this.#dialect === 'JSONC') {
        if (this.#scanner.getTokenError() !== 0) throw this.#problem('A comment is not closed.');
      } else if (!WHITE_SPACE.test(token)) return token;
    }
  }

  #expect(next: 'value' | 'name' | 'colon' | 'comma', mayEnd: boolean): void {
    this.#expected = next;
    this.#mayEnd = mayEnd;
  }

  #readComma(token: string, inside: Container | undefined): void {
    if (token !== ',') throw this.#problem(`A "," or "${inside?.end}" is expected here.`);
    this.#expect(inside?.end === '}' ? 'name' : 'value', this.#dialect === 'JSONC');
  }

  #readColon(token: string): void {
    if (token !== ':') throw this.#problem('A ":" is expected here.');
    this.#expect('value', false);
  }

  #readName(token: string, inside: Container & { end: '}' }): void {
    if (!token.startsWith('"')) throw this.#problem('A name in double quotes is expected here.');
    inside.name = this.#readString(token);
    const isDuplicate = inside.entries.has(inside.name);
    if (isDuplicate && this.#dialect === 'JSONC') throw this.#problem('The object contains this name twice.');
    this.#expect('colon', false);
  }

  #readValue(token: string): void {
    if (this.#dialect === 'JSONC' && this.#open.length > MAX_DEPTH) throw this.#problem('It is nested too deeply.');
    if (token === '{') {
      this.#open.push({ end: '}', entries: new Map(), name: '' });
      this.#expect('name', true);
    } else if (token === '[') {
      this.#open.push({ end: ']', items: [] });
      this.#expect('value', true);
    } else if (token.startsWith('"')) this.#add(this.#readString(token));
    else if (/^-?\d/.test(token)) this.#add(this.#readNumber(token));
    else if (/^(?:true|false|null)$/.test(token)) this.#add(JSON.parse(token));
    else throw this.#problem('A value is expected here.');
  }

  #readString(token: string): string {
    if (this.#scanner.getTokenError() === 0) return this.#scanner.getTokenValue();
    // The scanner reads on after an error in a string, so search for the first one.
    for (const { 0: match, index } of token.matchAll(CONTROL_OR_ESCAPE)) {
      if (match === '\\') throw this.#problem('A string has an unknown escape.', index);
      if (match < ' ') throw this.#problem('A string is not closed.', index);
    }
    throw this.#problem('A string is not closed.', token.length);
  }

  #readNumber(token: string): number {
    if (this.#scanner.getTokenError() !== 0) throw this.#problem('A number is not complete.', token.length);
    return Number(token);
  }

  /** Adds a complete value to the innermost container. */
  #add(value: unknown): void {
    const inside = this.#open.at(-1);
    if (inside === undefined) this.#root = value;
    else if (inside.end === '}') inside.entries.set(inside.name, value);
    else inside.items.push(value);
    this.#expect('comma', true);
  }

  #close(inside: Container): void {
    this.#open.pop();
    // Unlike an assignment, Object.fromEntries makes "__proto__" a plain property.
    this.#add(inside.end === '}' ? Object.fromEntries(inside.entries) : inside.items);
  }

  #problem(message: string, offsetInToken = 0): SyntaxProblem {
    return new SyntaxProblem(this.#scanner.getTokenOffset() + offsetInToken, message);
  }
}
