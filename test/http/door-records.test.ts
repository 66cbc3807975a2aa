import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SmallMcpServer, startModernServer, startTellingServer } from '../setup/mcp-servers.ts';
import { type DoorWorld, openDoorWorld } from './door-world.ts';

const KEY = 'canary-of-the-api-key';
const LONG_KEY = 'canary-of-the-custom-header';

let world: DoorWorld;
let server: SmallMcpServer;
let keyedId: string;

beforeAll(async () => {
  server = await startModernServer();
  world = await openDoorWorld();
  keyedId = await world.define({
    slug: 'keyed',
    url: server.url,
    authType: 'API_KEY',
    apiKeyHeader: 'Authorization',
    apiKeyValue: KEY,
    toolDenyList: ['echo'],
  });
});
afterAll(async () => {
  await world?.close();
  await server?.close();
});

const call = async (name: string, args: unknown, path = '/mcp', token = world.gateway.tokens.member) => {
  const params = { name, arguments: args };
  const response = await world.post(path, { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, { token });
  return response.text();
};

const QUERY = `query { auditLog(first: 50, filter: { action: MCP_TOOL_CALL }) {
  nodes { outcome reason actor { id } targetId changes { field after } } } }`;

const readEntries = async () => {
  const { data, errors } = await world.gateway.graphql(QUERY, { token: world.gateway.tokens.admin });
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data.auditLog.nodes as { outcome: string; reason: string | null; changes: { field: string }[] }[];
};

test('removes the credentials that a server sends back', async () => {
  const text = await call('keyed__who', {});
  expect(server.seen.at(-1)?.headers.authorization).toBe(KEY);
  expect(text).toContain('[removed]');
  expect(text).not.toContain(KEY);
});

test('removes them from the descriptions that a server makes of them', async () => {
  const telling = await startTellingServer();
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };
  const { gateway } = world;
  try {
    await world.define({
      slug: 'telling',
      url: telling.url,
      authType: 'CUSTOM_HEADERS',
      customHeaders: [
        { name: 'X-Key', value: LONG_KEY },
        { name: 'X-Stage', value: 'production' },
      ],
    });
    const response = await world.post('/mcp/servers/telling', list, { token: gateway.tokens.member });
    const text = await response.text();
    expect(telling.seen.at(-1)?.headers['x-key']).toBe(LONG_KEY);
    expect(text).toContain('tell_production');
    expect(text).toContain('Seen: [removed] production');
    const { data } = await gateway.graphql(
      '{ mcpServerConfigs(first: 50) { nodes { slug tools(first: 9) { nodes { name description inputSchema } } reachability { serverName instructions } } } }',
      { token: gateway.tokens.admin },
    );
    for (const shown of [text, JSON.stringify(data)]) {
      expect(shown).not.toContain(LONG_KEY);
      expect(shown).not.toContain(Buffer.from(LONG_KEY).toString('base64').slice(0, 20));
    }
    expect(JSON.stringify(data)).toContain('Seen: [removed] production');
  } finally {
    await telling.close();
  }
});

test('records each call of a known tool, without what was said', async () => {
  const before = (await expect.poll(readEntries).not.toHaveLength(0).then(readEntries)).length;
  const { gateway } = world;
  await call('keyed__echo', { text: 'canary-of-the-arguments' });
  await call('canary-of-the-name', {});
  await call(
    'keyed__who',
    { text: 'canary-of-the-arguments' },
    `/mcp?user=${gateway.userIds.member}`,
    gateway.tokens.service,
  );
  await expect.poll(async () => (await readEntries()).length).toBe(before + 2);
  const [asService, denied] = await readEntries();
  expect(denied).toMatchObject({
    outcome: 'DENIED',
    reason: 'DENIED',
    actor: { id: gateway.userIds.member },
    targetId: keyedId,
  });
  expect(asService).toMatchObject({ outcome: 'SUCCESS', reason: null, actor: { id: gateway.userIds.service } });
  expect(asService?.changes).toEqual(
    expect.arrayContaining([
      { field: 'tool', after: '"who"' },
      { field: 'userId', after: `"${gateway.userIds.member}"` },
      { field: 'bytes', after: expect.stringMatching(/^\d+$/) },
    ]),
  );
  expect(JSON.stringify(await readEntries())).not.toContain('canary');
});

test('an entry says as whom, in which chat, and how long it took, for a user and for a service', async () => {
  const { gateway } = world;
  const { data } = await gateway.graphql('mutation { createChat(input: { title: "One" }) { id } }', {
    token: gateway.tokens.member,
  });
  const path = `/mcp/chats/${data.createChat.id}`;
  const before = (await readEntries()).length;
  for (const role of ['member', 'service'] as const) {
    await call('keyed__who', {}, path, gateway.tokens[role]);
    await call('keyed__echo', {}, path, gateway.tokens[role]);
  }
  await expect.poll(async () => (await readEntries()).length).toBe(before + 4);
  const entries = (await readEntries()).slice(0, 4) as any[];
  const told = entries.map(({ outcome, actor, targetId, changes }) => {
    const facts = Object.fromEntries(changes.map(({ field, after }: any) => [field, JSON.parse(after)]));
    return { outcome, actor: actor.id, targetId, facts };
  });
  const facts = { userId: gateway.userIds.member, chatId: data.createChat.id, ms: expect.any(Number) };
  const expected = (['member', 'service'] as const).flatMap((role) => [
    { outcome: 'SUCCESS', actor: gateway.userIds[role], facts: { ...facts, tool: 'who', bytes: expect.any(Number) } },
    { outcome: 'DENIED', actor: gateway.userIds[role], facts: { ...facts, tool: 'echo' } },
  ]);
  expect(told).toHaveLength(4);
  for (const each of expected) expect(told).toContainEqual({ ...each, targetId: keyedId });
});

test.each([
  ['off', []],
  ['denied', ['DENIED']],
  ['all', ['DENIED', 'SUCCESS']],
])('with the setting %s, the entries are those of %j', async (setting, outcomes) => {
  const other = await openDoorWorld({ env: { GATEHOUSE_AUDIT_TOOL_CALLS: setting } });
  try {
    const { gateway } = other;
    const id = await other.define({ slug: 'keyed', url: server.url, toolDenyList: ['echo'] });
    for (const name of ['keyed__who', 'keyed__echo']) {
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } };
      await (await other.post('/mcp', message, { token: gateway.tokens.member })).text();
    }
    // A call in the graph has its entry before it is answered, and so have those before it.
    const mutation = `mutation { callMcpTool(input: { configId: "${id}", tool: "who" }) { result { isError } } }`;
    await gateway.graphql(mutation, { token: gateway.tokens.member });
    const { data } = await gateway.graphql(QUERY, { token: gateway.tokens.admin });
    const found = new Set(data.auditLog.nodes.map(({ outcome }: { outcome: string }) => outcome));
    expect([...found].sort()).toEqual(outcomes);
  } finally {
    await other.close();
  }
});
