import type { ExecutionResult } from 'graphql';

/** A string with characters beyond Latin-1 needs two bytes for each. */
const CHARACTER_BYTES = 2;

/**
 * A good answer, kept as the text that is sent. Its objects would need several times as much memory. Yoga sends what
 * `stringify` returns.
 */
export class KeptAnswer implements ExecutionResult {
  readonly stringify: () => string;
  /** An estimate of the memory that it needs. */
  readonly bytes: number;

  /** The state that it shows; undefined for an event. */
  readonly stamp: string | undefined;

  constructor(text: string, stamp?: string) {
    // Not a method: Yoga calls it without an object.
    this.stringify = () => text;
    this.stamp = stamp;
    this.bytes = CHARACTER_BYTES * text.length;
  }

  /** Parsed from the text, for WebSocket messages. */
  get data(): Record<string, unknown> {
    return (JSON.parse(this.stringify()) as { data: Record<string, unknown> }).data;
  }
}

/** Turns an answer into text, for the cache. An answer with errors is not cached and stays as it is. */
export function keepAnswer(result: ExecutionResult, stamp?: string): ExecutionResult {
  if (result.errors !== undefined || result.data == null) return result;
  return new KeptAnswer(JSON.stringify(result), stamp);
}
