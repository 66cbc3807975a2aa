import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runChatDaemon } from '../../examples/chat-daemon.ts';
import { createId, update } from '../graphql/config-operations.ts';
import { type SmallMcpServer, startModernServer } from '../setup/mcp-servers.ts';
import { CLIENTS, type DoorWorld, openDoorWorld, refresh } from './door-world.ts';

let world: DoorWorld;
let upstream: SmallMcpServer;
let chatId: string;
const ids: Record<string, string> = {};

const TOOLS = ['echo', 'who'];
const OAUTH = {
  authType: 'OAUTH2',
  oauth2ClientId: 'client',
  oauth2AuthUrl: 'https://login.example.com/authorize',
  oauth2TokenUrl: 'https://login.example.com/token',
};

/** Servers of each kind, by slug. */
const SERVERS: Readonly<Record<string, object>> = {
  forced: { availability: 'FORCE_ON' },
  default: { availability: 'DEFAULT_ON' },
  optional: { availability: 'DEFAULT_OFF' },
  selected: { availability: 'DEFAULT_OFF' },
  off: { availability: 'FORCE_ON', enabled: false },
  denied: { availability: 'FORCE_ON', toolDenyList: ['echo'] },
  allowed: { availability: 'FORCE_ON', toolAllowList: ['echo'] },
  pinned: { availability: 'FORCE_ON', toolApproval: 'PIN' },
  unconnected: { availability: 'FORCE_ON', ...OAUTH },
};

/** Lists the tools of another server for one that nobody is connected to. */
async function copyTools(id: string): Promise<void> {
  await world.gateway.database.query(
    `INSERT INTO mcp_server_tools (id, mcp_server_config_id, name, skeleton, definition, digest, status)
     SELECT gen_random_uuid(), $1::uuid, name, skeleton, definition, digest, status FROM mcp_server_tools
     WHERE mcp_server_config_id = $2::uuid`,
    [id, ids['forced'] ?? ''],
  );
}

beforeAll(async () => {
  upstream = await startModernServer();
  world = await openDoorWorld();
  const { gateway } = world;
  for (const [slug, fields] of Object.entries(SERVERS)) {
    const id = await createId(gateway, { slug, url: upstream.url, enabled: true, ...fields });
    ids[slug] = id;
    if ('authType' in fields) {
      await copyTools(id);
      continue;
    }
    if (slug === 'off') await update(gateway, id, { enabled: true });
    await refresh(gateway, id);
    if (slug === 'off') await update(gateway, id, { enabled: false });
  }
  // Approved by the first listing; then one of them changes.
  await gateway.database.query(
    `UPDATE mcp_server_tools SET approved_digest = repeat('0', 64)
     WHERE mcp_server_config_id = $1::uuid AND name = 'echo'`,
    [ids['pinned'] ?? ''],
  );
  const input = `{ title: "One", mcpServerIds: ["${ids['selected']}"] }`;
  const { data } = await gateway.graphql(`mutation { createChat(input: ${input}) { id } }`, {
    token: gateway.tokens.member,
  });
  chatId = data.createChat.id;
});
afterAll(async () => {
  await world?.close();
  await upstream?.close();
});

async function ask(path: string, method: string, params: object, role: 'member' | 'service' = 'member'): Promise<any> {
  const response = await world.post(
    path,
    { jsonrpc: '2.0', id: 1, method, params },
    { token: world.gateway.tokens[role] },
  );
  const text = await response.text();
  return JSON.parse(/^data: ?(.*)$/m.exec(text)?.[1] ?? text).result;
}
const listNames = async (path: string, role?: 'member' | 'service'): Promise<string[]> =>
  (await ask(path, 'tools/list', {}, role)).tools.map(({ name }: { name: string }) => name);
const withoutStatus = (names: readonly string[]) => names.filter((name) => name !== 'gatehouse__status');

async function effective(argument: string): Promise<string[]> {
  const query = `{ effectiveMcpTools${argument} { tool { shownAs } } }`;
  const { data } = await world.gateway.graphql(query, { token: world.gateway.tokens.member });
  return data.effectiveMcpTools.map(({ tool }: { tool: { shownAs: string } }) => tool.shownAs);
}

describe('a door lists what effectiveMcpTools says', () => {
  test.each([
    ['without a chat', () => '/mcp', () => ''],
    ['in a chat', () => `/mcp/chats/${chatId}`, () => `(chatId: "${chatId}")`],
  ])('%s', async (_where, path, argument) => {
    const names = withoutStatus(await listNames(path()));
    expect(names).toEqual(await effective(argument()));
    expect(names.length).toBeGreaterThan(5);
  });

  test('to a service that acts as the user, too', async () => {
    const asMember = `/mcp?user=${world.gateway.userIds.member}`;
    expect(await listNames(asMember, 'service')).toEqual(await listNames('/mcp'));
    expect(await listNames(`/mcp/chats/${chatId}`, 'service')).toEqual(await listNames(`/mcp/chats/${chatId}`));
  });
});

describe('what is not listed is not called', () => {
  const WORDS: Readonly<Record<string, RegExp>> = {
    denied: /switched this tool off/,
    allowed: /has not allowed this tool/,
    pinned: /has not approved it yet/,
    unconnected: /must connect their account first.*oauth2\/connect/,
    off: /There is no tool with this name here/,
  };

  test.each([
    ['without a chat', () => '/mcp'],
    ['in a chat', () => `/mcp/chats/${chatId}`],
  ])('%s', async (_where, path) => {
    const listed = await listNames(path());
    for (const slug of Object.keys(SERVERS)) {
      for (const tool of TOOLS) {
        const name = `${slug}__${tool}`;
        const before = upstream.seen.filter(({ method }) => method === 'tools/call').length;
        const result = await ask(path(), 'tools/call', { name, arguments: {} });
        const calls = upstream.seen.filter(({ method }) => method === 'tools/call').length - before;
        expect([name, calls, result.isError === true]).toEqual(
          listed.includes(name) ? [name, 1, false] : [name, 0, true],
        );
        if (!listed.includes(name)) {
          expect(result.content[0].text).toMatch(WORDS[slug] ?? /There is no tool with this name here/);
        }
      }
    }
  });

  test('a server that is off answers as one that never was', async () => {
    const off = await ask('/mcp', 'tools/call', { name: 'off__echo', arguments: {} });
    const none = await ask('/mcp', 'tools/call', { name: 'none__echo', arguments: {} });
    expect(off).toEqual(none);
  });
});

test('the status tells what the user has to do, with the link', async () => {
  const { structuredContent } = await ask('/mcp', 'tools/call', { name: 'gatehouse__status', arguments: {} });
  expect(structuredContent.servers).toContainEqual({
    slug: 'unconnected',
    displayName: expect.any(String),
    state: 'needs_connect',
    reason: 'The user must connect their account first.',
    connectUrl: `${world.url}/api/experimental/mcp/servers/${ids['unconnected']}/oauth2/connect`,
  });
});

test.each(Object.entries(CLIENTS))(
  '%s is greeted with what the user has to do, and with no other server',
  async (_name, open) => {
    const instructionsAt = async (path: string): Promise<string | undefined> => {
      const client = await open(`${world.url}${path}`, world.gateway.tokens.member);
      const instructions = client.getInstructions();
      await client.close();
      return instructions;
    };
    const lines = (await instructionsAt('/mcp'))?.split('\n') ?? [];
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain('(unconnected): The user must connect their account first.');
    expect(lines[1]).toContain(`/api/experimental/mcp/servers/${ids['unconnected']}/oauth2/connect`);
    expect(await instructionsAt('/mcp/servers/forced')).toBeUndefined();
  },
);

test("a server gets its own credential, never the caller's", async () => {
  upstream.seen.length = 0;
  await ask('/mcp', 'tools/call', { name: 'forced__who', arguments: {} });
  const sent = JSON.stringify(upstream.seen);
  expect(upstream.seen.length).toBeGreaterThan(0);
  expect(sent).not.toContain(world.gateway.tokens.member);
});

test('a chat daemon opens the door of a chat, calls, and drops the tools of a server that is switched off', async () => {
  const { gateway, url } = world;
  const lists: string[][] = [];
  const logged: string[] = [];
  let onDropped: () => void = () => undefined;
  const dropped = new Promise<void>((resolve) => {
    onDropped = resolve;
  });
  let round = 0;
  await runChatDaemon({
    gatehouse: url,
    token: gateway.tokens.service,
    chatId,
    onTools(names) {
      lists.push(names);
      if (!names.includes('default__echo') && !names.includes('selected__echo')) onDropped();
    },
    log: (line) => void logged.push(line),
    async choose() {
      round += 1;
      if (round === 1) return { name: 'selected__echo', arguments: { text: 'hello' } };
      if (round > 2) return undefined;
      await update(gateway, ids['selected'] ?? '', { enabled: false });
      await dropped;
      return { name: 'selected__echo', arguments: { text: 'again' } };
    },
  });
  await update(gateway, ids['selected'] ?? '', { enabled: true });
  expect(lists[0]).toContain('selected__echo');
  expect(lists.at(-1)).not.toContain('selected__echo');
  expect(logged).toContainEqual('selected__echo: {"text":"hello"}');
  expect(logged.at(-1)).toMatch(/^selected__echo was refused: There is no tool/);
  expect(logged.join('\n')).toMatch(/must connect their account first/);
});

test('a chat tells its door, to its owner and to services', async () => {
  const get = (role: 'member' | 'service' | 'admin' | 'auditor') =>
    world.gateway.fetch(`/api/experimental/chats/${chatId}/mcp`, {
      headers: { authorization: `Bearer ${world.gateway.tokens[role]}` },
    });
  const [own, service, admin, auditor] = await Promise.all([
    get('member'),
    get('service'),
    get('admin'),
    get('auditor'),
  ]);
  expect([own.status, service.status, admin.status, auditor.status]).toEqual([200, 200, 404, 404]);
  const body = (await own.json()) as { url: string; servers: { slug: string }[] };
  expect(body.url).toBe(`${world.url}/mcp/chats/${chatId}`);
  expect(body.servers.map(({ slug }) => slug)).toContain('unconnected');
  expect(await service.json()).toEqual(body);
});

test('a tool of a server that has the name of the status goes first: no list has a name twice', async () => {
  const { gateway } = world;
  const id = await createId(gateway, { slug: 'gatehouse', url: upstream.url, enabled: true });
  await refresh(gateway, id);
  await gateway.database.query(
    `UPDATE mcp_server_tools SET name = 'status', definition = replace(definition, '"echo"', '"status"')
     WHERE mcp_server_config_id = $1::uuid AND name = 'echo'`,
    [id],
  );
  const create = `mutation { createChat(input: { title: "Two", mcpServerIds: ["${id}"] }) { id } }`;
  const { data } = await gateway.graphql(create, { token: gateway.tokens.member });
  const path = `/mcp/chats/${data.createChat.id}`;
  expect((await listNames(path)).filter((name) => name === 'gatehouse__status')).toHaveLength(1);
  upstream.seen.length = 0;
  await ask(path, 'tools/call', { name: 'gatehouse__status', arguments: {} });
  expect(upstream.seen.map(({ method }) => method)).toContain('tools/call');
});
