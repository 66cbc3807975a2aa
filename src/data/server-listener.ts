import { Socket } from 'node:net';
import pg from 'pg';
import type { Listener } from './database.ts';
import type { ServerSockets } from './server-sockets.ts';

const MIN_RETRY_MS = 100;
const MAX_RETRY_MS = 500;
/** Short, because an attempt that takes long may be lost: the next may find the server back. */
const ATTEMPT_TIMEOUT_MS = 3_000;
/** A connection that does not answer for so long is given up, whatever TCP thinks of it. */
const HEARTBEAT_MS = 1_000;
const HEARTBEAT_TIMEOUT_MS = 2_000;
const GOODBYE_MS = 1_000;

/** A connection, and what it goes over. */
interface Line {
  client: pg.Client;
  socket: Socket;
}

/**
 * One connection that does nothing but LISTEN, outside of the pool: a notification is lost with the connection that it
 * was for. It is opened anew when it breaks or does not answer, and each time the caller is told that he may have
 * missed something.
 *
 * It is also who notices that the server is gone without a word, for all: when it does not answer, and either the next
 * connection does before it, or the next does not come about at all, what the pool's connections wait for will not come
 * either.
 *
 * @param sockets of the pool
 */
export function openListener(
  settings: pg.ClientConfig,
  channel: string,
  onNotify: () => void,
  sockets: Pick<ServerSockets, 'mark' | 'dropSilentSince' | 'dropUnanswered'>,
): Listener {
  let line: Line | undefined;
  let isConnected = false;
  let isClosed = false;
  let retryMs = MIN_RETRY_MS;
  let timer: NodeJS.Timeout | undefined;
  /** Told how the attempt that is under way ended. */
  let onAttempted: (() => void) | undefined;

  const drop = (broken: Line): void => {
    if (line !== broken) return;
    line = undefined;
    isConnected = false;
    clearTimeout(timer);
    broken.socket.destroy();
    attempted();
    if (isClosed) return;
    timer = setTimeout(connect, retryMs * (0.5 + Math.random() / 2));
    retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
  };

  const attempted = (): void => {
    onAttempted?.();
    onAttempted = undefined;
  };

  const beat = (alive: Line): void => {
    timer = setTimeout(() => {
      const mark = sockets.mark();
      let isAnswered = false;
      const late = setTimeout(() => {
        if (line !== alive) return;
        isConnected = false;
        // It has until then: a server that is merely slow answers it before it serves a new connection, and what comes
        // late because this process was busy is read by then.
        onAttempted = () => {
          if (!isAnswered) sockets.dropSilentSince(mark);
          alive.socket.destroy();
        };
        connect();
      }, HEARTBEAT_TIMEOUT_MS);
      alive.client.query('SELECT 1').then(
        () => {
          isAnswered = true;
          clearTimeout(late);
          if (line === alive) beat(alive);
        },
        () => {
          clearTimeout(late);
          drop(alive);
        },
      );
    }, HEARTBEAT_MS);
  };

  const connect = (): void => {
    const socket = new Socket();
    const client = new pg.Client({ ...settings, stream: () => socket });
    const next = { client, socket };
    line = next;
    const late = setTimeout(() => drop(next), ATTEMPT_TIMEOUT_MS);
    client.on('error', () => drop(next));
    client.on('end', () => drop(next));
    client.on('notification', onNotify);
    client
      .connect()
      .then(() => client.query(`LISTEN ${pg.escapeIdentifier(channel)}`))
      .then(() => {
        if (line !== next) return;
        isConnected = true;
        retryMs = MIN_RETRY_MS;
        attempted();
        sockets.dropUnanswered();
        onNotify();
        beat(next);
      })
      .catch(() => drop(next))
      .finally(() => clearTimeout(late));
  };

  connect();
  return {
    isConnected: () => isConnected,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      attempted();
      const open = line;
      line = undefined;
      isConnected = false;
      if (open === undefined) return;
      // Where nobody answers nobody says goodbye.
      const late = setTimeout(() => open.socket.destroy(), GOODBYE_MS);
      await open.client.end().catch(() => undefined);
      clearTimeout(late);
    },
  };
}
