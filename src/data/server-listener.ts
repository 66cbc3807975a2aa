import pg from 'pg';
import type { Listener } from './database.ts';

const MIN_RETRY_MS = 100;
const MAX_RETRY_MS = 2_000;
/** A connection that does not answer for so long is dead, whatever TCP thinks of it. */
const HEARTBEAT_MS = 2_000;
const HEARTBEAT_TIMEOUT_MS = 2_000;

/**
 * One connection that does nothing but LISTEN, outside of the pool: a notification is lost with the connection that it
 * was for. It is opened anew when it breaks or does not answer, and each time the caller is told that he may have
 * missed something.
 */
export function openListener(settings: pg.ClientConfig, channel: string, onNotify: () => void): Listener {
  let client: pg.Client | undefined;
  let isConnected = false;
  let isClosed = false;
  let retryMs = MIN_RETRY_MS;
  let timer: NodeJS.Timeout | undefined;

  const drop = (broken: pg.Client): void => {
    if (client !== broken) return;
    client = undefined;
    isConnected = false;
    clearTimeout(timer);
    // It may hang: nobody waits for its goodbye.
    broken.end().catch(() => undefined);
    if (isClosed) return;
    timer = setTimeout(connect, retryMs * (0.5 + Math.random() / 2));
    retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
  };

  const beat = (alive: pg.Client): void => {
    timer = setTimeout(() => {
      const late = setTimeout(() => drop(alive), HEARTBEAT_TIMEOUT_MS);
      alive.query('SELECT 1').then(
        () => {
          clearTimeout(late);
          if (client === alive) beat(alive);
        },
        () => {
          clearTimeout(late);
          drop(alive);
        },
      );
    }, HEARTBEAT_MS);
  };

  const connect = (): void => {
    const next = new pg.Client(settings);
    client = next;
    next.on('error', () => drop(next));
    next.on('end', () => drop(next));
    next.on('notification', onNotify);
    next
      .connect()
      .then(() => next.query(`LISTEN ${pg.escapeIdentifier(channel)}`))
      .then(() => {
        if (client !== next) return;
        isConnected = true;
        retryMs = MIN_RETRY_MS;
        onNotify();
        beat(next);
      })
      .catch(() => drop(next));
  };

  connect();
  return {
    isConnected: () => isConnected,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      const open = client;
      client = undefined;
      isConnected = false;
      await open?.end().catch(() => undefined);
    },
  };
}
