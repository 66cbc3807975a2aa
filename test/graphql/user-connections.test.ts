import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createId } from './config-operations.ts';
import { insertUserToken } from './user-tokens.ts';

const OAUTH2 = {
  authType: 'OAUTH2' as const,
  enabled: true,
  oauth2ClientId: 'client',
  oauth2AuthUrl: 'https://login.example.com/authorize',
  oauth2TokenUrl: 'https://login.example.com/token',
};
const LIST = `totalCount nodes {
  configId config { displayName } state stateReason connectedAt endedAt expiresAt scopes }
  pageInfo { hasNextPage endCursor }`;
const OWN = `query ($first: Int, $after: String) { viewer { connections(first: $first, after: $after) { ${LIST} } } }`;
const ANYBODY = `query ($id: UUID!, $after: String) { user(id: $id) { connections(first: 2, after: $after) { ${LIST} } } }`;
/** In the order of code points, with two of the same name. */
const NAMES = ['B', 'Z', 'Z', 'a', 'b', 'ä'];

let gateway: TestGateway;
const ids: string[] = [];

const ownPage = async (caller: 'member' | 'admin' | 'auditor', variables: object = {}) => {
  const { data, errors } = await gateway.graphql(OWN, { token: gateway.tokens[caller], variables: { ...variables } });
  expect(errors).toBeUndefined();
  return data.viewer.connections;
};
const setToken = (configId: string | undefined, set: string) =>
  gateway.database.query(
    `UPDATE mcp_server_user_tokens SET ${set} WHERE mcp_server_config_id = $1::uuid AND user_id = $2::uuid`,
    [configId, gateway.userIds.member],
  );

beforeAll(async () => {
  gateway = await createTestGateway();
  for (const displayName of NAMES.toReversed()) {
    const id = await createId(gateway, { ...OAUTH2, displayName });
    ids.unshift(id);
    await insertUserToken(gateway, { configId: id, userId: gateway.userIds.member });
  }
  await insertUserToken(gateway, { configId: ids[0] ?? '', userId: gateway.userIds.auditor });
});
afterAll(() => gateway?.close());

describe("a user's connections", () => {
  test.each([1, 2, 5, 50])('are listed by name in pages of %d, each once', async (first) => {
    const found: string[] = [];
    let after: string | null = null;
    for (let hasNextPage = true; hasNextPage; ) {
      const page: any = await ownPage('member', { first, after });
      expect(page.totalCount).toBe(NAMES.length);
      found.push(...page.nodes.map((node: { configId: string }) => node.configId));
      ({ hasNextPage, endCursor: after } = page.pageInfo);
    }
    const twins = ids.slice(1, 3).sort();
    expect(found).toEqual([ids[0], ...twins, ...ids.slice(3)]);
  });

  test('say since when, with which scopes and until when they hold, and nothing about tokens', async () => {
    await setToken(ids[0], "scopes = '{read,write}', created_at = '2026-02-01T00:00:00Z'");
    const [first] = (await ownPage('member')).nodes;
    expect(first).toEqual({
      configId: ids[0],
      config: { displayName: 'B' },
      state: 'READY',
      stateReason: null,
      connectedAt: '2026-02-01T00:00:00.000Z',
      endedAt: null,
      // The gateway renews it.
      expiresAt: null,
      scopes: ['read', 'write'],
    });
    const until = "expires_at = '2100-01-01T00:00:00Z'";
    await setToken(ids[0], `refresh_token = NULL, refresh_token_key_id = NULL, ${until}`);
    expect((await ownPage('member')).nodes[0]).toMatchObject({ expiresAt: '2100-01-01T00:00:00.000Z' });
    await setToken(ids[0], "expires_at = '2026-01-01T00:00:00Z'");
    expect((await ownPage('member')).nodes[0]).toMatchObject({ state: 'RECONNECT' });
    await setToken(ids[0], until);
  });

  test('that a server ended are listed with the reason', async () => {
    const { member, admin } = gateway.userIds;
    await gateway.database.query(
      `INSERT INTO mcp_server_ended_connections (mcp_server_config_id, user_id, reason)
       VALUES ($1::uuid, $2::uuid, 'It ended.'), ($1::uuid, $3::uuid, 'Before the newer one.')`,
      [ids[4], admin, member],
    );
    const { nodes, totalCount } = await ownPage('admin');
    expect(totalCount).toBe(1);
    expect(nodes).toMatchObject([{ configId: ids[4], state: 'RECONNECT', stateReason: 'It ended.', scopes: [] }]);
    expect(nodes[0]).toMatchObject({ connectedAt: null, endedAt: expect.any(String) });
    // Connected anew: the newer one counts, once.
    const mine = await ownPage('member');
    expect(mine.totalCount).toBe(NAMES.length);
    expect(mine.nodes[4]).toMatchObject({ configId: ids[4], state: 'READY', endedAt: null });
  });

  test('to a hidden server stay, without the server, so that they can be ended', async () => {
    const id = await createId(gateway, { ...OAUTH2, displayName: 'hidden' });
    const { auditor, member } = gateway.userIds;
    for (const userId of [auditor, member]) await insertUserToken(gateway, { configId: id, userId });
    const input = { id, enabled: false };
    const change =
      'mutation ($input: UpdateMcpServerConfigInput!) { updateMcpServerConfig(input: $input) { feedCursor } }';
    await gateway.graphql(change, { token: gateway.tokens.admin, variables: { input } });
    const find = async (caller: 'member' | 'auditor') =>
      (await ownPage(caller)).nodes.find(({ configId }: { configId: string }) => configId === id);
    expect(await find('member')).toMatchObject({ state: 'DISABLED', config: null });
    expect(await find('auditor')).toMatchObject({ state: 'DISABLED', config: { displayName: 'hidden' } });
    const end = `mutation { disconnectMcpServer(input: { id: "${id}" }) { tokenRevoked } }`;
    await gateway.graphql(end, { token: gateway.tokens.member });
    expect(await find('member')).toBeUndefined();
  });

  test.each(['admin', 'auditor', 'service'] as const)('are seen by the role %s', async (caller) => {
    const variables = { id: gateway.userIds.member };
    const { data } = await gateway.graphql(ANYBODY, { token: gateway.tokens[caller], variables });
    expect(data.user.connections.nodes).toMatchObject([{ configId: ids[0] }, { config: { displayName: 'Z' } }]);
    expect(data.user.connections.totalCount).toBe(NAMES.length);
  });

  test('of others are not seen by members', async () => {
    const variables = { id: gateway.userIds.auditor };
    const { data } = await gateway.graphql(ANYBODY, { token: gateway.tokens.member, variables });
    expect(data.user).toBeNull();
  });

  test('have cursors that are of no other list', async () => {
    const { member, auditor } = gateway.userIds;
    const token = gateway.tokens.admin;
    const { data } = await gateway.graphql(ANYBODY, { token, variables: { id: member } });
    const after = data.user.connections.pageInfo.endCursor;
    const same = await gateway.graphql(ANYBODY, { token, variables: { id: member, after } });
    expect(same.data.user.connections.nodes[0].configId).toBe([...ids.slice(1, 3)].sort()[1]);
    const other = await gateway.graphql(ANYBODY, { token, variables: { id: auditor, after } });
    expect(other.errors?.[0].extensions.code).toBe('CURSOR_INVALID');
  });

  test('are charged to the operation, page by page', async () => {
    const aliases = Array.from({ length: 10 }, (_, index) => `a${index}: connections(first: 51) { totalCount }`);
    const { errors } = await gateway.graphql(`{ viewer { ${aliases.join(' ')} } }`, { token: gateway.tokens.member });
    expect(errors?.[0].extensions.issues).toMatchObject([{ path: ['first'], code: 'OUT_OF_RANGE' }]);
  });
});
