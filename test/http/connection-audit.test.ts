import { afterAll, beforeAll, expect, test } from 'vitest';
import { TEST_PUBLIC_URL } from '../setup/gateway.ts';
import { type ConnectedWorld, connectUrl, openConnectedWorld } from './connection-setup.ts';

let world: ConnectedWorld;

beforeAll(async () => {
  world = await openConnectedWorld();
});
afterAll(() => world?.close());

/** The audit entries about connections to a server, oldest first. */
async function readEntries(configId: string) {
  const query = `query ($id: UUID!) { mcpServerConfigHistory(id: $id, first: 100) { nodes {
    action outcome actorKind actorId reason changes { field before after } } } }`;
  const { data } = await world.gateway.graphql(query, {
    token: world.gateway.tokens.auditor,
    variables: { id: configId },
  });
  const nodes: { action: string; outcome: string; actorId: string | null; reason: string | null }[] =
    data.mcpServerConfigHistory.nodes;
  return nodes.filter(({ action }) => action.startsWith('MCP_SERVER_CONNECTION')).reverse();
}

test('connecting, a refusal, a failed refresh and disconnecting are recorded', async () => {
  const { gateway, as } = world;
  const { member } = gateway.tokens;
  const actorId = gateway.userIds.member;
  const configId = await world.define();
  const browser = await world.signIn(member);

  as.refuseNextConsent();
  expect((await browser.navigate(connectUrl(configId), { from: TEST_PUBLIC_URL })).status).toBe(400);
  expect((await browser.navigate(connectUrl(configId), { from: TEST_PUBLIC_URL })).status).toBe(200);

  gateway.clock.advance(590_000);
  as.failNext(new URL(as.endpoints.token).pathname, { status: 503, headers: {}, body: 'private words' }, 1);
  expect(await gateway.accessTokens.get({ userId: actorId, configId })).toMatchObject({ state: 'ready' });

  const { data } = await gateway.graphql(`mutation { disconnectMcpServer(id: "${configId}") { tokenRevoked } }`, {
    token: member,
  });
  expect(data.disconnectMcpServer.tokenRevoked).toBe(true);

  const entries = await readEntries(configId);
  expect(entries.map(({ action, outcome }) => [action, outcome])).toEqual([
    ['MCP_SERVER_CONNECTION_CONNECT', 'FAILED'],
    ['MCP_SERVER_CONNECTION_CONNECT', 'SUCCESS'],
    ['MCP_SERVER_CONNECTION_REFRESH', 'FAILED'],
    ['MCP_SERVER_CONNECTION_DISCONNECT', 'SUCCESS'],
  ]);
  expect(entries.map((entry) => entry.actorId)).toEqual([actorId, actorId, null, actorId]);
  expect(entries[0]?.reason).toMatch(/declined/);
  expect(entries[2]?.reason).toContain(actorId);
  expect(entries[2]?.reason).toMatch(/kept.*503/);
  expect(JSON.stringify(entries)).not.toContain('private words');
});

test('a connection ended by its authorization server is recorded with the gateway as actor', async () => {
  const { gateway, as } = world;
  const userId = gateway.userIds.member;
  const configId = await world.define();
  const browser = await world.signIn(gateway.tokens.member);
  await browser.navigate(connectUrl(configId), { from: TEST_PUBLIC_URL });
  gateway.clock.advance(590_000);
  const gone = { status: 400, headers: { 'content-type': 'application/json' }, body: '{"error":"invalid_grant"}' };
  as.failNext(new URL(as.endpoints.token).pathname, gone, 1);
  expect(await gateway.accessTokens.get({ userId, configId })).toMatchObject({ state: 'reconnect' });
  const entries = await readEntries(configId);
  expect(entries.at(-1)).toMatchObject({
    action: 'MCP_SERVER_CONNECTION_REFRESH',
    outcome: 'FAILED',
    actorKind: 'SYSTEM',
    changes: [{ field: 'userId', before: JSON.stringify(userId), after: 'null' }],
  });
});
