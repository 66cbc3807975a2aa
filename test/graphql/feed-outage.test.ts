import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import type { StreamLimits } from '../../src/domain/feed/config-streams.ts';
import { openTestDatabase } from '../setup/database.ts';
import { openFeedCursors } from '../setup/feed-cursors.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createId, update } from './config-operations.ts';
import { openEvents } from './sse-client.ts';

/** The database that does not answer, if any. */
let down: Database | undefined;
/** Number of failed statements. */
let failures = 0;
const opened: { gateway: TestGateway; database: Database }[] = [];
/** Whose streams survive a short outage, and one whose streams survive none. */
let lasting: TestGateway;
let brittle: TestGateway;

beforeAll(async () => {
  lasting = await openGateway({ renewMs: 50, bookmarkMs: 50 });
  brittle = await openGateway({ renewMs: 50, maxOutageMs: 0 });
});
afterEach(() => {
  down = undefined;
});
afterAll(async () => {
  for (const { gateway, database } of opened) {
    await gateway.close();
    await database.close();
  }
});

async function openGateway(streamLimits: Partial<StreamLimits>): Promise<TestGateway> {
  const database = withOutages(await openTestDatabase());
  const gateway = await createTestGateway({ database, streamLimits });
  opened.push({ gateway, database });
  return gateway;
}

/** The same database, whose statements fail while it is down. */
function withOutages(opened: Database): Database {
  const { adapterFactory } = opened;
  const connect = adapterFactory.connect.bind(adapterFactory);
  adapterFactory.connect = async () => {
    const adapter = await connect();
    for (const method of ['queryRaw', 'executeRaw', 'startTransaction'] as const) {
      const run = adapter[method].bind(adapter) as (...args: unknown[]) => Promise<never>;
      adapter[method] = async (...args: unknown[]) => {
        if (down !== opened) return run(...args);
        failures += 1;
        throw new Error('canary: the server is gone');
      };
    }
    return adapter;
  };
  return opened;
}

test('a stream survives a short outage and sends nothing during it', async () => {
  const gateway = lasting;
  const stream = await openEvents(gateway, gateway.tokens.member);
  expect((await stream.nextOfAny())?.type).toBe('BOOKMARK');
  down = gateway.database;
  const before = failures;
  const next = stream.next();
  await expect.poll(() => failures).toBeGreaterThan(before + 2);
  down = undefined;
  const id = await createId(gateway, { enabled: true });
  expect(await next).toMatchObject({ type: 'ADDED', configId: id });
  expect(stream.errors).toEqual([]);
  await stream.close();
});

test('a stream fails after a longer outage without revealing the reason', async () => {
  const gateway = brittle;
  const stream = await openEvents(gateway, gateway.tokens.member);
  expect((await stream.nextOfAny())?.type).toBe('BOOKMARK');
  down = gateway.database;
  expect(await stream.next()).toBeUndefined();
  expect(stream.errors).toEqual(['INTERNAL_SERVER_ERROR']);
  expect(gateway.logs()).toContain('canary');
});

test('bookmarks arrive between changes that the viewer cannot see, so that their cursor stays fresh', async () => {
  const gateway = lasting;
  const hidden = await createId(gateway);
  const stream = await openEvents(gateway, gateway.tokens.member);
  const first = await stream.nextOfAny();
  let isWriting = true;
  const writing = (async () => {
    for (let count = 0; isWriting; count += 1) await update(gateway, hidden, { description: `${count}` });
  })();
  const cursors = await openFeedCursors(gateway, 'member');
  const revs = [cursors.read(first?.cursor).rev];
  while (revs.length < 5) {
    const event = await stream.nextOfAny();
    expect(event?.type).toBe('BOOKMARK');
    const { rev } = cursors.read(event?.cursor);
    if (rev > (revs.at(-1) ?? 0n)) revs.push(rev);
  }
  isWriting = false;
  await writing;
  await stream.close();
});
