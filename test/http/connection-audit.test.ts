import { afterAll, beforeAll, expect, test } from 'vitest';
import { TEST_PUBLIC_URL } from '../setup/gateway.ts';
import { type ConnectedWorld, connectUrl, openConnectedWorld } from './connection-setup.ts';

/** Few audit entries at once for members. */
const OWN = { capacity: 15, perSecond: 15 };
const MANY = { capacity: 1_000, perSecond: 20 };

let world: ConnectedWorld;

beforeAll(async () => {
  world = await openConnectedWorld({ entryLimits: { admin: MANY, service: MANY, auditor: OWN, member: OWN } });
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

test('a member over the limit of audit entries connects nothing, and still disconnects', async () => {
  const { gateway, as } = world;
  const { member } = gateway.tokens;
  const [connected, other] = [await world.define(), await world.define()];
  const browser = await world.signIn(member);
  expect((await browser.navigate(connectUrl(connected), { from: TEST_PUBLIC_URL })).status).toBe(200);

  const chat = await gateway.graphql('mutation { createChat(input: {}) { id } }', { token: member });
  const chatId: string = chat.data.createChat.id;
  const rename = (index: number) =>
    `r${index}: updateChat(input: { id: "${chatId}", title: "${index}" }) { chat { id } }`;
  const renames = Array.from({ length: OWN.capacity }, (_, index) => rename(index));
  const used = await gateway.graphql(`mutation { ${renames.join(' ')} }`, { token: member });
  expect(used.errors?.[0].extensions.code).toBe('RATE_LIMITED');

  const revocations = () => as.requests.filter(({ path }) => path === new URL(as.endpoints.revocation).pathname);
  const before = revocations().length;
  const refused = await browser.navigate(connectUrl(other), { from: TEST_PUBLIC_URL });
  expect(refused.status).toBe(429);
  expect(refused.text).toContain('try again in some seconds');
  await gateway.settle();
  // What the authorization server issued is not left behind.
  expect(revocations().length).toBeGreaterThan(before);
  const states = async () => {
    const query = '{ mcpServerConfigs(first: 100) { nodes { id authConnected } } }';
    const { data } = await gateway.graphql(query, { token: member });
    const nodes: { id: string; authConnected: boolean }[] = data.mcpServerConfigs.nodes;
    return [connected, other].map((id) => nodes.find((each) => each.id === id)?.authConnected);
  };
  expect(await states()).toEqual([true, false]);
  expect(await readEntries(other)).toEqual([]);

  const disconnect = `mutation { disconnectMcpServer(id: "${connected}") { tokenRevoked } }`;
  expect((await gateway.graphql(disconnect, { token: member })).data.disconnectMcpServer.tokenRevoked).toBe(true);
  expect(await states()).toEqual([false, false]);
  // The limit is full again for the next tests.
  gateway.clock.advance(1_000);
});

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
