import { Socket } from 'node:net';
import { constants } from 'node:os';

/** More than any statement, and any transaction that does nothing, is allowed by the server. */
const MAX_SILENCE_MS = 40_000;
const SWEEP_MS = 5_000;
/** A server that answers others does not let somebody who connects wait for so long. */
const MAX_UNANSWERED_MS = 1_000;

/** What each socket had heard at one moment. */
export type SocketMark = ReadonlyMap<Socket, number>;

/** The sockets of a pool. */
export type ServerSockets = ReturnType<typeof createServerSockets>;

/**
 * Knows the sockets of a pool, to end those whose other end is gone and did not say so: a host that lost its power, a
 * network that swallows everything. The driver would wait for an answer for as long as TCP sends again what it sent,
 * which is a quarter of an hour, and what it was asked for before would not come back to the pool until then.
 *
 * Whoever waits on a socket that is ended gets an error, and the pool forgets the connection.
 */
export function createServerSockets() {
  const sockets = new Map<Socket, { heard: number; since: number; openedAt: number }>();

  const drop = (socket: Socket): void => {
    const error = new Error('the database did not answer, and the connection was given up');
    // What TCP would say in the end: Prisma knows it.
    socket.destroy(Object.assign(error, { code: 'ETIMEDOUT', errno: -constants.errno.ETIMEDOUT, syscall: 'read' }));
  };

  const sweep = setInterval(() => {
    const now = performance.now();
    for (const [socket, state] of sockets) {
      if (socket.bytesRead !== state.heard) Object.assign(state, { heard: socket.bytesRead, since: now });
      else if (now - state.since > MAX_SILENCE_MS) drop(socket);
    }
  }, SWEEP_MS);
  sweep.unref();

  return {
    /** A new one, for the driver to connect. */
    open(): Socket {
      const socket = new Socket();
      const now = performance.now();
      sockets.set(socket, { heard: 0, since: now, openedAt: now });
      socket.once('close', () => sockets.delete(socket));
      return socket;
    },

    /** What they have heard until now. */
    mark: (): SocketMark => new Map([...sockets.keys()].map((socket) => [socket, socket.bytesRead])),

    /** Whether any has heard anything since. */
    hasHeardSince: (mark: SocketMark): boolean =>
      [...mark.keys(), ...sockets.keys()].some((socket) => socket.bytesRead > (mark.get(socket) ?? 0)),

    /** Ends those that have heard nothing since. */
    dropSilentSince(mark: SocketMark): void {
      for (const [socket, heard] of mark) if (socket.bytesRead === heard) drop(socket);
    },

    /** Ends those that wait for their first word, which others get. */
    dropUnanswered(): void {
      const before = performance.now() - MAX_UNANSWERED_MS;
      for (const [socket, { openedAt }] of sockets) if (socket.bytesRead === 0 && openedAt < before) drop(socket);
    },

    /** Ends all. */
    close(): void {
      clearInterval(sweep);
      for (const socket of sockets.keys()) socket.destroy();
    },
  };
}
