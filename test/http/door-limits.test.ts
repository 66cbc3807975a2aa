import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SmallMcpServer, startModernServer } from '../setup/mcp-servers.ts';
import { callMessage, readMessages, readResult } from './door-messages.ts';
import { type DoorWorld, openDoorWorld } from './door-world.ts';

const LIMIT = 3;

let world: DoorWorld;
let server: SmallMcpServer;

beforeAll(async () => {
  server = await startModernServer();
  world = await openDoorWorld({
    env: { GATEHOUSE_MAX_TOOL_CALLS_PER_SERVER_PER_MINUTE: String(LIMIT), GATEHOUSE_METRICS_SERVER_NAMES: 'true' },
  });
  for (const slug of ['busy', 'quiet']) await world.define({ slug, url: server.url, toolDenyList: ['echo'] });
});
afterAll(async () => {
  await world?.close();
  await server?.close();
});

const call = async (name: string, role: 'admin' | 'auditor' | 'member') => {
  const response = await world.post('/mcp', callMessage(name), { token: world.gateway.tokens[role] });
  return { headers: response.headers, result: await readResult(response) };
};

test('a server gets so many calls in a minute, from all users together', async () => {
  const before = server.seen.length;
  // What is not passed on to it does not count: nobody uses its limit up with calls that they may not make.
  for (let made = 0; made < LIMIT; made += 1) expect((await call('busy__echo', 'member')).result.isError).toBe(true);
  for (const role of ['member', 'admin', 'auditor'] as const) {
    expect((await call('busy__who', role)).result.isError).not.toBe(true);
  }
  const { headers, result } = await call('busy__who', 'member');
  expect(result.isError).toBe(true);
  expect(result._meta['gatehouse/code']).toBe('RATE_LIMITED');
  expect(result.content[0].text).toMatch(
    /more than 3 calls of its tools in a minute.* Wait \d+ seconds, then call again/,
  );
  // How much others use a server is not told.
  expect(headers.get('ratelimit-policy')).not.toContain('server');
  expect((await call('quiet__who', 'member')).result.isError).not.toBe(true);
  const calls = server.seen.slice(before).filter(({ method }) => method === 'tools/call');
  expect(calls).toHaveLength(LIMIT + 1);
  world.gateway.clock.advance(61_000);
  expect((await call('busy__who', 'member')).result.isError).not.toBe(true);
});

test('metrics count the calls and their durations by server, and the graph says what was refused', async () => {
  const { gateway } = world;
  const text = await (await gateway.fetch('/metrics')).text();
  const linesOf = (start: string) => text.split('\n').filter((line) => line.startsWith(start));
  expect(linesOf('gatehouse_mcp_tool_calls_total{').sort()).toEqual([
    'gatehouse_mcp_tool_calls_total{server="busy",outcome="denied"} 4',
    'gatehouse_mcp_tool_calls_total{server="busy",outcome="success"} 4',
    'gatehouse_mcp_tool_calls_total{server="quiet",outcome="success"} 1',
  ]);
  expect(linesOf('gatehouse_mcp_tool_call_duration_seconds_count')).toEqual([
    'gatehouse_mcp_tool_call_duration_seconds_count{server="busy"} 4',
    'gatehouse_mcp_tool_call_duration_seconds_count{server="quiet"} 1',
  ]);
  const query = `{ mcpServerConfig(by: { slug: "busy" }) { id usage { lastDay { calls denied errors } } }
    auditLog(first: 50, filter: { action: MCP_TOOL_CALL, outcome: DENIED }) { nodes { reason } } }`;
  const read = async () => (await gateway.graphql(query, { token: gateway.tokens.admin })).data;
  // Entries are written just after their calls.
  await expect.poll(async () => (await read()).auditLog.nodes).toHaveLength(4);
  const data = await read();
  expect(data.mcpServerConfig.usage.lastDay).toEqual({ calls: 4, denied: 4, errors: 0 });
  const reasons = data.auditLog.nodes.map(({ reason }: { reason: string }) => reason);
  expect(reasons.sort()).toEqual(['DENIED', 'DENIED', 'DENIED', 'RATE_LIMITED']);
});

test('without the setting, metrics have no names', async () => {
  const silent = await openDoorWorld();
  try {
    const id = await silent.define({ slug: 'secret-project', url: server.url });
    const { member } = silent.gateway.tokens;
    await readResult(await silent.post('/mcp', callMessage('secret-project__who'), { token: member }));
    const text = await (await silent.gateway.fetch('/metrics')).text();
    expect(text).toContain(`gatehouse_mcp_tool_calls_total{server="${id}",outcome="success"} 1`);
    expect(text).not.toContain('secret-project');
  } finally {
    await silent.close();
  }
});

test('each message of a batch counts: as an operation, and as a call', async () => {
  const small = await openDoorWorld({
    env: { GATEHOUSE_MAX_OPERATIONS_PER_MINUTE: '40', GATEHOUSE_MAX_TOOL_CALLS_PER_MINUTE: '12' },
  });
  try {
    await small.define({ slug: 'one', url: server.url });
    const calls = () => server.seen.filter(({ method }) => method === 'tools/call').length;
    const before = calls();
    const send = (count: number, role: 'member' | 'auditor' = 'member') => {
      const batch = Array.from({ length: count }, (_, id) => ({ ...callMessage('one__who'), id }));
      const headers = { 'mcp-protocol-version': '2025-03-26' };
      return small.post('/mcp', batch, { token: small.gateway.tokens[role], headers });
    };
    const first = await send(15);
    const codes = (await readMessages(first)).map(({ result }) => result._meta?.['gatehouse/code']);
    expect(codes.filter((code) => code === 'RATE_LIMITED')).toHaveLength(3);
    expect(calls()).toBe(before + 12);
    expect([first.status, (await send(25)).status, (await send(1)).status]).toEqual([200, 200, 429]);
    // A batch that is more than what is left is refused as a whole.
    expect((await send(41, 'auditor')).status).toBe(429);
    expect(calls()).toBe(before + 12);
    small.gateway.clock.advance(61_000);
    expect((await readMessages(await send(2)))[0].result.isError).not.toBe(true);
  } finally {
    await small.close();
  }
});
