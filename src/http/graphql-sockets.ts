import { CloseCode } from 'graphql-ws';
import type { WSContext, WSEvents } from 'hono/ws';
import { WebSocket } from 'ws';
import { scrubDatabaseError } from '../data/database/database-error.ts';
import type { StreamLimits } from '../domain/feed/config-streams.ts';
import { createPlaces, type PlaceLimits, tooMany } from '../domain/feed/places.ts';
import { viewerUserId } from '../policy/viewer.ts';
import type { Logger } from '../telemetry/logger.ts';
import {
  createSocketOperations,
  MAX_SOCKET_OPERATIONS,
  type SocketCaller,
  type SocketOperationsOptions,
} from './socket-operations.ts';

/** Who goes on sending while so many bytes wait for him does not read. */
const MAX_BUFFERED_BYTES = 4 * 1_024 * 1_024;
/** Connections whose caller is not known yet. */
const MAX_UNKNOWN = 2_000;
/** Messages of one connection that are being worked on: a stream is one as long as it lasts. */
const MAX_UNDER_WAY = 2 * MAX_SOCKET_OPERATIONS;
/** How long a client may take to say goodbye. */
const GOODBYE_MS = 2_000;

/** RFC 6455, section 7.4.1. */
const NORMAL = 1000;
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;
const INTERNAL_ERROR = 1011;
/** RFC 6455, section 5.5: a control frame has at most 125 bytes, two of them for the code. */
const MAX_REASON_BYTES = 120;

/** What connections work with. */
export interface GraphQLSocketsOptions extends SocketOperationsOptions {
  /** A connection may have a stream: there are as many at the most. */
  limits: PlaceLimits & Pick<StreamLimits, 'heartbeatMs'>;
  log: Logger;
}

/** The WebSocket connections of a process. */
export type GraphQLSockets = ReturnType<typeof createGraphQLSockets>;

/** Knows every WebSocket connection of the process: counts them, pings them, drops those that do not read. */
export function createGraphQLSockets({ log, limits, ...options }: GraphQLSocketsOptions) {
  const server = createSocketOperations(options);
  const open = new Map<WebSocket, SocketCaller>();
  const answering = new WeakSet<WebSocket>();
  const places = createPlaces(limits);
  let unknown = 0;
  let isOver = false;
  let heartbeat: NodeJS.Timeout | undefined;

  /** Says goodbye, and does not wait long for the answer. */
  const close = (socket: WebSocket, code: number, reason: string): void => {
    // Cut in the middle of a character, it would be no text.
    const cut = Buffer.from(reason)
      .subarray(0, MAX_REASON_BYTES)
      .toString()
      .replace(/\uFFFD+$/, '');
    socket.close(code, cut);
    setTimeout(() => socket.terminate(), GOODBYE_MS).unref();
  };

  /** Nobody keeps a connection, also where nothing is asked over it. */
  const endIfNobody = async (socket: WebSocket, { findViewer }: SocketCaller): Promise<void> => {
    const viewer = await findViewer?.();
    if (viewer?.kind === 'nobody') close(socket, CloseCode.Unauthorized, 'Unauthorized');
  };

  const beat = (): void => {
    for (const [socket, caller] of open) {
      if (!answering.delete(socket)) socket.terminate();
      else socket.ping();
      // A database that does not answer tells it another time.
      endIfNobody(socket, caller).catch(() => undefined);
    }
  };

  const add = (socket: WebSocket, caller: SocketCaller): void => {
    open.set(socket, caller);
    answering.add(socket);
    socket.on('pong', () => answering.add(socket));
    heartbeat ??= setInterval(beat, limits.heartbeatMs).unref();
    if (isOver) close(socket, GOING_AWAY, 'Going away');
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

  const fail = (error: unknown, message: string): void => log.error({ err: scrubDatabaseError(error) }, message);

  return {
    /** @throws RATE_LIMITED when there are too many connections */
    assertRoom(): void {
      if (isOver || unknown >= MAX_UNKNOWN) throw tooMany();
    },

    /** What happens on one connection. */
    handle({ viewer, address }: Pick<SocketCaller, 'viewer' | 'address'>): WSEvents<WebSocket> {
      let isClosed = false;
      let underWay = 0;
      let leave: (() => void) | undefined;
      let receive: ((text: string) => Promise<void>) | undefined;
      let closed: ((code: number, reason: string) => Promise<void>) | undefined;
      const operations: SocketCaller['operations'] = new Map();

      return {
        onOpen(_event, { raw: socket }: WSContext<WebSocket>) {
          if (socket === undefined) return;
          unknown += 1;
          const caller: SocketCaller = {
            viewer,
            address,
            operations,
            admit(admitted) {
              // He may be gone while it was found out who he is.
              if (isClosed) return;
              leave = places.take(viewerUserId(admitted) ?? '');
              unknown -= 1;
            },
            close: (code, reason) => close(socket, code, reason),
          };
          add(socket, caller);
          socket.on('ping', () => void isFlooding(socket));
          closed = server.opened(
            {
              protocol: socket.protocol,
              send: (text) => send(socket, text),
              close: (code = NORMAL, reason = '') => close(socket, code, reason),
              onMessage(take) {
                receive = take;
              },
            },
            caller,
          );
        },
        onMessage({ data }, { raw: socket }) {
          // What comes after the goodbye is not done: nobody would hear how it ended.
          if (socket?.readyState !== WebSocket.OPEN || isFlooding(socket)) return;
          if (typeof data !== 'string') return close(socket, CloseCode.BadRequest, 'Invalid message received');
          if (underWay >= MAX_UNDER_WAY) return close(socket, POLICY_VIOLATION, 'Too many messages at the same time');
          underWay += 1;
          receive?.(data)
            .catch((error: unknown) => {
              fail(error, 'unexpected error in a WebSocket message');
              close(socket, INTERNAL_ERROR, 'Something went wrong in the gateway');
            })
            .finally(() => {
              underWay -= 1;
            });
        },
        onClose({ code, reason }, { raw: socket }) {
          isClosed = true;
          if (socket !== undefined) remove(socket);
          if (leave === undefined) unknown -= 1;
          else leave();
          const endings = [...operations.values()].map((stream) => stream?.return?.());
          Promise.all([closed?.(code, reason), ...endings]).catch((error: unknown) =>
            fail(error, 'a WebSocket was not cleaned up'),
          );
        },
      };
    },

    /** Closes all of them, so that their clients go on elsewhere. New ones are refused. */
    endAll(): void {
      isOver = true;
      for (const socket of [...open.keys()]) close(socket, GOING_AWAY, 'Going away');
    },

    /** Connections that are open. */
    count: (): number => open.size,
  };
}
