import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { logStatements } from '../setup/statement-log.ts';
import { createId } from './config-operations.ts';
import { insertUserToken } from './user-tokens.ts';

let gateway: TestGateway;
let close: () => Promise<void>;
let statements: string[];

beforeAll(async () => {
  const opened = await openTestDatabase();
  const logged = logStatements(opened);
  ({ statements } = logged);
  gateway = await createTestGateway({ database: logged.database });
  close = async () => {
    await gateway.close();
    await opened.close();
  };
});
afterAll(() => close?.());

async function statementsOf(query: string): Promise<{ count: number; data: any }> {
  statements.length = 0;
  const { data, errors } = await gateway.graphql(query, { token: gateway.tokens.admin });
  expect(errors).toBeUndefined();
  return { count: statements.length, data };
}

const OAUTH2 = {
  authType: 'OAUTH2',
  oauth2ClientId: 'client',
  oauth2AuthUrl: 'https://login.example.com/authorize',
  oauth2TokenUrl: 'https://login.example.com/token',
};

test('a list takes as many statements for 50 configs as for one, whatever the selection', async () => {
  const query = `{ mcpServerConfigs(first: 50) {
    totalCount
    nodes { id authConnected viewerState connectedUserCount createdBy { email apiTokens { name } } updatedBy { email apiTokens { name } } }
    edges { node { authConnected connectedUserCount createdBy { id } } }
  } }`;
  const createConnected = async () => {
    const configId = await createId(gateway, OAUTH2);
    await insertUserToken(gateway, { configId, userId: gateway.userIds.admin });
    return configId;
  };
  await createConnected();
  await statementsOf(query);
  const one = await statementsOf(query);
  for (let index = 0; index < 49; index += 1) {
    const configId = await createConnected();
    // Another creator and updater for each: more users to load.
    const { member, auditor } = gateway.userIds;
    await gateway.database.query(
      'UPDATE mcp_server_configs SET created_by = $2::uuid, updated_by = $3::uuid WHERE id = $1::uuid',
      [configId, member, auditor],
    );
  }
  await statementsOf(query);
  const fifty = await statementsOf(query);
  expect(fifty.data.mcpServerConfigs.nodes).toHaveLength(50);
  const facts = { authConnected: true, viewerState: 'DISABLED', connectedUserCount: 1 };
  expect(fifty.data.mcpServerConfigs.nodes[49]).toMatchObject({ ...facts, createdBy: { apiTokens: [{}] } });
  expect(one.count).toBeGreaterThan(2);
  expect(fifty.count).toBe(one.count);
});

test('a list of users takes as many statements for 50 as for a few, tokens included', async () => {
  const query = '{ users(first: 50) { totalCount nodes { id apiTokens { id name } } } }';
  await statementsOf(query);
  const few = await statementsOf(query);
  for (let index = 0; index < 50; index += 1) {
    const { data } = await gateway.graphql(
      `mutation { createUser(input: { email: "u${index}@example.com" }) { id } }`,
      { token: gateway.tokens.admin },
    );
    await gateway.graphql(
      `mutation { createApiToken(input: { userId: "${data.createUser.id}", name: "t" }) { token } }`,
      { token: gateway.tokens.admin },
    );
  }
  // The first request after a write reads it once.
  await statementsOf(query);
  const many = await statementsOf(query);
  expect(many.data.users.nodes).toHaveLength(50);
  expect(
    many.data.users.nodes.filter((user: { apiTokens: unknown[] }) => user.apiTokens.length > 0).length,
  ).toBeGreaterThan(40);
  expect(few.count).toBeGreaterThan(2);
  expect(many.count).toBe(few.count);
});

test("a member's list takes no statements, with or without restricted fields", async () => {
  const ask = async (fields: string) => {
    statements.length = 0;
    const { errors } = await gateway.graphql(`{ mcpServerConfigs { totalCount nodes { id ${fields} } } }`, {
      token: gateway.tokens.member,
    });
    expect(errors).toBeUndefined();
    return statements.length;
  };
  const own = 'slug displayName authConnected viewerState viewerStateReason';
  // The first use of a token is recorded, and the first request loads memory.
  for (const _time of [1, 2]) await ask(own);
  expect(await ask(own)).toBe(0);
  expect(await ask('url connectedUserCount createdBy { email apiTokens { name } } updatedBy { email }')).toBe(0);
});
