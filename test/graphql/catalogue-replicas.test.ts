// What one replica lists and approves, the others know, and no two list the same server at once.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import type { UpstreamListing } from '../../src/domain/catalogue/upstream-tools.ts';
import { onServer } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createReplica, type Replica } from '../setup/replica.ts';
import { createServerDatabase } from '../setup/server-databases.ts';
import { createId } from './config-operations.ts';
import { openEvents } from './sse-client.ts';

const REPLICAS = 5;

describe.runIf(onServer)('replicas on one database', () => {
  let first: TestGateway;
  const others: Replica[] = [];
  const databases: Awaited<ReturnType<typeof openServerDatabase>>[] = [];
  let description = 'Reads a file.';
  let listings = 0;
  let release: (() => void) | undefined;
  let id: string;

  /** Answers at once, or when it is released. */
  async function listTools(): Promise<UpstreamListing> {
    listings += 1;
    if (release !== undefined) await new Promise<void>((resolve) => (release = resolve));
    const tools = [{ name: 'read', description, inputSchema: { type: 'object' } }];
    return { kind: 'listed', tools, latencyMs: 1, server: null };
  }

  beforeAll(async () => {
    const url = await createServerDatabase();
    const open = async () => {
      const database = await openServerDatabase(url, { poolSize: 4 });
      databases.push(database);
      return database;
    };
    first = await createTestGateway({ database: await open(), upstreamTools: { listTools } });
    for (let index = 1; index < REPLICAS; index += 1) {
      others.push(await createReplica(first, await open(), { upstreamTools: { listTools } }));
    }
    id = await createId(first, { url: 'https://mcp.example.com/mcp', enabled: true, toolApproval: 'PIN' });
  });
  afterAll(async () => {
    for (const replica of others) await replica.close();
    await first?.close();
    for (const database of databases) await database.close();
  });

  const REFRESH = () => `mutation { refreshMcpServerTools(input: { id: "${id}" }) { problem } }`;
  const TOOLS = () => `{ mcpServerConfig(id: "${id}") { tools { nodes { name digest decision warnings } } } }`;

  const ask = async (index: number, query: string, role: 'admin' | 'member' = 'admin'): Promise<any> => {
    const token = first.tokens[role];
    const { data, errors } =
      index === 0 ? await first.graphql(query, { token }) : await (others[index - 1] as Replica).graphql(query, token);
    expect(errors).toBeUndefined();
    return data;
  };
  const toolsAt = async (index: number, role?: 'admin' | 'member'): Promise<any[]> =>
    (await ask(index, TOOLS(), role)).mcpServerConfig.tools.nodes;

  test('a description that changes by one invisible character is pending everywhere, until it is approved', async () => {
    await ask(0, REFRESH());
    for (let index = 0; index < REPLICAS; index += 1) {
      await expect.poll(() => toolsAt(index, 'member')).toMatchObject([{ name: 'read', decision: 'ALLOWED' }]);
    }
    const events = await openEvents(first, first.tokens.admin, { fields: 'type changedFields' });
    // It follows from here.
    await events.nextOfAny();
    description = 'Reads a\u200b file.';
    await ask(1, REFRESH());
    for (let index = 0; index < REPLICAS; index += 1) {
      await expect
        .poll(() => toolsAt(index))
        .toMatchObject([{ decision: 'PENDING', warnings: ['INVISIBLE_CHARACTERS'] }]);
      expect(await toolsAt(index, 'member')).toEqual([]);
    }
    expect(await events.next()).toMatchObject({ type: 'MODIFIED', changedFields: ['tools'] });
    await events.close();

    const [tool] = await toolsAt(2);
    const approve = `mutation { approveMcpTools(input: {
      id: "${id}", tools: [{ name: "read", digest: "${tool.digest}" }] }) { config { id } } }`;
    await ask(3, approve);
    for (let index = 0; index < REPLICAS; index += 1) {
      await expect.poll(() => toolsAt(index, 'member')).toMatchObject([{ name: 'read', decision: 'ALLOWED' }]);
    }
  });

  test('one of them lists at a time', async () => {
    listings = 0;
    release = () => undefined;
    const waiting = release;
    const refreshing = ask(0, REFRESH());
    await expect.poll(() => release !== waiting).toBe(true);
    const more = others.map((_replica, index) => ask(index + 1, REFRESH()));
    // They find the lease of the first, again and again.
    await expect.poll(() => listings).toBe(1);
    const go = release;
    release = undefined;
    go();
    await refreshing;
    await Promise.all(more);
    // An admin who asks gets a listing of their own, one after the other.
    expect(listings).toBe(REPLICAS);
  });
});
