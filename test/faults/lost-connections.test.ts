import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import type { Database, Listener } from '../../src/data/database/database.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { startTcpProxy, type TcpProxy } from '../setup/tcp-proxy.ts';
import { waitUntil, within } from '../setup/wait-until.ts';

const serverUrl = inject('ownServerUrl') ?? '';
const POOL_SIZE = 4;
/** A heartbeat is sent within one second, and counts as unanswered after two more. */
const BETWEEN_MS = 1_200;
/** The connections from before are checked five seconds after the listening one is back. */
const BEFORE_CHECK_MS = 3_500;
/** Shorter than the silence that ends any connection. */
const RECOVERED_MS = 30_000;

describe.runIf(serverUrl !== '')('when the listening connection is lost', () => {
  let proxy: TcpProxy;
  let database: Database;
  let listener: Listener;
  /** How often the listening connection was opened. */
  let openings: number;

  const ask = (count: number, seconds = 0.05) =>
    Promise.all(Array.from({ length: count }, () => database.query('SELECT pg_sleep($1)', [seconds])));

  beforeEach(async () => {
    openings = 0;
    proxy = await startTcpProxy(Number(new URL(serverUrl).port));
    const proxied = new URL(serverUrl);
    proxied.port = String(proxy.port);
    database = await openServerDatabase(proxied.href, { poolSize: POOL_SIZE });
    listener = await database.listen('lost_connections', () => {
      openings += 1;
    });
    await waitUntil('the listener is connected', listener.isConnected, RECOVERED_MS);
    const listening = proxy.count() - 1;
    await ask(POOL_SIZE - 2);
    proxy.discardOnly([listening]);
    // What is received now comes after the moment that the heartbeat remembers, and so does the last connection.
    await delay(BETWEEN_MS);
    await ask(POOL_SIZE - 1);
  });
  afterEach(async () => {
    await listener.close();
    await database.close();
    await proxy.close();
  });

  test('those that are lost a moment later are dropped soon', async () => {
    proxy.discard();
    const lost = Array.from({ length: POOL_SIZE - 1 }, () => database.query('SELECT 1'));
    proxy.pass();
    const [results] = await Promise.all([
      within('the lost connections are dropped', RECOVERED_MS, Promise.allSettled(lost)),
      ask(1, 3),
    ]);
    expect(results.map(({ status }) => status)).toEqual(lost.map(() => 'rejected'));
    await within('the pool answers', RECOVERED_MS, ask(POOL_SIZE));
    expect(listener.isConnected()).toBe(true);
  });

  test('those that are lost a moment later are dropped in a lasting outage, too', async () => {
    proxy.discard();
    const lost = Array.from({ length: POOL_SIZE - 1 }, () => database.query('SELECT 1'));
    const results = await within('the lost connections are dropped', RECOVERED_MS, Promise.allSettled(lost));
    expect(results.map(({ status }) => status)).toEqual(lost.map(() => 'rejected'));
  });

  test('those that are lost while they are idle are dropped soon after they are used', async () => {
    proxy.discard();
    proxy.pass();
    await waitUntil('another one listens', () => openings > 1, RECOVERED_MS);
    await delay(BEFORE_CHECK_MS);
    const lost = Array.from({ length: POOL_SIZE - 1 }, () => database.query('SELECT 1'));
    const results = await within('the lost connections are dropped', RECOVERED_MS, Promise.allSettled(lost));
    expect(results.map(({ status }) => status)).toEqual(lost.map(() => 'rejected'));
  });

  test('the others answer what they are asked while they are watched', async () => {
    await waitUntil('another one listens', () => openings > 1, RECOVERED_MS);
    await delay(BEFORE_CHECK_MS);
    await ask(POOL_SIZE - 1, 4);
  });
});
