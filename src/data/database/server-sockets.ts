import { Socket } from 'node:net';
import { constants } from 'node:os';

/** Longer than the server allows any statement, or any idle transaction, to take. */
const MAX_SILENCE_MS = 40_000;
const SWEEP_MS = 5_000;
/** A server that answers other connections does not keep a new connection waiting this long. */
const MAX_UNANSWERED_MS = 1_000;

/** How many bytes each socket had received, and sent, at one moment. */
export type SocketMark = ReadonlyMap<Socket, { read: number; written: number }>;

/** The sockets of a pool. */
export type ServerSockets = ReturnType<typeof createServerSockets>;

/**
 * Tracks the sockets of a pool and closes those whose peer has gone away silently, after a power loss or behind a
 * network that drops all packets. Otherwise the driver would wait until TCP stops retransmitting, about fifteen
 * minutes, and the connection would not return to the pool until then.
 *
 * Callers waiting on a closed socket get an error, and the pool discards the connection.
 */
export function createServerSockets() {
  const sockets = new Map<Socket, { bytesRead: number; since: number; openedAt: number }>();

  const drop = (socket: Socket): void => {
    const error = new Error('the database did not respond, so the connection was closed');
    // The error that TCP would report in the end. Prisma recognises it.
    socket.destroy(Object.assign(error, { code: 'ETIMEDOUT', errno: -constants.errno.ETIMEDOUT, syscall: 'read' }));
  };

  const count = (socket: Socket) => ({ read: socket.bytesRead, written: socket.bytesWritten });

  const sweep = setInterval(() => {
    const now = performance.now();
    for (const [socket, state] of sockets) {
      if (socket.bytesRead !== state.bytesRead) Object.assign(state, { bytesRead: socket.bytesRead, since: now });
      else if (now - state.since > MAX_SILENCE_MS) drop(socket);
    }
  }, SWEEP_MS);
  sweep.unref();

  return {
    /** Creates a socket for the driver to connect. */
    open(): Socket {
      const socket = new Socket();
      const now = performance.now();
      sockets.set(socket, { bytesRead: 0, since: now, openedAt: now });
      socket.once('close', () => sockets.delete(socket));
      return socket;
    },

    /** Records how many bytes each socket has received and sent so far. */
    mark: (): SocketMark => new Map([...sockets.keys()].map((socket) => [socket, count(socket)])),

    /** Whether any socket has received data since the mark. */
    hasHeardSince: (mark: SocketMark): boolean =>
      [...mark.keys(), ...sockets.keys()].some((socket) => socket.bytesRead > (mark.get(socket)?.read ?? 0)),

    /** Closes the sockets that have received nothing since the mark. */
    dropSilentSince(mark: SocketMark): void {
      for (const [socket, { read }] of mark) if (socket.bytesRead === read) drop(socket);
    },

    /**
     * Closes the sockets that have neither received nor sent anything since the mark.
     *
     * @returns a new mark of those that have only sent something: an answer may still arrive
     */
    dropUnusedSince(mark: SocketMark): SocketMark {
      const silent = [...mark].filter(([socket, { read }]) => socket.bytesRead === read);
      for (const [socket, { written }] of silent) if (socket.bytesWritten === written) drop(socket);
      return new Map(silent.flatMap(([socket]) => (socket.destroyed ? [] : [[socket, count(socket)]])));
    },

    /** Closes the sockets that have received nothing at all although the server answers others. */
    dropUnanswered(): void {
      const before = performance.now() - MAX_UNANSWERED_MS;
      for (const [socket, { openedAt }] of sockets) if (socket.bytesRead === 0 && openedAt < before) drop(socket);
    },

    /** Closes all sockets. */
    close(): void {
      clearInterval(sweep);
      for (const socket of sockets.keys()) socket.destroy();
    },
  };
}
