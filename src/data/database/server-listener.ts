import { Socket } from 'node:net';
import pg from 'pg';
import type { Listener } from './database.ts';
import type { ServerSockets, SocketMark } from './server-sockets.ts';

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
 * It is also who notices that the server is gone without a word, for all. A heartbeat or an attempt to connect that is
 * not answered makes a doubt; when the server answers the next attempt, or nobody at all, what the pool's connections
 * have waited for since will not come.
 *
 * @param sockets of the pool
 */
export function openListener(
  settings: pg.ClientConfig,
  channel: string,
  onNotify: (payload?: string) => void,
  sockets: Pick<ServerSockets, 'mark' | 'hasHeardSince' | 'dropSilentSince' | 'dropUnanswered'>,
): Listener {
  let line: Line | undefined;
  /** One that did not answer, as long as the next is not there. */
  let former: Line | undefined;
  let isConnected = false;
  let isClosed = false;
  let retryMs = MIN_RETRY_MS;
  let timer: NodeJS.Timeout | undefined;
  /** What was heard when the server was first asked for what it did not answer. */
  let doubt: SocketMark | undefined;

  const conclude = (isBack: boolean): void => {
    former?.socket.destroy();
    former = undefined;
    if (doubt !== undefined && (isBack || !sockets.hasHeardSince(doubt))) {
      sockets.dropSilentSince(doubt);
      doubt = undefined;
    }
    if (isBack) sockets.dropUnanswered();
  };

  const drop = (broken: Line): void => {
    if (line !== broken) return;
    line = undefined;
    isConnected = false;
    clearTimeout(timer);
    broken.socket.destroy();
    conclude(false);
    if (isClosed) return;
    timer = setTimeout(connect, retryMs * (0.5 + Math.random() / 2));
    retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
  };

  const beat = (alive: Line): void => {
    timer = setTimeout(() => {
      const mark = sockets.mark();
      const late = setTimeout(() => {
        if (line !== alive) return;
        isConnected = false;
        // It has until the next is there: a server that is merely slow answers it before it serves a new connection,
        // and what comes late because this process was busy is read by then.
        former = alive;
        doubt ??= mark;
        connect();
      }, HEARTBEAT_TIMEOUT_MS);
      alive.client.query('SELECT 1').then(
        () => {
          clearTimeout(late);
          if (former === alive) doubt = undefined;
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
    const mark = sockets.mark();
    const late = setTimeout(() => {
      doubt ??= mark;
      drop(next);
    }, ATTEMPT_TIMEOUT_MS);
    client.on('error', () => drop(next));
    client.on('end', () => drop(next));
    client.on('notification', ({ payload }) => onNotify(payload));
    client
      .connect()
      .then(() => client.query(`LISTEN ${pg.escapeIdentifier(channel)}`))
      .then(() => {
        if (line !== next) return;
        isConnected = true;
        retryMs = MIN_RETRY_MS;
        conclude(true);
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
      former?.socket.destroy();
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
