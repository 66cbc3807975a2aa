import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { newChat, readChat } from './chat-operations.ts';
import { createId, update } from './config-operations.ts';
import { insertUserToken } from './user-tokens.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway?.close());

async function ask(id: string, caller: 'admin' | 'auditor' = 'auditor') {
  const query = `query ($id: UUID!) { mcpServerConfigImpact(id: $id) { configId chatCount chatOwnerCount
    effectiveChatCount connectedUserCount ifDisabled ifDeleted } }`;
  return gateway.graphql(query, { token: gateway.tokens[caller], variables: { id } });
}
const impactOf = async (id: string) => (await ask(id)).data.mcpServerConfigImpact;

test('counts the chats, owners and connections that depend on a config', async () => {
  const oauth = {
    authType: 'OAUTH2',
    oauth2ClientId: 'client',
    oauth2AuthUrl: 'https://login.example.com/authorize',
    oauth2TokenUrl: 'https://login.example.com/token',
  };
  const id = await createId(gateway, { ...oauth, enabled: true });
  const nothing = { chatCount: 0, chatOwnerCount: 0, effectiveChatCount: 0, connectedUserCount: 0 };
  expect(await impactOf(id)).toMatchObject({ configId: id, ...nothing });
  for (const caller of ['member', 'member', 'admin'] as const) await newChat(gateway, caller, { mcpServerIds: [id] });
  const left = await newChat(gateway, 'admin', { mcpServerIds: [] });
  const countConnections = async (): Promise<number> => {
    const { data } = await gateway.graphql('{ gatewayStatus { connectionCount } }', { token: gateway.tokens.admin });
    return data.gatewayStatus.connectionCount;
  };
  const before = await countConnections();
  for (const userId of [gateway.userIds.member, gateway.userIds.admin]) {
    await insertUserToken(gateway, { configId: id, userId });
  }
  expect(await countConnections()).toBe(before + 2);
  const counts = { chatCount: 3, chatOwnerCount: 2, effectiveChatCount: 3, connectedUserCount: 2 };
  expect(await impactOf(id)).toMatchObject({
    ...counts,
    ifDisabled: [expect.stringContaining('It is removed from 3 chats'), expect.stringContaining('2 connections')],
    ifDeleted: [
      expect.stringContaining('It is removed from 3 chats'),
      expect.stringContaining('2 connections end'),
      expect.stringContaining('3 chats of 2 users'),
      expect.stringContaining('secrets'),
    ],
  });
  await update(gateway, id, { availability: 'FORCE_ON' });
  expect(await impactOf(id)).toMatchObject({ ...counts, effectiveChatCount: 4 });
  expect((await readChat(gateway, 'admin', left.id)).mcpServers).toHaveLength(1);
  await update(gateway, id, { enabled: false });
  expect(await impactOf(id)).toMatchObject({ ...counts, effectiveChatCount: 0 });
  expect((await impactOf(id)).ifDisabled[0]).toContain('already disabled');
});

test('its prediction for a deletion comes true, and asking changes nothing', async () => {
  const id = await createId(gateway, { enabled: true });
  const chat = await newChat(gateway, 'member', { mcpServerIds: [id] });
  expect((await impactOf(id)).ifDeleted[0]).toBe('It is removed from 1 chat immediately; members no longer see it.');
  expect((await readChat(gateway, 'member', chat.id)).mcpServerIds).toEqual([id]);
  await gateway.graphql(`mutation { deleteMcpServerConfig(id: "${id}") { deletedId } }`, {
    token: gateway.tokens.admin,
  });
  expect((await readChat(gateway, 'member', chat.id)).mcpServerIds).toEqual([]);
  expect((await ask(id)).errors?.[0].extensions.code).toBe('NOT_FOUND');
});

test('a missing config is NOT_FOUND', async () => {
  expect((await ask(randomUUID(), 'admin')).errors?.[0].extensions.code).toBe('NOT_FOUND');
});
