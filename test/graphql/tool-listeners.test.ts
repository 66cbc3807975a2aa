import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { onServer, openTestDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { type ChangingServer, startChangingServer } from '../setup/mcp-servers.ts';
import { createReplica, type Replica } from '../setup/replica.ts';
import { createServerDatabase } from '../setup/server-databases.ts';
import { createId, update } from './config-operations.ts';

const HALF_A_MINUTE_MS = 30_000;

let gateway: TestGateway;
let upstream: ChangingServer;
let open: () => Promise<Database>;
const running = new Set<{ close(): Promise<void> }>();
const databases: Database[] = [];

/** Closes a gateway, or its replica. */
async function close(each: { close(): Promise<void> }): Promise<void> {
  running.delete(each);
  await each.close();
}

beforeAll(async () => {
  upstream = await startChangingServer();
  const url = onServer ? await createServerDatabase() : undefined;
  open = async (): Promise<Database> => {
    const database = url === undefined ? await openTestDatabase() : await openServerDatabase(url, { poolSize: 4 });
    databases.push(database);
    return database;
  };
  gateway = await createTestGateway({
    database: await open(),
    env: { GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8' },
    listsInBackground: true,
  });
  running.add(gateway);
});
afterAll(async () => {
  for (const each of running) await each.close();
  for (const database of databases) await database.close();
  await upstream?.close();
});

const define = (): Promise<string> => createId(gateway, { url: upstream.url, enabled: true });

const count = (method: string): number => upstream.seen.filter((each) => each.method === method).length;

/** As a member, who uses the list. */
async function readDescription(id: string, at: Pick<TestGateway, 'graphql'> | Replica = gateway): Promise<string> {
  const query = `{ mcpServerConfig(by: { id: "${id}" }) { tools { nodes { description } } } }`;
  const token = gateway.tokens.member;
  const { data } = await ('gateway' in at ? at.graphql(query, token) : at.graphql(query, { token }));
  return data.mcpServerConfig.tools.nodes[0]?.description;
}

test('a change that a server of 2026-07-28 tells is in the catalogue, long before the list is stale', async () => {
  const id = await define();
  await expect.poll(() => upstream.listeners()).toBe(1);
  expect(await readDescription(id)).toBe('first');
  upstream.describe('second');
  await expect.poll(() => readDescription(id)).toBe('second');
  expect(count('tools/list')).toBe(2);

  // Neither a change of a name nor one that only the gateway makes ends it; that the server is switched off does.
  await update(gateway, id, { displayName: 'Renamed' });
  expect(upstream.listeners()).toBe(1);
  await update(gateway, id, { enabled: false });
  await expect.poll(() => upstream.listeners()).toBe(0);
});

test('a server that ends the stream is heard again after a while, and listed for what it told nobody', async () => {
  upstream.describe('third', { isTold: false });
  const id = await define();
  await expect.poll(() => upstream.listeners()).toBe(1);
  const listed = count('tools/list');
  upstream.describe('fourth', { isTold: false });
  await upstream.hangUp();
  await expect.poll(() => upstream.listeners()).toBe(0);
  const asked = count('subscriptions/listen');
  expect(await readDescription(id)).toBe('third');
  const readLater = (): Promise<string> => {
    gateway.clock.advance(HALF_A_MINUTE_MS);
    return readDescription(id);
  };
  await expect.poll(readLater).toBe('fourth');
  expect(upstream.listeners()).toBe(1);
  expect([count('subscriptions/listen'), count('tools/list')]).toEqual([asked + 1, listed + 1]);
  await update(gateway, id, { enabled: false });
  await expect.poll(() => upstream.listeners()).toBe(0);
});

test('one replica hears a server, the next one when it closes, and then none', async () => {
  const id = await define();
  await expect.poll(() => upstream.listeners()).toBe(1);
  const asked = count('subscriptions/listen');
  if (onServer) {
    const other = await createReplica(gateway, await open(), { listsInBackground: true });
    running.add(other);
    const use = async (): Promise<number> => {
      gateway.clock.advance(HALF_A_MINUTE_MS);
      await readDescription(id, other);
      return upstream.listeners();
    };
    for (let times = 0; times < 3; times += 1) expect(await use()).toBe(1);
    expect(count('subscriptions/listen')).toBe(asked);
    await close(gateway);
    const useAndCount = () => use().then(() => count('subscriptions/listen'));
    await expect.poll(useAndCount).toBe(asked + 1);
    await expect.poll(() => upstream.listeners()).toBe(1);
    await close(other);
  } else await close(gateway);
  await expect.poll(() => upstream.listeners()).toBe(0);
});
