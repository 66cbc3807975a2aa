import type { ExecutionResult } from 'graphql';
import type { ChatVersions } from '../domain/chats/chat-service.ts';

/** A string with characters beyond Latin-1 needs two bytes for each. */
const CHARACTER_BYTES = 2;
/** What the id and the version of a chat need. */
const CHAT_BYTES = 250;

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
  /** The chats that it shows, too. Undefined if there are none. */
  readonly chats: ChatVersions | undefined;

  constructor(text: string, stamp?: string, chats?: ChatVersions) {
    // Not a method: Yoga calls it without an object.
    this.stringify = () => text;
    this.stamp = stamp;
    this.chats = chats === undefined || chats.size === 0 ? undefined : chats;
    this.bytes = CHARACTER_BYTES * text.length + CHAT_BYTES * (this.chats?.size ?? 0);
  }

  /** Parsed from the text, for WebSocket messages. */
  get data(): Record<string, unknown> {
    return (JSON.parse(this.stringify()) as { data: Record<string, unknown> }).data;
  }
}

/** Turns an answer into text, for the cache. An answer with errors is not cached and stays as it is. */
export function keepAnswer(result: ExecutionResult, stamp?: string, chats?: ChatVersions): ExecutionResult {
  if (result.errors !== undefined || result.data == null) return result;
  return new KeptAnswer(JSON.stringify(result), stamp, chats);
}
