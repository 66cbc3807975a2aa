import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { createId } from '../graphql/config-operations.ts';
import { openEvents } from '../graphql/sse-client.ts';
import { onServer } from '../setup/database.ts';
import { createTestGateway, TEST_PUBLIC_URL, type TestGateway } from '../setup/gateway.ts';
import { type ChangingServer, startChangingServer } from '../setup/mcp-servers.ts';
import { createReplica, type Replica } from '../setup/replica.ts';
import { createServerDatabase } from '../setup/server-databases.ts';
import { callMessage, readResult } from './door-messages.ts';
import { refresh } from './door-world.ts';

describe.runIf(onServer)('a pinned tool of two replicas', () => {
  let first: TestGateway;
  let second: Replica;
  let upstream: ChangingServer;
  let id: string;
  const databases: Database[] = [];

  beforeAll(async () => {
    const url = await createServerDatabase();
    const open = async (): Promise<Database> => {
      const database = await openServerDatabase(url, { poolSize: 4 });
      databases.push(database);
      return database;
    };
    upstream = await startChangingServer();
    first = await createTestGateway({
      database: await open(),
      env: { GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8' },
      listsInBackground: true,
    });
    second = await createReplica(first, await open());
    const fields = { slug: 'pinned', availability: 'FORCE_ON', toolApproval: 'PIN', enabled: true };
    id = await createId(first, { url: upstream.url, ...fields });
    // The first list by an admin approves it.
    await refresh(first, id);
  });
  afterAll(async () => {
    await second?.close();
    await first?.close();
    for (const database of databases) await database.close();
    await upstream?.close();
  });

  const ask = async (index: number, query: string, role: 'admin' | 'member'): Promise<any> => {
    const token = first.tokens[role];
    const { data, errors } = index === 0 ? await first.graphql(query, { token }) : await second.graphql(query, token);
    expect(errors).toBeUndefined();
    return data;
  };
  const toolAt = async (index: number): Promise<{ decision: string; digest: string; warnings: string[] }> => {
    const query = `{ mcpServerConfig(by: { id: "${id}" }) { tools { nodes { decision digest warnings } } } }`;
    return (await ask(index, query, 'admin')).mcpServerConfig.tools.nodes[0];
  };

  /** What both ways to call it say, at both replicas: a code, or null for an answer. And how often the server was called. */
  async function callEverywhere(): Promise<{ codes: (string | null)[]; calls: number }> {
    const count = () => upstream.seen.filter(({ method }) => method === 'tools/call').length;
    const before = count();
    const codes: (string | null)[] = [];
    for (const index of [0, 1]) {
      const { app } = index === 0 ? first : second.gateway;
      for (const [path, name] of [
        ['/mcp', 'pinned__tool'],
        ['/mcp/servers/pinned', 'tool'],
      ] as const) {
        const response = await app.fetch(
          new Request(new URL(path, TEST_PUBLIC_URL), {
            method: 'POST',
            headers: {
              authorization: `Bearer ${first.tokens.member}`,
              'content-type': 'application/json',
              accept: 'application/json, text/event-stream',
            },
            body: JSON.stringify(callMessage(name)),
          }),
        );
        const result = await readResult(response);
        expect(result.isError === true).toBe(result._meta?.['gatehouse/code'] !== undefined);
        codes.push(result._meta?.['gatehouse/code'] ?? null);
      }
      const mutation = `mutation { callMcpTool(input: { configId: "${id}", tool: "tool" }) { result { code } } }`;
      codes.push((await ask(index, mutation, 'member')).callMcpTool.result.code);
    }
    return { codes, calls: count() - before };
  }

  test('is not called after one invisible character changed, until it is approved', async () => {
    const EVERYWHERE = 6;
    for (const index of [0, 1]) await expect.poll(() => toolAt(index)).toMatchObject({ decision: 'ALLOWED' });
    expect(await callEverywhere()).toEqual({ codes: Array(EVERYWHERE).fill(null), calls: EVERYWHERE });

    await expect.poll(() => upstream.listeners()).toBe(1);
    const events = await openEvents(first, first.tokens.admin, { fields: 'type changedFields' });
    // It follows from here.
    await events.nextOfAny();
    upstream.describe('fi\u200brst');
    for (const index of [0, 1]) {
      await expect.poll(() => toolAt(index)).toMatchObject({ decision: 'PENDING', warnings: ['INVISIBLE_CHARACTERS'] });
    }
    expect(await events.next()).toMatchObject({ type: 'MODIFIED', changedFields: ['tools'] });
    await events.close();
    expect(await callEverywhere()).toEqual({ codes: Array(EVERYWHERE).fill('PENDING'), calls: 0 });

    const { digest } = await toolAt(1);
    const approve = `mutation { approveMcpTools(input: {
      id: "${id}", tools: [{ name: "tool", digest: "${digest}" }] }) { mcpServerConfig { id } } }`;
    await ask(1, approve, 'admin');
    for (const index of [0, 1]) await expect.poll(() => toolAt(index)).toMatchObject({ decision: 'ALLOWED' });
    expect(await callEverywhere()).toEqual({ codes: Array(EVERYWHERE).fill(null), calls: EVERYWHERE });
  });
});
