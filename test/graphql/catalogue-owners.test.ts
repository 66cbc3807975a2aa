// Whose list a server's tools are: of everybody, or of one user.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { McpServerConfigRecord } from '../../src/data/records.ts';
import type { UpstreamListing } from '../../src/domain/catalogue/upstream-tools.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createId, update } from './config-operations.ts';
import { insertUserToken } from './user-tokens.ts';

/** What a server lists for a user, by their id. */
let answers: Map<string | null, UpstreamListing>;
/** Happens while a server is being listed, once. */
let meanwhile: (() => Promise<unknown>) | undefined;
/** For whom it was listed. */
let calls: (string | null)[];

async function listTools(_config: McpServerConfigRecord, userId: string | null): Promise<UpstreamListing> {
  calls.push(userId);
  const answer = answers.get(userId);
  const happens = meanwhile;
  meanwhile = undefined;
  await happens?.();
  return answer ?? { kind: 'failed', isReachable: false, problem: 'TIMEOUT', latencyMs: 7, server: null };
}

function listed(names: readonly string[], more: { cacheScope?: 'public'; description?: string } = {}): UpstreamListing {
  const { cacheScope, description = 'Does it.' } = more;
  const tools = names.map((name) => ({ name, description, inputSchema: { type: 'object' } }));
  return { kind: 'listed', tools, latencyMs: 5, server: null, cacheScope };
}

let gateway: TestGateway;
let id: string;
let serial = 0;

beforeAll(async () => {
  gateway = await createTestGateway({ upstreamTools: { listTools }, listsInBackground: true });
});
afterAll(() => gateway?.close());
beforeEach(() => {
  answers = new Map();
  calls = [];
});

/** A server that users connect to, or one that needs no credentials. */
async function define(authType: 'OAUTH2' | 'NONE'): Promise<void> {
  serial += 1;
  const name = `owned-${serial}`;
  const url = 'https://mcp.example.com/mcp';
  const oauth = {
    authType,
    oauth2ClientId: 'client',
    oauth2AuthUrl: 'https://login.example.com/authorize',
    oauth2TokenUrl: 'https://login.example.com/token',
  };
  const fields = { slug: name, displayName: name, url, enabled: true, ...(authType === 'OAUTH2' && oauth) };
  id = await createId(gateway, fields);
}

const connect = (userId: string): Promise<unknown> => insertUserToken(gateway, { configId: id, userId });

async function toolsOf(role: 'admin' | 'auditor' | 'member'): Promise<string[]> {
  const query = `{ mcpServerConfig(id: "${id}") { tools { nodes { name } } } }`;
  const { data } = await gateway.graphql(query, { token: gateway.tokens[role] });
  return data.mcpServerConfig.tools.nodes.map(({ name }: { name: string }) => name);
}

/** Waits until the list of a user was listed and stored. */
async function listedFor(userId: string): Promise<void> {
  const sql = `SELECT 1 FROM mcp_server_tool_lists WHERE mcp_server_config_id = $1::uuid AND user_id = $2::uuid
    AND attempted_at IS NOT NULL AND lease_until IS NULL`;
  await expect.poll(() => gateway.database.query(sql, [id, userId])).toHaveLength(1);
}

test('what a server says is the same for everybody is shown to everybody, whoever listed it', async () => {
  const { member } = gateway.userIds;
  await define('OAUTH2');
  answers.set(member, listed(['open'], { cacheScope: 'public' }));
  await connect(member);
  await expect.poll(() => toolsOf('auditor')).toEqual(['open']);
});

test('the list of everybody stays with the admin whose connection listed it first', async () => {
  const { admin, member } = gateway.userIds;
  const create = 'mutation { createUser(input: { email: "second@example.com", role: ADMIN }) { user { id } } }';
  const { data } = await gateway.graphql(create, { token: gateway.tokens.admin });
  const second = data.createUser.user.id;
  await define('OAUTH2');
  answers.set(admin, listed(['first']));
  answers.set(second, listed(['second']));
  answers.set(member, listed(['mine']));
  for (const userId of [admin, second, member]) {
    await connect(userId);
    await listedFor(userId);
  }
  expect(await toolsOf('auditor')).toEqual(['first']);
  expect(await toolsOf('member')).toEqual(['mine']);
});

test("a user's own list that is too large leaves them the one of everybody", async () => {
  const { admin, member } = gateway.userIds;
  await define('OAUTH2');
  answers.set(admin, listed(['read']));
  answers.set(member, listed(['a', 'b', 'c', 'd', 'e'], { description: 'x'.repeat(250_000) }));
  await connect(admin);
  await listedFor(admin);
  await connect(member);
  await listedFor(member);
  expect(await toolsOf('member')).toEqual(['read']);
});

test('what was listed while the server changed its address is not stored: the new one is listed', async () => {
  await define('NONE');
  await expect.poll(() => calls).toHaveLength(1);
  answers.set(null, listed(['old']));
  meanwhile = async () => {
    answers.set(null, listed(['new']));
    await update(gateway, id, { url: 'https://moved.example.com/mcp' });
  };
  const refresh = `mutation { refreshMcpServerTools(input: { id: "${id}" }) { problem } }`;
  const { data } = await gateway.graphql(refresh, { token: gateway.tokens.admin });
  expect(data.refreshMcpServerTools).toEqual({ problem: null });
  expect(await toolsOf('admin')).toEqual(['new']);
});
