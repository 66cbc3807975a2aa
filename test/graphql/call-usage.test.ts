// On both databases: replicas add up what they count in one statement.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { onMainDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { type HostileUpstream, startHostileUpstream, toTool } from '../setup/hostile-upstream.ts';
import { createReplica, type Replica } from '../setup/replica.ts';
import { createId } from './config-operations.ts';

const HOUR_MS = 3_600_000;
const NONE = { calls: 0, errors: 0, denied: 0, users: 0, p50Ms: null, p95Ms: null };

let gateway: TestGateway;
let replica: Replica;
let upstream: HostileUpstream;

beforeAll(async () => {
  upstream = await startHostileUpstream();
  upstream.onMethod('/', {
    'tools/list': () => ({ tools: ['works', 'fails', 'denied'].map((name) => toTool(name)) }),
    'tools/call': ({ params: { name } }) => ({ content: [], isError: name === 'fails' }),
  });
  gateway = await createTestGateway({
    // Calls are counted without the audit log, too.
    env: { GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8', GATEHOUSE_AUDIT_TOOL_CALLS: 'off' },
  });
  replica = await createReplica(gateway, gateway.database);
});
afterAll(async () => {
  await replica?.close();
  await gateway?.close();
  await upstream?.close();
});

type Role = 'admin' | 'auditor' | 'service' | 'member';

const ask = async (query: string, { role = 'admin' as Role, at = gateway as TestGateway | Replica } = {}) => {
  const token = gateway.tokens[role];
  const { data, errors } = await (at === replica ? replica.graphql(query, token) : gateway.graphql(query, { token }));
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
};
const define = async (): Promise<string> => {
  const id = await createId(gateway, { enabled: true, url: upstream.urlOf('/'), toolDenyList: ['denied'] });
  await ask(`mutation { refreshMcpServerTools(input: { id: "${id}" }) { problem } }`);
  return id;
};
const call = (configId: string, tool: string, how: { role?: Role; at?: TestGateway | Replica } = {}) =>
  ask(`mutation { callMcpTool(input: { configId: "${configId}", tool: "${tool}" }) { result { code } } }`, how);
const readUsage = async (id: string, how: { role?: Role; at?: TestGateway | Replica } = {}) => {
  const counts = 'calls errors denied users p50Ms p95Ms';
  const query = `{ mcpServerConfig(id: "${id}") { usage { lastDay { ${counts} } lastWeek { ${counts} } } } }`;
  return (await ask(query, how)).mcpServerConfig.usage;
};
const countRows = async () => {
  const [row] = await gateway.database.query(
    'SELECT (SELECT count(*) FROM mcp_server_call_hours)::int AS hours, (SELECT count(*) FROM mcp_server_callers)::int AS callers',
  );
  return row;
};

test('adds up what all replicas count, by day and week, for staff only', async () => {
  const id = await define();
  const other = await define();
  const none = { lastDay: NONE, lastWeek: NONE };
  expect(await readUsage(id)).toEqual(none);
  for (const tool of ['works', 'works', 'fails', 'denied']) await call(id, tool, { role: 'member' });
  await call(id, 'denied', { at: replica });
  await call(id, 'works', { at: replica });
  // Each replica writes what it has counted before it reads.
  await readUsage(id);
  const usage = await readUsage(id, { at: replica });
  const counts = { calls: 4, errors: 1, denied: 2, users: 2 };
  const times = { p50Ms: expect.any(Number), p95Ms: expect.any(Number) };
  expect(usage).toEqual({ lastDay: { ...counts, ...times }, lastWeek: { ...counts, ...times } });
  expect(usage.lastDay.p95Ms).toBeGreaterThanOrEqual(usage.lastDay.p50Ms);
  expect(await readUsage(other)).toEqual(none);
  for (const role of ['auditor', 'service'] as const) expect(await readUsage(id, { role })).toEqual(usage);
  expect(await readUsage(id, { role: 'member' })).toBeNull();

  gateway.clock.advance(24 * HOUR_MS);
  expect(await readUsage(id)).toEqual({ lastDay: NONE, lastWeek: usage.lastWeek });
  await call(id, 'works');
  expect(await readUsage(id)).toMatchObject({ lastDay: { calls: 1, users: 1 }, lastWeek: { calls: 5, users: 2 } });
  // One row for each server and hour, and for each server and user.
  expect(await countRows()).toEqual({ hours: 2, callers: 2 });
  await gateway.expire();
  expect(await countRows()).toEqual({ hours: 2, callers: 2 });
  gateway.clock.advance(168 * HOUR_MS);
  expect(await readUsage(id)).toEqual(none);
  gateway.clock.advance(25 * HOUR_MS);
  await gateway.expire();
  expect(await countRows()).toEqual({ hours: 0, callers: 0 });
});

test.runIf(onMainDatabase)('counts on when a server was deleted, and writes the rest at the end', async () => {
  const [kept, deleted] = [await define(), await define()];
  const last = await createReplica(gateway, gateway.database);
  const at = { graphql: (query: string, { token }: { token: string }) => last.graphql(query, token) } as TestGateway;
  const callThere = (id: string) =>
    at.graphql(`mutation { callMcpTool(input: { configId: "${id}", tool: "works" }) { result { code } } }`, {
      token: gateway.tokens.admin,
    });
  await callThere(deleted);
  await callThere(kept);
  await ask(`mutation { deleteMcpServerConfig(input: { id: "${deleted}" }) { deletedId } }`);
  await last.close();
  expect((await readUsage(kept)).lastDay).toMatchObject({ calls: 1, errors: 0, users: 1 });
  await ask(`mutation { deleteMcpServerConfig(input: { id: "${kept}" }) { deletedId } }`);
  expect(await countRows()).toEqual({ hours: 0, callers: 0 });
});

test('keeps what cannot be written until it can', async () => {
  const id = await define();
  await call(id, 'works');
  await gateway.database.query('ALTER TABLE mcp_server_call_hours RENAME TO away');
  try {
    // Written before it is read, and both fail.
    await expect(readUsage(id)).rejects.toThrow();
  } finally {
    await gateway.database.query('ALTER TABLE away RENAME TO mcp_server_call_hours');
  }
  await call(id, 'fails');
  expect((await readUsage(id)).lastDay).toMatchObject({ calls: 2, errors: 1 });
  expect(gateway.logs()).toContain('counts of tool calls cannot be written');
});
