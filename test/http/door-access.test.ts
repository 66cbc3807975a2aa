import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { UpstreamListing } from '../../src/domain/catalogue/upstream-tools.ts';
import { createId } from '../graphql/config-operations.ts';
import { type DoorWorld, openDoorWorld } from './door-world.ts';

const LISTING: UpstreamListing = {
  kind: 'listed',
  tools: [{ name: 'read', inputSchema: { type: 'object' } }],
  latencyMs: 1,
  server: null,
};
const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };
const MISSING = randomUUID();

let world: DoorWorld;
const chatIds: Record<string, string> = {};
let shownId: string;

beforeAll(async () => {
  world = await openDoorWorld({ upstreamTools: { listTools: async () => LISTING } });
  const { gateway } = world;
  shownId = await world.define({ slug: 'shown', url: 'https://shown.example.com/mcp' });
  await createId(gateway, { slug: 'hidden', url: 'https://hidden.example.com/mcp', enabled: false });
  for (const role of ['admin', 'member'] as const) {
    const token = gateway.tokens[role];
    const { data } = await gateway.graphql('mutation { createChat(input: { title: "Mine" }) { id } }', { token });
    chatIds[role] = data.createChat.id;
  }
});
afterAll(() => world?.close());

const CALLERS = ['admin', 'auditor', 'service', 'member', 'suspended', 'nobody'] as const;
type Caller = (typeof CALLERS)[number];

const tokenOf = (caller: Caller) => (caller === 'nobody' ? undefined : world.gateway.tokens[caller]);
const list = (caller: Caller, path: string, headers: Record<string, string> = {}) =>
  world.post(path, LIST, { token: tokenOf(caller), headers });

/** The status for each caller, in the order of CALLERS. */
const MATRIX: [what: string, statuses: number[], path: () => string][] = [
  ['their own door', [200, 200, 200, 200, 401, 401], () => '/mcp'],
  ['as a member', [403, 403, 200, 200, 401, 401], () => `/mcp?user=${world.gateway.userIds.member}`],
  ['as an admin', [200, 403, 200, 403, 401, 401], () => `/mcp?user=${world.gateway.userIds.admin}`],
  ['as nobody that exists', [403, 403, 404, 403, 401, 401], () => `/mcp?user=${MISSING}`],
  ['as no user at all', [403, 403, 404, 403, 401, 401], () => '/mcp?user=ada'],
  ['as a suspended user', [403, 403, 403, 403, 401, 401], () => `/mcp?user=${world.gateway.userIds.suspended}`],
  ['a server', [200, 200, 200, 200, 401, 401], () => '/mcp/servers/shown'],
  ['a disabled server', [200, 200, 200, 404, 401, 401], () => '/mcp/servers/hidden'],
  [
    'a disabled server, as a member',
    [403, 403, 404, 404, 401, 401],
    () => `/mcp/servers/hidden?user=${world.gateway.userIds.member}`,
  ],
  ['no server', [404, 404, 404, 404, 401, 401], () => '/mcp/servers/none'],
  ["a member's chat", [404, 404, 200, 200, 401, 401], () => `/mcp/chats/${chatIds['member']}`],
  ["an admin's chat", [200, 404, 200, 404, 401, 401], () => `/mcp/chats/${chatIds['admin']}`],
  ['no chat', [404, 404, 404, 404, 401, 401], () => `/mcp/chats/${MISSING}`],
  ['a chat without an id', [404, 404, 404, 404, 401, 401], () => '/mcp/chats/x'],
  [
    "a member's chat, as an admin",
    [404, 404, 400, 400, 401, 401],
    () => `/mcp/chats/${chatIds['member']}?user=${world.gateway.userIds.admin}`,
  ],
  ['another parameter', [400, 400, 400, 400, 401, 401], () => '/mcp?owner=1'],
];

describe('a limited token', () => {
  const CREATE = 'mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }';
  const limited = async (input: object) => {
    const variables = { input: { name: 'limited', ...input } };
    const { data } = await world.gateway.graphql(CREATE, { token: world.gateway.tokens.member, variables });
    return data.createApiToken.token as string;
  };
  const PATHS = () => ['/mcp', '/mcp/servers/shown', `/mcp/chats/${chatIds['member']}`];

  test('without the scope MCP is refused at every door', async () => {
    const token = await limited({ scopes: ['GRAPH'] });
    for (const path of PATHS()) expect((await world.post(path, LIST, { token })).status, path).toBe(403);
  });

  test('for a server lists and calls its tools, and those of no other', async () => {
    const [forIt, forAnother] = [
      await limited({ mcpServerIds: [shownId] }),
      await limited({ mcpServerIds: [MISSING] }),
    ];
    for (const path of PATHS()) expect(await (await world.post(path, LIST, { token: forIt })).text()).toContain('read');
    for (const path of ['/mcp', `/mcp/chats/${chatIds['member']}`]) {
      expect(await (await world.post(path, LIST, { token: forAnother })).text(), path).not.toContain('shown');
      const params = { name: 'shown__read', arguments: {} };
      const call = { jsonrpc: '2.0', id: 2, method: 'tools/call', params };
      expect(await (await world.post(path, call, { token: forAnother })).text()).toContain('There is no tool');
    }
    expect((await world.post('/mcp/servers/shown', LIST, { token: forAnother })).status).toBe(403);
  });
});

describe('who may use a door', () => {
  test.each(MATRIX)('%s', async (_what, statuses, path) => {
    const answers = await Promise.all(CALLERS.map((caller) => list(caller, path())));
    expect(answers.map(({ status }) => status)).toEqual(statuses);
  });

  test('a chat of somebody else answers as one that does not exist, and a hidden server as no server', async () => {
    const bodies = async (paths: string[]) =>
      Promise.all(paths.map(async (path) => (await list('member', path)).text()));
    const [stranger, none, malformed] = await bodies([
      `/mcp/chats/${chatIds['admin']}`,
      `/mcp/chats/${MISSING}`,
      '/mcp/chats/x',
    ]);
    expect(stranger).toContain('There is no such chat');
    expect([none, malformed]).toEqual([stranger, stranger]);
    const [hidden, noServer] = await bodies(['/mcp/servers/hidden', '/mcp/servers/none']);
    expect(hidden).toContain('There is no such MCP server config');
    expect(noServer).toBe(hidden);
  });

  test('a disabled server has no tools for those who see it', async () => {
    const text = await (await list('admin', '/mcp/servers/hidden')).text();
    expect(text).toContain('gatehouse__status');
    expect(text).not.toContain('"read"');
  });

  test('a session cookie opens no door', async () => {
    const { gateway } = world;
    const session = await fetch(`${world.url}/auth/session`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.tokens.member}` },
    });
    const cookie = session.headers.get('set-cookie')?.split(';')[0] ?? '';
    expect(cookie).not.toBe('');
    const headers = { cookie, origin: world.url, 'sec-fetch-site': 'same-origin' };
    expect((await list('nobody', '/mcp', headers)).status).toBe(401);
    expect((await list('member', '/mcp', headers)).status).toBe(200);
  });

  test('pages of other origins may not use it, and other hosts are not served', async () => {
    expect((await list('member', '/mcp', { origin: 'https://evil.example' })).status).toBe(403);
    expect((await list('member', '/mcp', { origin: world.url })).status).toBe(200);
    const { gateway } = world;
    const headers = { authorization: `Bearer ${gateway.tokens.member}`, 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify(LIST) };
    const rebound = await gateway.app.fetch(new Request('http://evil.example/mcp', init));
    expect(rebound.status).toBe(421);
  });

  test('refusals are in the audit log', async () => {
    await list('member', `/mcp?user=${world.gateway.userIds.admin}`);
    const query = '{ auditLog(first: 100) { nodes { action targetLabel reason } } }';
    const { data, errors } = await world.gateway.graphql(query, { token: world.gateway.tokens.admin });
    expect(errors).toBeUndefined();
    expect(JSON.stringify(data)).toMatch(/POST \/mcp"[^}]*FORBIDDEN/);
  });
});

describe('without a token', () => {
  test.each(['/mcp', '/mcp/servers/none', `/mcp/chats/${MISSING}`])('%s says where to get one', async (path) => {
    const response = await list('nobody', path);
    expect(response.status).toBe(401);
    const url = `${world.url}/.well-known/oauth-protected-resource${path}`;
    expect(response.headers.get('www-authenticate')).toBe(`Bearer resource_metadata="${url}"`);
    const metadata = await fetch(url);
    expect(await metadata.json()).toEqual({
      resource: `${world.url}${path}`,
      resource_name: 'Gatehouse',
      bearer_methods_supported: ['header'],
    });
  });

  test('a token that is not valid is called so', async () => {
    const response = await world.post('/mcp', LIST, { token: 'gh_nonsense' });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token", resource_metadata=/);
  });

  test('other addresses do not name the metadata of the doors', async () => {
    const response = await fetch(`${world.url}/api/experimental/mcp/servers`);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
  });
});

describe('bad input', () => {
  const send = (message: unknown, headers: Record<string, string> = {}) =>
    world.post('/mcp', message, { token: world.gateway.tokens.member, headers });
  const deep = `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"a":${'['.repeat(100)}${']'.repeat(100)}}}`;

  test.each<[string, unknown, number, number]>([
    ['no JSON', '{', 400, -32_700],
    ['nothing', '', 400, -32_700],
    ['too many levels', deep, 400, -32_600],
    ['no message', { hello: true }, 400, -32_600],
  ])('%s', async (_what, message, status, code) => {
    const response = await send(message);
    expect(response.status).toBe(status);
    expect(((await response.json()) as { error: { code: number } }).error.code).toBe(code);
  });

  test('a method that no door has', async () => {
    const response = await send({ jsonrpc: '2.0', id: 7, method: 'resources/list', params: {} });
    expect(await response.text()).toContain('-32601');
  });

  test('a body of 5 MB is refused', async () => {
    const response = await send({ ...LIST, params: { text: 'x'.repeat(5_000_000) } });
    expect(response.status).toBe(413);
  });

  test('another media type', async () => {
    expect((await send(JSON.stringify(LIST), { 'content-type': 'text/plain' })).status).toBe(415);
  });

  test('a revision that nobody knows', async () => {
    expect((await send(LIST, { 'mcp-protocol-version': '1999-01-01' })).status).toBe(400);
  });

  test("a stranger's session id means nothing: there are no sessions", async () => {
    const response = await send(LIST, { 'mcp-session-id': randomUUID() });
    expect(response.status).toBe(200);
    expect(response.headers.get('mcp-session-id')).toBeNull();
  });

  test('a batch, as revision 2025-03-26 has it', async () => {
    const response = await send([LIST, { ...LIST, id: 2 }], { 'mcp-protocol-version': '2025-03-26' });
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).toContain('"id":1');
    expect(text).toContain('"id":2');
  });

  test.each(['GET', 'DELETE'])('%s is not a method of a door', async (method) => {
    const headers = { authorization: `Bearer ${world.gateway.tokens.member}`, accept: 'text/event-stream' };
    const response = await fetch(`${world.url}/mcp`, { method, headers });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
  });
});

describe('what a list is', () => {
  test('the same state gives the same bytes', async () => {
    const [one, two] = await Promise.all([list('member', '/mcp'), list('member', '/mcp')]);
    expect(await one.text()).toBe(await two.text());
  });
});

test('a gateway without the experiment has no doors, and one without the status tool does not list it', async () => {
  const off = await openDoorWorld({ env: { GATEHOUSE_EXPERIMENTS: '' } });
  const silent = await openDoorWorld({ env: { GATEHOUSE_STATUS_TOOL: 'false' } });
  try {
    const refused = await off.post('/mcp', LIST, { token: off.gateway.tokens.member });
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining('EXPERIMENT_DISABLED')]);
    const text = await (await silent.post('/mcp', LIST, { token: silent.gateway.tokens.member })).text();
    expect(text).toContain('"tools":[]');
  } finally {
    await Promise.all([off.close(), silent.close()]);
  }
});

test('a user has so many calls in a minute', async () => {
  const small = await openDoorWorld({ env: { GATEHOUSE_MAX_TOOL_CALLS_PER_MINUTE: '2' } });
  try {
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'gatehouse__status', arguments: {} } };
    const send = async (role: 'member' | 'service', path: string) =>
      (await small.post(path, call, { token: small.gateway.tokens[role] })).text();
    const asMember = `/mcp?user=${small.gateway.userIds.member}`;
    expect([await send('member', '/mcp'), await send('service', asMember)].join()).not.toContain('RATE_LIMITED');
    const third = await send('member', '/mcp');
    expect(third).toContain('"isError":true');
    expect(third).toContain('RATE_LIMITED');
    expect(await send('service', '/mcp')).not.toContain('RATE_LIMITED');
  } finally {
    await small.close();
  }
});
