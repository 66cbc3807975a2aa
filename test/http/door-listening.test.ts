import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { update } from '../graphql/config-operations.ts';
import { type SmallMcpServer, startModernServer } from '../setup/mcp-servers.ts';
import { type DoorWorld, openDoorWorld } from './door-world.ts';

let world: DoorWorld;
let server: SmallMcpServer;
let seenId: string;
let unseenId: string;

beforeAll(async () => {
  server = await startModernServer();
  world = await openDoorWorld();
  seenId = await world.define({ slug: 'seen', url: server.url });
  unseenId = await world.define({ slug: 'unseen', url: server.url, availability: 'DEFAULT_OFF' });
});
afterAll(async () => {
  await world?.close();
  await server?.close();
});

test('a client that listens hears when its own list changes, and not when others do', async () => {
  const { gateway, url } = world;
  const client = new Client({ name: 'a', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  const requestInit = { headers: { authorization: `Bearer ${gateway.tokens.member}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit }));
  let heard = 0;
  client.setNotificationHandler('notifications/tools/list_changed', () => {
    heard += 1;
  });
  try {
    await client.listen({ toolsListChanged: true });
    // The feed is in order: had the others been told, they would have been before this one.
    await update(gateway, unseenId, { toolDenyList: ['who'] });
    await update(gateway, seenId, { description: 'Something else.' });
    await update(gateway, seenId, { toolDenyList: ['who'] });
    await expect.poll(() => heard).toBe(1);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['seen__echo', 'gatehouse__status']);
    await update(gateway, seenId, { enabled: false });
    await expect.poll(() => heard).toBe(2);
  } finally {
    await client.close();
  }
});
