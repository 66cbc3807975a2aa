import { CloseCode, MessageType } from 'graphql-ws';
import type { WSContext, WSEvents } from 'hono/ws';
import { WebSocket } from 'ws';
import type { Caches } from '../cache/caches.ts';
import { scrubDatabaseError } from '../data/database/database-error.ts';
import type { StreamLimits } from '../domain/feed/config-streams.ts';
import { createPlaces, type PlaceLimits, tooMany } from '../domain/feed/places.ts';
import { toClientNetwork } from '../domain/shares/client-network.ts';
import { CACHE_BOUNDS } from '../limits/cache-bounds.ts';
import { CONNECTION_LIMITS } from '../limits/connection-limits.ts';
import { viewerUserId } from '../policy/viewer.ts';
import type { Logger } from '../telemetry/logger.ts';
import { parseClientMessage } from './socket-message.ts';
import { createSocketOperations, type SocketCaller, type SocketOperationsOptions } from './socket-operations.ts';
import { createStrangerPlaces, type StrangerLimits, type StrangerPlace } from './stranger-places.ts';

/** A client that sends while this many bytes wait to be read by it is disconnected. */
const MAX_BUFFERED_BYTES = CONNECTION_LIMITS.socketBuffer.value;
/** Limits of connections without a credential in the handshake, until `connection_init` has one. */
const STRANGERS: StrangerLimits = {
  maxTotal: CACHE_BOUNDS.strangers.maxEntries,
  maxPerNetwork: CONNECTION_LIMITS.strangersPerNetwork.value,
};
/** Limit of messages of one connection in progress. A stream counts as one until it ends. */
const MAX_IN_PROGRESS = CONNECTION_LIMITS.socketMessages.value;
/** How long to wait for the client to answer a close frame. */
const CLOSE_TIMEOUT_MS = 2_000;

/** RFC 6455, section 7.4.1. */
const NORMAL = 1000;
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;
const INTERNAL_ERROR = 1011;
const TRY_AGAIN_LATER = 1013;
/** RFC 6455, section 5.5: a control frame has at most 125 bytes, two of them for the code. */
const MAX_REASON_BYTES = 120;

/** The dependencies and limits of WebSocket connections. */
export interface GraphQLSocketsOptions extends SocketOperationsOptions {
  /** Connections have the same limits as streams. */
  limits: PlaceLimits & Pick<StreamLimits, 'heartbeatMs'>;
  caches: Caches;
  log: Logger;
}

/** The WebSocket connections of a process. */
export type GraphQLSockets = ReturnType<typeof createGraphQLSockets>;

/** Manages all WebSocket connections of this process: counts and pings them, and drops clients that do not read. */
export function createGraphQLSockets({ log, limits, caches, ...options }: GraphQLSocketsOptions) {
  const server = createSocketOperations(options);
  const open = new Map<WebSocket, SocketCaller>();
  const alive = new WeakSet<WebSocket>();
  const places = createPlaces(limits);
  const strangers = caches.add(createStrangerPlaces(STRANGERS));
  let isClosing = false;
  let heartbeat: NodeJS.Timeout | undefined;

  /** Sends a close frame, then ends the connection if the client does not answer in time. */
  const close = (socket: WebSocket, code: number, reason: string): void => {
    // Truncation may split a character, which would be invalid UTF-8.
    const truncated = Buffer.from(reason)
      .subarray(0, MAX_REASON_BYTES)
      .toString()
      .replace(/\uFFFD+$/, '');
    socket.close(code, truncated);
    setTimeout(() => socket.terminate(), CLOSE_TIMEOUT_MS).unref();
  };

  /** Ends the connection at once, to make room for another one. */
  const evict = (socket: WebSocket): void => {
    socket.close(TRY_AGAIN_LATER, 'Others need the place: send connection_init sooner');
    setImmediate(() => socket.terminate());
  };

  /** Closes the connection if its caller is no longer authenticated, even if it is idle. */
  const closeIfUnauthenticated = async (socket: WebSocket, { findViewer }: SocketCaller): Promise<void> => {
    const viewer = await findViewer?.();
    if (viewer?.kind === 'nobody') close(socket, CloseCode.Unauthorized, 'Unauthorized');
  };

  const checkConnections = (): void => {
    for (const [socket, caller] of open) {
      if (!alive.delete(socket)) socket.terminate();
      else socket.ping();
      // If the database does not respond, the next heartbeat checks again.
      closeIfUnauthenticated(socket, caller).catch(() => undefined);
    }
  };

  const add = (socket: WebSocket, caller: SocketCaller): void => {
    open.set(socket, caller);
    alive.add(socket);
    socket.on('pong', () => alive.add(socket));
    heartbeat ??= setInterval(checkConnections, limits.heartbeatMs).unref();
    if (isClosing) close(socket, GOING_AWAY, 'Going away');
  };

  const remove = (socket: WebSocket): void => {
    open.delete(socket);
    if (open.size > 0) return;
    clearInterval(heartbeat);
    heartbeat = undefined;
  };

  const send = (socket: WebSocket, text: string): Promise<void> =>
    new Promise((resolve) => {
      // Messages that cannot be sent are dropped: the client reconnects and resumes from its cursor.
      if (socket.readyState === socket.OPEN) socket.send(text, () => resolve());
      else resolve();
    });

  /** Disconnects a client that sends without reading: its responses would fill the memory. */
  const isFlooding = (socket: WebSocket): boolean => {
    if (socket.bufferedAmount <= MAX_BUFFERED_BYTES) return false;
    socket.terminate();
    return true;
  };

  const logError = (error: unknown, message: string): void => log.error({ err: scrubDatabaseError(error) }, message);

  return {
    /** @throws RATE_LIMITED if there are too many connections */
    assertCapacity({ viewer, address }: Pick<SocketCaller, 'viewer' | 'address'>): void {
      const isStranger = viewerUserId(viewer) === undefined;
      if (isClosing || (isStranger && !strangers.hasRoom(toClientNetwork(address)))) throw tooMany();
    },

    /** Returns the event handlers of one connection. */
    handle({ viewer, address }: Pick<SocketCaller, 'viewer' | 'address'>): WSEvents<WebSocket> {
      let isClosed = false;
      let inProgress = 0;
      let stranger: StrangerPlace | undefined;
      let member: { userId: string; leave: () => void } | undefined;
      let receive: ((text: string) => Promise<void>) | undefined;
      let closed: ((code: number, reason: string) => Promise<void>) | undefined;
      const operations: SocketCaller['operations'] = new Map();
      const gone = new AbortController();

      return {
        onOpen(_event, { raw: socket }: WSContext<WebSocket>) {
          if (socket === undefined) return;
          const takeUserPlace = (userId: string): void => {
            if (member?.userId === userId) return;
            const leave = places.take(userId);
            member?.leave();
            stranger?.leave();
            member = { userId, leave };
          };
          const caller: SocketCaller = {
            viewer,
            address,
            operations,
            gone: gone.signal,
            beginAdmission: () => stranger?.speak(),
            admit(admitted) {
              // The connection may have closed during authentication.
              if (!isClosed) takeUserPlace(viewerUserId(admitted) ?? '');
            },
            close: (code, reason) => close(socket, code, reason),
          };
          add(socket, caller);
          try {
            const userId = viewerUserId(viewer);
            if (userId !== undefined) takeUserPlace(userId);
            else stranger = strangers.take(toClientNetwork(address), () => evict(socket));
          } catch (error) {
            close(socket, TRY_AGAIN_LATER, (error as Error).message);
            return;
          }
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
          // Messages after the close frame are ignored: their result could not be delivered.
          if (socket?.readyState !== WebSocket.OPEN || isFlooding(socket)) return;
          if (inProgress >= MAX_IN_PROGRESS) return close(socket, POLICY_VIOLATION, 'Too many messages in progress');
          const message = typeof data === 'string' ? parseClientMessage(data) : undefined;
          if (message === undefined) return close(socket, CloseCode.BadRequest, 'Invalid message received');
          // The library ends streams by itself, and lets everything else run to its end.
          if (message.type === MessageType.Complete) operations.get(message.id)?.stopped.abort();
          inProgress += 1;
          // The library also takes a parsed message, though its type does not say so.
          receive?.(message as unknown as string)
            .catch((error: unknown) => {
              logError(error, 'unexpected error while handling a WebSocket message');
              close(socket, INTERNAL_ERROR, 'Something went wrong in the gateway');
            })
            .finally(() => {
              inProgress -= 1;
            });
        },
        onClose({ code, reason }, { raw: socket }) {
          isClosed = true;
          gone.abort();
          if (socket !== undefined) remove(socket);
          stranger?.leave();
          member?.leave();
          const endings = [...operations.values()].map(({ stream }) => stream?.return?.());
          Promise.all([closed?.(code, reason), ...endings]).catch((error: unknown) =>
            logError(error, 'WebSocket cleanup failed'),
          );
        },
      };
    },

    /** Closes all connections, so that clients reconnect to another replica, and rejects new ones. */
    endAll(): void {
      isClosing = true;
      for (const socket of [...open.keys()]) close(socket, GOING_AWAY, 'Going away');
    },

    /** The number of open connections. */
    count: (): number => open.size,
  };
}
