import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/**
 * A secret text. Logs, JSON, template strings and `inspect` show `[redacted]`; only `expose` returns the text.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Returns the text. Call it only where the secret is used, and do not store the result. */
  expose(): string {
    return this.#text;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.toPrimitive](): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
