import { inspect } from 'node:util';

const REDACTED = '[redacted]';

/**
 * A secret text on its way through the gateway. Logs, JSON, template strings and `inspect` show `[redacted]`;
 * only `expose` gives the text.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text. Call it where the secret is used, and do not keep the result. */
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
