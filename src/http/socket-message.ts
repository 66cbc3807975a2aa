import { type Message, MessageType, parseMessage, type SubscribeMessage } from 'graphql-ws';
import { limitNesting } from './limit-nesting.ts';

/** What only servers send. The library throws an error for it, as it does for its own faults. */
const SERVER_MESSAGES: ReadonlySet<MessageType> = new Set([
  MessageType.ConnectionAck,
  MessageType.Next,
  MessageType.Error,
]);

/**
 * Parses a message of the protocol `graphql-transport-ws`. Undefined if a client must not send it. The library holds on to
 * the message until the operation ends, and would hold on to its text: only the known parts are left.
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
