import { Socket } from 'node:net';
import pg from 'pg';
import type { Listener } from './database.ts';
import type { ServerSockets, SocketMark } from './server-sockets.ts';

const MIN_RETRY_MS = 100;
const MAX_RETRY_MS = 500;
/** Short, because a slow attempt may never finish, and a new attempt may find that the server is back. */
const ATTEMPT_TIMEOUT_MS = 3_000;
/** How often the connection is checked. TCP alone would not notice a lost peer for a long time. */
const HEARTBEAT_MS = 1_000;
const HEARTBEAT_TIMEOUT_MS = 2_000;
const GOODBYE_MS = 1_000;
/** How many heartbeats after an outage a connection from before is checked. Longer than a statement waits for locks. */
const BEATS_UNTIL_CHECK = 5;

/** A connection and its socket. */
interface Line {
  client: pg.Client;
  socket: Socket;
}

/**
 * A dedicated LISTEN connection outside the pool. Notifications are lost when their connection breaks, so it reconnects
 * when the connection breaks or stops responding, and after each reconnect tells the caller that notifications may have
 * been missed.
 *
 * It also detects, for the whole process, that the server has gone away silently. An unanswered heartbeat or connection
 * attempt marks the moment. If the server then answers the next attempt, or no socket at all hears from it, the answers
 * that the pool's connections have been waiting for since that moment will not arrive, and those connections are
 * dropped.
 *
 * A connection may also have received something after that moment, or been opened after it, and then been lost with the
 * others. So those that remain are watched until they receive something. One on which nothing happens for some
 * heartbeats, or that does not answer for as long, is dropped.
 *
 * @param sockets the sockets of the pool
 */
export function openListener(
  settings: pg.ClientConfig,
  channel: string,
  onNotify: (payload?: string) => void,
  sockets: Pick<ServerSockets, 'mark' | 'hasHeardSince' | 'dropSilentSince' | 'dropUnusedSince' | 'dropUnanswered'>,
): Listener {
  let line: Line | undefined;
  /** The connection that stopped responding, kept until its replacement is ready. */
  let former: Line | undefined;
  let isConnected = false;
  let isClosed = false;
  let retryMs = MIN_RETRY_MS;
  let timer: NodeJS.Timeout | undefined;
  /** What each socket had received when the server first failed to respond. */
  let doubt: SocketMark | undefined;
  /** The sockets that are watched, and how many heartbeats the server has answered since the mark. */
  let suspects: { mark: SocketMark; beats: number } | undefined;

  const conclude = (isBack: boolean): void => {
    former?.socket.destroy();
    former = undefined;
    if (doubt !== undefined && (isBack || !sockets.hasHeardSince(doubt))) {
      sockets.dropSilentSince(doubt);
      doubt = undefined;
      suspects = { mark: sockets.mark(), beats: 0 };
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

  const checkSuspects = (): void => {
    if (suspects === undefined) return;
    suspects.beats += 1;
    if (suspects.beats < BEATS_UNTIL_CHECK) return;
    const { mark } = suspects;
    suspects = undefined;
    // What has arrived together with the heartbeat's answer is read first.
    setImmediate(() => {
      const rest = sockets.dropUnusedSince(mark);
      if (rest.size > 0) suspects ??= { mark: rest, beats: 0 };
    });
  };

  const beat = (alive: Line): void => {
    timer = setTimeout(() => {
      const mark = sockets.mark();
      const late = setTimeout(() => {
        if (line !== alive) return;
        isConnected = false;
        // Keep the old connection until the new one is ready. A server that is only slow answers the heartbeat before
        // it accepts a new connection, and an answer that is late because this process was busy is read by then.
        former = alive;
        doubt ??= mark;
        connect();
      }, HEARTBEAT_TIMEOUT_MS);
      alive.client.query('SELECT 1').then(
        () => {
          clearTimeout(late);
          if (former === alive) doubt = undefined;
          if (line !== alive) return;
          checkSuspects();
          beat(alive);
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
    const giveUp = (): void => {
      if (line !== next || isConnected) return;
      doubt ??= mark;
      // Some may have received something after the first doubt, and nothing since.
      if (!sockets.hasHeardSince(mark)) sockets.dropSilentSince(mark);
      drop(next);
    };
    // What has arrived while this process was busy is read first.
    const late = setTimeout(() => setImmediate(giveUp), ATTEMPT_TIMEOUT_MS);
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
      // If the server does not respond, do not wait for it to acknowledge the close.
      const late = setTimeout(() => open.socket.destroy(), GOODBYE_MS);
      await open.client.end().catch(() => undefined);
      clearTimeout(late);
    },
  };
}
