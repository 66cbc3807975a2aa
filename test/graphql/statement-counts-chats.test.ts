import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { logStatements } from '../setup/statement-log.ts';
import { newChat } from './chat-operations.ts';
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

const OAUTH2 = {
  enabled: true,
  authType: 'OAUTH2',
  oauth2ClientId: 'client',
  oauth2AuthUrl: 'https://login.example.com/authorize',
  oauth2TokenUrl: 'https://login.example.com/token',
};

test('effective servers take as many statements for 50 chats as for one, whatever is selected', async () => {
  const { member } = gateway.userIds;
  const configIds: string[] = [];
  for (let index = 0; index < 6; index += 1) {
    const configId = await createId(gateway, index % 2 === 0 ? OAUTH2 : { enabled: true });
    await insertUserToken(gateway, { configId, userId: member });
    configIds.push(configId);
  }
  const [first = '', ...others] = configIds;
  await createId(gateway, { ...OAUTH2, availability: 'FORCE_ON' });
  const query = `{ chats(first: 50) { totalCount nodes {
    id mcpServerIds owner { email } mcpServers { source state reason config { id url authConnected viewerState } }
    availableMcpServers { source state reason config { id } }
  } } }`;
  const ask = async () => {
    statements.length = 0;
    const { data, errors } = await gateway.graphql(query, { token: gateway.tokens.member });
    expect(errors).toBeUndefined();
    return { count: statements.length, nodes: data.chats.nodes };
  };
  await newChat(gateway, 'member', { mcpServerIds: [first] });
  await ask();
  const one = await ask();
  expect(one.nodes[0].mcpServers).toHaveLength(2);
  for (let index = 0; index < 49; index += 1) {
    // Another selection for each chat, covering all servers.
    await newChat(gateway, 'member', { mcpServerIds: [first, ...others.slice(index % 6)] });
  }
  await ask();
  const fifty = await ask();
  expect(fifty.nodes).toHaveLength(50);
  const chosen = new Set(fifty.nodes.flatMap((chat: any) => chat.mcpServers.map(({ config }: any) => config.id)));
  expect(chosen.size).toBe(7);
  // The chats, their count and their owner. Servers and connection states are in memory.
  expect(one.count).toBe(3);
  expect(fifty.count).toBe(one.count);
});

test('the audit log takes as many statements for 100 entries as for one', async () => {
  const query = (first: number) =>
    `{ auditLog(first: ${first}) { totalCount nodes { id actor { email } changes { field before after } } } }`;
  const ask = async (first: number) => {
    statements.length = 0;
    const { data, errors } = await gateway.graphql(query(first), { token: gateway.tokens.auditor });
    expect(errors).toBeUndefined();
    expect(data.auditLog.nodes).toHaveLength(first);
    return statements.length;
  };
  const id = await createId(gateway);
  const rename =
    'mutation ($id: UUID!, $name: String!) { updateMcpServerConfig(id: $id, patch: { displayName: $name }) { id } }';
  for (let index = 0; index < 100; index += 1) {
    const token = gateway.tokens[index % 2 === 0 ? 'admin' : 'bootstrap'];
    await gateway.graphql(rename, { token, variables: { id, name: `Name ${index}` } });
  }
  for (const first of [1, 100]) await ask(first);
  expect(await ask(100)).toBe(await ask(1));
});
