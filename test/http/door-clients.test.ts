import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ECHO, type SmallMcpServer, startModernServer, startSessionServer } from '../setup/mcp-servers.ts';
import { CLIENTS, type DoorWorld, openDoorWorld, textOf } from './door-world.ts';

let world: DoorWorld;
let modern: SmallMcpServer;
let old: SmallMcpServer;
let chatId: string;

const KEY = 'canary-of-the-api-key';

beforeAll(async () => {
  [modern, old] = await Promise.all([startModernServer(), startSessionServer()]);
  world = await openDoorWorld();
  await world.define({ slug: 'modern', url: modern.url });
  await world.define({ slug: 'old', url: old.url });
  await world.define({
    slug: 'keyed',
    url: modern.url,
    authType: 'API_KEY',
    apiKeyHeader: 'Authorization',
    apiKeyValue: KEY,
    availability: 'DEFAULT_OFF',
    toolDenyList: ['echo'],
  });
  const { gateway } = world;
  const { data } = await gateway.graphql('mutation { createChat(input: { title: "One" }) { id } }', {
    token: gateway.tokens.member,
  });
  chatId = data.createChat.id;
});
afterAll(async () => {
  await world?.close();
  await Promise.all([modern?.close(), old?.close()]);
});

const NAMES = ['modern__echo', 'modern__who', 'old__echo', 'old__who', 'gatehouse__status'];

describe.each(Object.keys(CLIENTS))('a client: %s', (name) => {
  const open = (path: string) =>
    (CLIENTS[name] as (typeof CLIENTS)[string])(`${world.url}${path}`, world.gateway.tokens.member);

  test.each([
    ['/mcp', NAMES],
    ['/mcp/servers/old', ['echo', 'who', 'gatehouse__status']],
    ['/mcp/servers/keyed', ['who', 'gatehouse__status']],
    ['/mcp/chats/', NAMES],
  ])('lists the tools of %s', async (path, names) => {
    const client = await open(path.endsWith('/') ? `${path}${chatId}` : path);
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).toEqual(names);
    await client.close();
  });

  test('gets definitions as their servers wrote them', async () => {
    const client = await open('/mcp');
    const { tools } = await client.listTools();
    expect(tools[0]).toMatchObject({ ...ECHO, name: 'modern__echo' });
    await client.close();
  });

  test('calls tools of servers of both generations', async () => {
    const client = await open('/mcp');
    for (const slug of ['modern', 'old']) {
      const result = await client.callTool({ name: `${slug}__echo`, arguments: { text: slug } });
      expect(result['isError']).not.toBe(true);
      expect(JSON.parse(textOf(result))).toEqual({ text: slug });
    }
    await client.close();
  });

  test('is told with a result that a tool does not exist', async () => {
    const client = await open('/mcp');
    const result = await client.callTool({ name: 'keyed__who', arguments: {} });
    expect(result).toMatchObject({ isError: true });
    expect(textOf(result)).toMatch(/There is no tool with this name here/);
    await client.close();
  });

  test('asks for the status', async () => {
    const client = await open('/mcp');
    const result = await client.callTool({ name: 'gatehouse__status' });
    expect(textOf(result)).toMatch(/\(modern\): It is ready to use/);
    await client.close();
  });
});
