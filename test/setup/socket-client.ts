import { once } from 'node:events';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { WebSocket } from 'ws';

/** A message of the protocol `graphql-transport-ws`. */
export interface SocketMessage {
  type: string;
  id?: string;
  payload?: any;
}

/** A hand-written WebSocket client for `/graphql`: for what a well-behaved client does not do. */
export interface RawSocket {
  send(message: SocketMessage | string | Buffer): void;
  /** The next message; undefined once the connection is closed. */
  next(): Promise<SocketMessage | undefined>;
  /** Sends connection_init and waits for the answer. */
  init(payload?: Record<string, unknown>): Promise<SocketMessage | undefined>;
  /** The code and reason with which the connection was closed. */
  closed: Promise<{ code: number; reason: string }>;
  socket: WebSocket;
}

/** Opens a connection. @throws Error with the status if the handshake is refused */
export async function openSocket(
  port: number,
  options: { headers?: Record<string, string>; path?: string; protocols?: string[] } = {},
): Promise<RawSocket> {
  const { headers, path = '/graphql', protocols = [GRAPHQL_TRANSPORT_WS_PROTOCOL] } = options;
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, {
    ...(headers !== undefined && { headers }),
  });
  const messages: SocketMessage[] = [];
  let wake: (() => void) | undefined;
  let isClosed = false;
  socket.on('message', (data) => {
    messages.push(JSON.parse(String(data)) as SocketMessage);
    wake?.();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => {
      isClosed = true;
      wake?.();
      resolve({ code, reason: String(reason) });
    });
  });
  socket.on('error', () => undefined);
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  const send: RawSocket['send'] = (message) =>
    socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  const next = async (): Promise<SocketMessage | undefined> => {
    while (messages.length === 0 && !isClosed) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return messages.shift();
  };
  return {
    socket,
    closed,
    send,
    next,
    init(payload) {
      send({ type: 'connection_init', ...(payload !== undefined && { payload }) });
      return next();
    },
  };
}

/** Closes a connection and waits until it is closed. */
export async function closeSocket({ socket }: RawSocket): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return;
  const closed = once(socket, 'close');
  socket.close();
  await closed;
}
