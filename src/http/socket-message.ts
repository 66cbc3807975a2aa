import { type Message, MessageType, parseMessage } from 'graphql-ws';

/** What only servers send. The library throws an error for it, as it does for its own faults. */
const SERVER_MESSAGES: ReadonlySet<MessageType> = new Set([
  MessageType.ConnectionAck,
  MessageType.Next,
  MessageType.Error,
]);

/** Parses a message of the protocol `graphql-transport-ws`. Undefined if a client must not send it. */
export function parseClientMessage(text: string): Message | undefined {
  try {
    const message = parseMessage(text);
    return SERVER_MESSAGES.has(message.type) ? undefined : message;
  } catch {
    return undefined;
  }
}
