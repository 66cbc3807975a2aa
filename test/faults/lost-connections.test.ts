import { setTimeout as delay } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { startTcpProxy } from '../setup/tcp-proxy.ts';
import { waitUntil, within } from '../setup/wait-until.ts';

const serverUrl = inject('ownServerUrl') ?? '';
const POOL_SIZE = 4;
/** A heartbeat is sent within one second, and counts as unanswered after two more. */
const BETWEEN_MS = 1_500;
/** Shorter than the silence that ends any connection. */
const DROPPED_MS = 30_000;

test.runIf(serverUrl !== '')(
  'connections that are lost a moment after the listening one are dropped soon',
  async () => {
    const proxy = await startTcpProxy(Number(new URL(serverUrl).port));
    const proxied = new URL(serverUrl);
    proxied.port = String(proxy.port);
    const database = await openServerDatabase(proxied.href, { poolSize: POOL_SIZE });
    const listener = await database.listen('lost_connections', () => undefined);
    try {
      await waitUntil('the listener is connected', listener.isConnected, 10_000);
      const ask = (count: number) =>
        Promise.all(Array.from({ length: count }, () => database.query('SELECT pg_sleep(0.05)')));
      const listening = proxy.count() - 1;
      await ask(POOL_SIZE - 2);

      proxy.discardOnly([listening]);
      // What is received now comes after the moment that the heartbeat remembers, and so does the last connection.
      await delay(BETWEEN_MS);
      await ask(POOL_SIZE - 1);
      proxy.discard();
      const lost = Array.from({ length: POOL_SIZE - 1 }, () => database.query('SELECT 1'));
      proxy.pass();
      const slow = database.query('SELECT pg_sleep(3), 1 AS done');

      const results = await within('the lost connections are dropped', DROPPED_MS, Promise.allSettled(lost));
      expect(results.map(({ status }) => status)).toEqual(lost.map(() => 'rejected'));
      expect(await slow).toMatchObject([{ done: 1 }]);
      await within('the pool answers', DROPPED_MS, ask(POOL_SIZE));
      expect(listener.isConnected()).toBe(true);
    } finally {
      await listener.close();
      await database.close();
      await proxy.close();
    }
  },
);
