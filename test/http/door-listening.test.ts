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

test('streams that listen are among the streams of their caller, and other requests are not', async () => {
  const small = await openDoorWorld({ streamLimits: { maxStreamsPerUser: 3 } });
  const { tokens } = small.gateway;
  const KEY = 'io.modelcontextprotocol';
  const meta = {
    [`${KEY}/protocolVersion`]: '2026-07-28',
    [`${KEY}/clientInfo`]: { name: 'a', version: '1' },
    [`${KEY}/clientCapabilities`]: {},
  };
  const ask = (method: string, params: object, token = tokens.member) => {
    const headers = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method };
    const message = { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } };
    return small.post('/mcp', message, { token, headers });
  };
  const listen = (token?: string) => ask('subscriptions/listen', { notifications: { toolsListChanged: true } }, token);
  const open: Response[] = [];
  try {
    for (let count = 0; count < 3; count += 1) open.push(await listen());
    expect(open.map(({ status }) => status)).toEqual([200, 200, 200]);
    const refused = await listen();
    expect([refused.status, await refused.text()]).toEqual([429, expect.stringContaining('RATE_LIMITED')]);
    expect((await ask('tools/list', {})).status).toBe(200);
    open.push(await listen(tokens.auditor));
    expect(open.at(-1)?.status).toBe(200);
    // Whoever goes away makes room.
    await open.shift()?.body?.cancel();
    await expect
      .poll(async () => {
        const again = await listen();
        open.push(again);
        return again.status;
      })
      .toBe(200);
  } finally {
    for (const { body } of open) await body?.cancel();
    await small.close();
  }
});
