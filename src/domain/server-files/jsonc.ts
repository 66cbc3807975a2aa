/** A syntax error. Positions start at 1; columns count UTF-16 code units. */
export interface JsoncProblem {
  line: number;
  column: number;
  /** What is wrong. It quotes nothing from the text, which may contain secrets. */
  message: string;
}

/** The parsed value, or the syntax error. */
export type JsoncResult = { ok: true; value: unknown } | { ok: false; problem: JsoncProblem };

/** The nesting limit, because the parser is recursive. Real files are not that deep. */
const MAX_DEPTH = 100;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);

class Mistake {
  readonly offset: number;
  readonly message: string;

  constructor(offset: number, message: string) {
    this.offset = offset;
    this.message = message;
  }
}

/**
 * Parses JSON (RFC 8259) as VS Code does: with `//` and block comments and trailing commas. A duplicate name in an
 * object is an error, because parsers disagree about which one counts (RFC 7493, section 2.3). Names such as
 * `__proto__` become plain properties.
 */
export function parseJsonc(text: string): JsoncResult {
  try {
    return { ok: true, value: new Reader(text).readAll() };
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    const before = text.slice(0, error.offset).split('\n');
    const problem = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, message: error.message };
    return { ok: false, problem };
  }
}

class Reader {
  readonly #text: string;
  #at: number;

  constructor(text: string) {
    this.#text = text;
    this.#at = text.startsWith('\ufeff') ? 1 : 0;
  }

  readAll(): unknown {
    const value = this.#readValue(0);
    if (this.#peek() !== undefined) throw this.#mistake('There is more than one value.');
    return value;
  }

  #readValue(depth: number): unknown {
    if (depth > MAX_DEPTH) throw this.#mistake('It is nested too deeply.');
    const character = this.#peek();
    if (character === '{') return this.#readObject(depth);
    if (character === '[') return this.#readArray(depth);
    if (character === '"') return this.#readString();
    const number = this.#match(NUMBER);
    if (number !== undefined) return Number(number);
    const word = this.#match(WORD);
    if (word !== undefined) return WORDS.get(word);
    throw this.#mistake('A value is expected here.');
  }

  #readObject(depth: number): unknown {
    const entries = new Map<string, unknown>();
    this.#at += 1;
    while (this.#peek() !== '}') {
      if (this.#peek() !== '"') throw this.#mistake('A name in double quotes is expected here.');
      const start = this.#at;
      const name = this.#readString();
      if (entries.has(name)) throw new Mistake(start, 'The object contains this name twice.');
      if (this.#peek() !== ':') throw this.#mistake('A ":" is expected here.');
      this.#at += 1;
      entries.set(name, this.#readValue(depth + 1));
      this.#readComma('}');
    }
    this.#at += 1;
    // Unlike an assignment, this makes "__proto__" a normal property.
    return Object.fromEntries(entries);
  }

  #readArray(depth: number): unknown[] {
    const values: unknown[] = [];
    this.#at += 1;
    while (this.#peek() !== ']') {
      values.push(this.#readValue(depth + 1));
      this.#readComma(']');
    }
    this.#at += 1;
    return values;
  }

  /** A trailing comma is allowed. */
  #readComma(end: '}' | ']'): void {
    const character = this.#peek();
    if (character === ',') this.#at += 1;
    else if (character !== end) throw this.#mistake(`A "," or "${end}" is expected here.`);
  }

  #readString(): string {
    const start = this.#at;
    this.#at += 1;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === '"') break;
      if (character === undefined || character < ' ') throw this.#mistake('A string is not closed.');
      if (character !== '\\') this.#at += 1;
      else if (this.#match(ESCAPE) === undefined) throw this.#mistake('A string has an unknown escape.');
    }
    this.#at += 1;
    return JSON.parse(this.#text.slice(start, this.#at)) as string;
  }

  /** The next character outside white space and comments. Undefined at the end. */
  #peek(): string | undefined {
    for (;;) {
      const character = this.#text[this.#at];
      if (character === ' ' || character === '\n' || character === '\r' || character === '\t') this.#at += 1;
      else if (this.#text.startsWith('//', this.#at)) this.#at = this.#endOf('\n') ?? this.#text.length;
      else if (this.#text.startsWith('/*', this.#at)) this.#skipBlockComment();
      else return character;
    }
  }

  #skipBlockComment(): void {
    const end = this.#text.indexOf('*/', this.#at + 2);
    if (end === -1) throw this.#mistake('A comment is not closed.');
    this.#at = end + 2;
  }

  #endOf(sought: string): number | undefined {
    const found = this.#text.indexOf(sought, this.#at);
    return found === -1 ? undefined : found + sought.length;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #mistake(message: string): Mistake {
    return new Mistake(this.#at, message);
  }
}
