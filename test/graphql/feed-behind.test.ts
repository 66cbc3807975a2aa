import { createGatehouseClient } from 'mcp-gatehouse-client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { onServer } from '../setup/database.ts';
import { openFeedCursors } from '../setup/feed-cursors.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createReplica, type Replica } from '../setup/replica.ts';
import { createServerDatabase } from '../setup/server-databases.ts';
import { createId, update } from './config-operations.ts';
import { openEvents } from './sse-client.ts';

// Only one process can open the embedded database.
describe.runIf(onServer)('at a replica that lags behind', () => {
  let first: TestGateway;
  let behind: Replica;
  const databases: Awaited<ReturnType<typeof openServerDatabase>>[] = [];

  beforeAll(async () => {
    const url = await createServerDatabase();
    for (let index = 0; index < 2; index += 1) databases.push(await openServerDatabase(url));
    const [one, two] = databases;
    if (one === undefined || two === undefined) throw new Error('there are two');
    first = await createTestGateway({ database: one });
    // It expects notifications, and its timer for polling stands still.
    const listen = async () => ({ isConnected: () => true, close: async () => undefined });
    // Bookmarks of the clock would come too late.
    vi.useFakeTimers({ toFake: ['setInterval'] });
    behind = await createReplica(first, { ...two, listen }, { streamLimits: { bookmarkMs: 3_600_000 } });
    vi.useRealTimers();
  });
  afterAll(async () => {
    await behind?.close();
    await first?.close();
    for (const database of databases) await database.close();
  });

  test('who made a change elsewhere can wait for it', async () => {
    const id = await createId(first, { description: 'Before.' });
    const readAt = async () =>
      (await behind.graphql(`{ mcpServerConfig(id: "${id}") { description } }`, first.tokens.admin)).data
        .mcpServerConfig?.description;
    const client = createGatehouseClient({
      url: `${first.config.publicUrl}/graphql`,
      token: first.tokens.admin,
      fetch: async (url, init) => behind.gateway.app.fetch(new Request(String(url), init)),
    });
    const change = async (description: string): Promise<string> => {
      const query = `mutation { updateMcpServerConfig(input: { id: "${id}", description: "${description}" }) { feedCursor } }`;
      return (await first.graphql(query, { token: first.tokens.admin })).data.updateMcpServerConfig.feedCursor;
    };
    await client.waitFor(await change('Now.'));
    expect(await readAt()).toBe('Now.');
    const last = await change('Later.');
    // It does lag behind.
    expect(await readAt()).toBe('Now.');
    await client.waitFor(last);
    expect(await readAt()).toBe('Later.');
    // It is there already: a bookmark comes at once.
    await client.waitFor(last);
    // Nobody waits for what is no place in the feed.
    await expect(client.waitFor('nowhere')).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
  });

  test('a stream that was cut off during its snapshot does not go back', async () => {
    const ids = (await Promise.all([1, 2, 3].map(() => createId(first, { enabled: true })))).sort();
    const door = {
      ...first,
      fetch: async (path: string, init?: RequestInit) =>
        behind.gateway.app.fetch(new Request(new URL(path, first.config.publicUrl), init)),
    };
    const cursors = await openFeedCursors(first, 'member');
    for (let round = 0; round < 5; round += 1) {
      await behind.graphql('{ mcpServerConfigs { totalCount } }', first.tokens.member);
      const [killed = ''] = ids;
      await update(first, killed, { enabled: true, description: `harmless ${round}` });
      await update(first, killed, { enabled: false, description: `killed ${round}` });
      const begun = await openEvents(first, first.tokens.member, { includeInitial: true });
      const event = await begun.nextOfAny();
      await begun.close();
      const { rev } = cursors.read(event?.cursor);
      const stream = await openEvents(door, first.tokens.member, { after: String(event?.cursor) });
      for (;;) {
        const next = await stream.nextOfAny();
        expect(next?.configId).not.toBe(killed);
        expect(cursors.read(next?.cursor).rev).toBeGreaterThanOrEqual(rev);
        if (next?.type === 'BOOKMARK') break;
      }
      await stream.close();
    }
  });
});
