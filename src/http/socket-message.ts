import { type Message, MessageType, parseMessage, type SubscribeMessage } from 'graphql-ws';
import type { DocumentParams } from '../graphql/trusted-documents/document-ids.ts';
import { limitNesting } from './limit-nesting.ts';

/** Message types that only servers send. The library throws for them, as it does for its own faults. */
const SERVER_MESSAGES: ReadonlySet<MessageType> = new Set([
  MessageType.ConnectionAck,
  MessageType.Next,
  MessageType.Error,
]);

/**
 * Parses a message of the protocol `graphql-transport-ws`. Undefined if a client must not send it. The library keeps
 * the message until the operation ends, so only the parts that it needs are left in it.
 */
export function parseClientMessage(text: string): Message | undefined {
  try {
    const message = parseMessage(withQuery(JSON.parse(limitNesting(text))));
    if (SERVER_MESSAGES.has(message.type)) return undefined;
    const { id, type, payload } = message as SubscribeMessage;
    return { id, type, payload };
  } catch {
    return undefined;
  }
}

/** The library wants a `query` in each operation. It is empty if the operation names its document instead. */
function withQuery(message: unknown): unknown {
  const { payload } = (message ?? {}) as { payload?: unknown };
  if (typeof payload !== 'object' || payload === null) return message;
  const { query, documentId, extensions } = payload as DocumentParams;
  const isNamed =
    documentId !== undefined || (extensions as { persistedQuery?: unknown } | null)?.persistedQuery !== undefined;
  if (isNamed && (query === undefined || query === null)) (payload as DocumentParams).query = '';
  return message;
}
