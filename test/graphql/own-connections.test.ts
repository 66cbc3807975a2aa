import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import { type BreakableDatabase, makeBreakable } from '../setup/breakable-database.ts';
import { openTestDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createId } from './config-operations.ts';
import { insertUserToken } from './user-tokens.ts';

const OAUTH2 = {
  authType: 'OAUTH2',
  oauth2ClientId: 'client',
  oauth2AuthUrl: 'https://login.example.com/authorize',
  oauth2TokenUrl: 'https://login.example.com/token',
  enabled: true,
};
/** Names of fields do not tell which of them are asked for through fragments, aliases and variables. */
const LISTS = [
  '{ mcpServerConfigs { nodes { slug viewerState } } }',
  '{ a: mcpServerConfigs { nodes { slug ...own } } } fragment own on McpServerConfig { viewerState }',
  '{ mcpServerConfigs { edges { node { slug ... on McpServerConfig { viewerState: viewerState } } } } }',
];

let gateway: TestGateway;
let opened: Database;
let breakable: BreakableDatabase;

beforeAll(async () => {
  opened = await openTestDatabase();
  breakable = makeBreakable(opened);
  gateway = await createTestGateway({ database: breakable.database });
  const configId = await createId(gateway, { ...OAUTH2, slug: 'connected' });
  await createId(gateway, { ...OAUTH2, slug: 'other' });
  await createId(gateway, { slug: 'open', enabled: true });
  await insertUserToken(gateway, { configId, userId: gateway.userIds.member });
});
afterAll(async () => {
  await gateway?.close();
  await opened?.close();
});

/** The states of the servers of a list, by slug. */
async function statesOf(query: string, role: 'admin' | 'member') {
  const { data } = await gateway.graphql(query, { token: gateway.tokens[role] });
  const { nodes, edges = [] } = data.mcpServerConfigs ?? data.a;
  const found: { slug: string; viewerState: string }[] = nodes ?? edges.map(({ node }: any) => node);
  return Object.fromEntries(found.map(({ slug, viewerState }) => [slug, viewerState]));
}

test.each(LISTS)('a list shows each viewer their own connections: %s', async (query) => {
  for (let round = 0; round < 2; round += 1) {
    expect(await statesOf(query, 'member')).toEqual({ connected: 'READY', other: 'NEEDS_CONNECT', open: 'READY' });
    expect(await statesOf(query, 'admin')).toEqual({
      connected: 'NEEDS_CONNECT',
      other: 'NEEDS_CONNECT',
      open: 'READY',
    });
  }
});

test('if connections cannot be read, only what needs them is an error', async () => {
  const ask = (fields: string) =>
    gateway.graphql(`{ mcpServerConfigs { nodes { slug viewerStateReason ${fields} } } }`, {
      token: gateway.tokens.member,
    });
  await gateway.database.query('UPDATE feed_counter SET touches = touches + 1');
  breakable.broken = 'mcp_server_user_tokens';
  const partly = await ask('id');
  const broken = await ask('authConnected');
  breakable.broken = undefined;
  const { nodes } = partly.data.mcpServerConfigs;
  expect(nodes).toHaveLength(3);
  const failed = partly.errors?.map(({ path }: any) => `${nodes[path.at(-2)].slug} ${path.at(-1)}`);
  expect(failed?.sort()).toEqual(['connected viewerStateReason', 'other viewerStateReason']);
  expect(broken.data).toBeNull();
  expect(broken.errors?.[0].extensions.code).toBe('INTERNAL_SERVER_ERROR');
  expect((await ask('authConnected')).data.mcpServerConfigs.nodes).toHaveLength(3);
});
