import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, inject, test } from 'vitest';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { createOwnDatabase } from '../setup/own-database.ts';
import { startTcpProxy } from '../setup/tcp-proxy.ts';
import { waitUntil } from '../setup/wait-until.ts';
import { askReplica } from './feed-reads.ts';
import { startReplicas } from './feed-replicas.ts';

const serverUrl = inject('ownServerUrl') ?? '';
/** More than a pool has connections. */
const WRITERS = 20;
/** How many transactions wait for one another when their replica is lost. */
const WAITING = 6;
const ANSWER_MS = 60_000;
const LOOK_EVERY_MS = 10;
/** By then, the database has processed what arrived before the loss. */
const SETTLED_MS = 1_000;

describe.runIf(serverUrl !== '')('writes of a replica that is lost while they wait in line', () => {
  const cases = [
    {
      what: 'a place among the servers',
      mutation: (id: number) =>
        `createMcpServerConfig(input: { displayName: "A", url: "https://a.example.com/", slug: "s-${id}" }) { id }`,
    },
    {
      what: 'the end of the audit log',
      mutation: (id: number) => `createUser(input: { email: "user-${id}@example.com" }) { user { id } }`,
    },
  ];
  test.each(cases)('never get what they wait for, so others soon do: $what', async ({ mutation }) => {
    const own = await createOwnDatabase(serverUrl);
    const proxy = await startTcpProxy(Number(new URL(own.url).port));
    const proxied = new URL(own.url);
    proxied.port = String(proxy.port);
    const replicas = await startReplicas([proxied.href, own.url]);
    const [lost = '', other = ''] = replicas.urls;
    const watcher = new pg.Client({ connectionString: own.url });
    const find = async (condition: string) => {
      const sql = `SELECT pid, now() AS at FROM pg_stat_activity WHERE datname = current_database() AND ${condition}`;
      return (await watcher.query<{ pid: number; at: Date }>(sql)).rows;
    };
    const findWaiting = () => find(`wait_event_type = 'Lock'`);
    let count = 0;
    const write = (replica: string) => {
      count += 1;
      return askReplica(replica, replicas.token, `mutation { ${mutation(count)} }`, ANSWER_MS);
    };
    let isLost = false;
    const writers = Array.from({ length: WRITERS }, async () => {
      while (!isLost) await write(lost).catch(() => delay(LOOK_EVERY_MS));
    });
    try {
      await watcher.connect();
      const areWaiting = async () => (await findWaiting()).length >= WAITING;
      await waitUntil('writes wait in line', areWaiting, ANSWER_MS, LOOK_EVERY_MS);
      isLost = true;
      proxy.discard();
      const waiting = await findWaiting();
      expect(waiting.length).toBeGreaterThan(1);
      const pids = waiting.map(({ pid }) => pid).join(', ');
      const settled = new Date((waiting[0]?.at.getTime() ?? 0) + SETTLED_MS).toISOString();

      // Behind them, in the line for the same locks.
      let isWritten = false;
      const written = write(other).finally(() => {
        isWritten = true;
      });
      written.catch(() => undefined);
      while (!isWritten) {
        const got = await find(`pid IN (${pids}) AND state = 'idle in transaction' AND state_change > '${settled}'`);
        expect(got).toEqual([]);
        await delay(LOOK_EVERY_MS);
      }
      await expect(written).resolves.toBeDefined();
    } finally {
      isLost = true;
      await watcher.end();
      await replicas.stop();
      await Promise.all(writers);
      await proxy.close();
      await own.drop();
    }
  });
});

test.runIf(serverUrl !== '')('a statement outside of a transaction that waits for too long is sent again', async () => {
  const own = await createOwnDatabase(serverUrl);
  const database = await openServerDatabase(own.url);
  const holder = new pg.Client({ connectionString: own.url });
  try {
    await holder.connect();
    await holder.query('CREATE TABLE counters (id int, value int); INSERT INTO counters VALUES (1, 0), (2, 0), (3, 0)');
    const adapter = await database.adapterFactory.connect();
    await holder.query('BEGIN; UPDATE counters SET value = 1');

    const increase = (id: number) => `UPDATE counters SET value = value + 1 WHERE id = ${id} RETURNING value`;
    const writes = [
      database.query(increase(1)),
      adapter.executeRaw({ sql: increase(2), args: [], argTypes: [] }),
      adapter.queryRaw({ sql: increase(3), args: [], argTypes: [] }),
    ];
    const attempts = new Set<unknown>();
    const areRepeated = async () => {
      const waiting = await database.query(
        `SELECT concat(pid, ' ', query_start) AS attempt FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      for (const { attempt } of waiting) attempts.add(attempt);
      return attempts.size >= 2 * writes.length;
    };
    await waitUntil('each is sent again', areRepeated, ANSWER_MS);
    await holder.query('COMMIT');
    await Promise.all(writes);
    expect(await database.query('SELECT DISTINCT value FROM counters')).toEqual([{ value: 2 }]);
  } finally {
    await holder.end();
    await database.close();
    await own.drop();
  }
});
