import type { WSContext, WSEvents } from 'hono/ws';
import type { WebSocket } from 'ws';
import { createPlaces, type PlaceLimits, tooMany } from '../domain/feed/places.ts';
import { viewerUserId } from '../policy/viewer.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createSocketOperations, type SocketCaller, type SocketOperationsOptions } from './socket-operations.ts';

/** Who does not answer a ping until the next one is gone, or takes nothing. */
const HEARTBEAT_MS = 12_000;
/** Who goes on sending while so many bytes wait for him does not read. */
const MAX_BUFFERED_BYTES = 4 * 1_024 * 1_024;
/** How long a client may take to say goodbye. */
const GOODBYE_MS = 2_000;

/** RFC 6455, section 7.4.1. */
const GOING_AWAY = 1001;
const BAD_REQUEST = 4400;
const INTERNAL_ERROR = 1011;

/** What connections work with. */
export interface GraphQLSocketsOptions extends SocketOperationsOptions {
  /** A connection may have a stream: there are as many at the most. */
  limits: PlaceLimits;
  log: Logger;
}

/** The WebSocket connections of a process. */
export type GraphQLSockets = ReturnType<typeof createGraphQLSockets>;

/** Knows every WebSocket connection of the process: counts them, pings them, drops those that do not read. */
export function createGraphQLSockets({ log, limits, ...options }: GraphQLSocketsOptions) {
  const server = createSocketOperations(options);
  const open = new Set<WebSocket>();
  const answering = new WeakSet<WebSocket>();
  const places = createPlaces(limits);
  let isOver = false;
  let heartbeat: NodeJS.Timeout | undefined;

  const beat = (): void => {
    for (const socket of open) {
      if (answering.delete(socket)) socket.ping();
      else socket.terminate();
    }
  };

  const add = (socket: WebSocket): void => {
    open.add(socket);
    answering.add(socket);
    socket.on('pong', () => answering.add(socket));
    heartbeat ??= setInterval(beat, HEARTBEAT_MS).unref();
    if (isOver) socket.close(GOING_AWAY, 'Going away');
  };

  const remove = (socket: WebSocket): void => {
    open.delete(socket);
    if (open.size > 0) return;
    clearInterval(heartbeat);
    heartbeat = undefined;
  };

  const send = (socket: WebSocket, text: string): Promise<void> =>
    new Promise((resolve) => {
      // What cannot be sent is lost with its connection: the client goes on by cursor over another.
      if (socket.readyState === socket.OPEN) socket.send(text, () => resolve());
      else resolve();
    });

  /** Whoever sends without reading what he is sent: his answers would pile up here. */
  const isFlooding = (socket: WebSocket): boolean => {
    if (socket.bufferedAmount <= MAX_BUFFERED_BYTES) return false;
    socket.terminate();
    return true;
  };

  return {
    /** @throws RATE_LIMITED when there are too many connections */
    assertRoom(): void {
      if (isOver || open.size >= limits.maxStreams) throw tooMany();
    },

    /** What happens on one connection. */
    handle({ viewer, address }: Pick<SocketCaller, 'viewer' | 'address'>): WSEvents<WebSocket> {
      let isClosed = false;
      let leave: (() => void) | undefined;
      let receive: ((text: string) => Promise<void>) | undefined;
      let closed: ((code: number, reason: string) => Promise<void>) | undefined;

      return {
        onOpen(_event, { raw: socket }: WSContext<WebSocket>) {
          if (socket === undefined) return;
          add(socket);
          socket.on('ping', () => void isFlooding(socket));
          closed = server.opened(
            {
              protocol: socket.protocol,
              send: (text) => send(socket, text),
              close: (code, reason) => socket.close(code, reason),
              onMessage(take) {
                receive = take;
              },
            },
            {
              viewer,
              address,
              admit(admitted) {
                leave = places.take(viewerUserId(admitted) ?? '');
                // He may be gone while it was found out who he is.
                if (isClosed) leave();
              },
              close: (code, reason) => socket.close(code, reason),
            },
          );
        },
        onMessage({ data }, { raw: socket }) {
          if (socket === undefined || isFlooding(socket)) return;
          if (typeof data !== 'string') return socket.close(BAD_REQUEST, 'Invalid message received');
          receive?.(data).catch((error: unknown) => {
            log.error({ err: error }, 'unexpected error in a WebSocket message');
            socket.close(INTERNAL_ERROR, 'Something went wrong in the gateway');
          });
        },
        onClose({ code, reason }, { raw: socket }) {
          isClosed = true;
          if (socket !== undefined) remove(socket);
          leave?.();
          closed?.(code, reason).catch((error: unknown) => log.error({ err: error }, 'a WebSocket was not cleaned up'));
        },
      };
    },

    /** Closes all of them, so that their clients go on elsewhere. New ones are refused. */
    endAll(): void {
      isOver = true;
      const last = [...open];
      for (const socket of last) socket.close(GOING_AWAY, 'Going away');
      setTimeout(() => {
        for (const socket of last) socket.terminate();
      }, GOODBYE_MS).unref();
    },

    /** Connections that are open. */
    count: (): number => open.size,
  };
}
