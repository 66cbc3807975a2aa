import { type Message, MessageType, parseMessage, type SubscribeMessage } from 'graphql-ws';
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
    const message = parseMessage(limitNesting(text));
    if (SERVER_MESSAGES.has(message.type)) return undefined;
    const { id, type, payload } = message as SubscribeMessage;
    return { id, type, payload };
  } catch {
    return undefined;
  }
}
