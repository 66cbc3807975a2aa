import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { registerKeys } from '../../src/data/keys/key-registry.ts';
import { CHAT_GROUP } from '../../src/http/rest/chat-operations.ts';
import { SERVER_GROUP } from '../../src/http/rest/server-operations.ts';
import { newMasterKey } from '../data/encryption-setup.ts';
import { createRestClient, minimalServer, SERVERS } from '../http/rest-client.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { type SmallMcpServer, startModernServer } from '../setup/mcp-servers.ts';
import { entriesOf } from './audit-entries.ts';
import { newChat } from './chat-operations.ts';
import { createId } from './config-operations.ts';
import { withPrisma } from './encryption-key-rows.ts';
import { createSubjects, listRootFields, type Subjects, toOperation, uniqueSlug } from './root-fields.ts';
import { insertTools, LISTS_READ } from './tool-rows.ts';
import { insertUserToken } from './user-tokens.ts';

const MISSING = '00000000-0000-4000-8000-00000000dead';

interface Expected {
  action: string;
  target: string | null;
  /** A call that is allowed and fails; absent if there is none. */
  failing?: string;
}

/** What each mutation records, and a call of it that fails. A new mutation fails this test until it is listed here. */
const MUTATIONS: Readonly<Record<string, Expected>> = {
  createMcpServerConfig: {
    action: 'mcpServerConfig.create',
    target: 'mcp_server_config',
    failing: '(input: { displayName: "", slug: "x", url: "y" }) { id }',
  },
  updateMcpServerConfig: {
    action: 'mcpServerConfig.update',
    target: 'mcp_server_config',
    failing: `(id: "${MISSING}", patch: { description: "x" }) { id }`,
  },
  restoreMcpServerConfigVersion: {
    action: 'mcpServerConfig.update',
    target: 'mcp_server_config',
    failing: `(input: { id: "${MISSING}", version: 1 }) { unrestoredSecrets }`,
  },
  deleteMcpServerConfig: {
    action: 'mcpServerConfig.delete',
    target: 'mcp_server_config',
    failing: `(id: "${MISSING}") { deletedId }`,
  },
  // Of no stored config: about a URL, whose origin is in the reason.
  discoverMcpServerOAuth: {
    action: 'mcpServerConfig.discoverOAuth',
    target: null,
    failing: '(input: { url: "http://mcp.example.com/" }) { discovery { issuer } }',
  },
  testMcpServer: {
    action: 'mcpServerConfig.test',
    target: 'mcp_server_config',
    failing: `(input: { id: "${MISSING}" }) { isOk }`,
  },
  disconnectMcpServer: { action: 'mcpServerConnection.disconnect', target: 'mcp_server_config' },
  removeMcpServerUserTokens: {
    action: 'mcpServerConnection.remove',
    target: 'mcp_server_config',
    failing: `(id: "${MISSING}") { removedCount }`,
  },
  importMcpServers: {
    action: 'mcpServerConfig.create',
    target: 'mcp_server_config',
    failing: '(input: { dryRun: false, content: "no JSON" }) { diff }',
  },
  refreshMcpServerTools: {
    action: 'mcpServerTools.refresh',
    target: 'mcp_server_config',
    failing: `(input: { id: "${MISSING}" }) { problem }`,
  },
  approveMcpTools: {
    action: 'mcpServerTools.approve',
    target: 'mcp_server_config',
    failing: `(input: { id: "${MISSING}", tools: [{ name: "a", digest: "b" }] }) { config { id } }`,
  },
  callMcpTool: {
    action: 'mcpTool.call',
    target: 'mcp_server_config',
    failing: `(input: { configId: "${MISSING}", tool: "who" }) { code }`,
  },
  createChat: { action: 'chat.create', target: 'chat', failing: `(input: { mcpServerIds: ["${MISSING}"] }) { id }` },
  createChatMessage: {
    action: 'chatMessage.create',
    target: 'chat',
    failing: `(input: { chatId: "${MISSING}", content: "x" }) { id }`,
  },
  updateChat: { action: 'chat.update', target: 'chat', failing: `(input: { id: "${MISSING}" }) { chat { id } }` },
  deleteChat: { action: 'chat.delete', target: 'chat', failing: `(input: { id: "${MISSING}" }) { deletedId }` },
  createUser: { action: 'user.create', target: 'user', failing: '(input: { email: "none" }) { id }' },
  updateUser: { action: 'user.update', target: 'user', failing: `(id: "${MISSING}", patch: { role: ADMIN }) { id }` },
  deleteUser: { action: 'user.delete', target: 'user', failing: `(id: "${MISSING}") { deletedId }` },
  createApiToken: {
    action: 'apiToken.create',
    target: 'api_token',
    failing: `(input: { userId: "${MISSING}", name: "x" }) { token }`,
  },
  revokeApiToken: { action: 'apiToken.revoke', target: 'api_token', failing: `(id: "${MISSING}") { apiToken { id } }` },
  createSignInLink: {
    action: 'signInLink.create',
    target: 'user',
    failing: `(input: { userId: "${MISSING}" }) { url }`,
  },
  endSession: { action: 'session.end', target: 'user', failing: `(input: { id: "${MISSING}" }) { endedId }` },
  verifyAuditLog: { action: 'auditLog.verify', target: null },
  addEncryptionKey: { action: 'encryptionKey.add', target: 'encryption_key' },
  // About all keys and values.
  rotateEncryptionKeys: { action: 'encryptionKey.rotate', target: null, failing: '(first: 0) { resealed }' },
  verifyEncryptedValues: { action: 'encryptionKey.verify', target: null },
  revokeEncryptionKey: {
    action: 'encryptionKey.revoke',
    target: 'encryption_key',
    failing: '(number: 999) { number }',
  },
};

const PROXY = '10.0.0.1';

let gateway: TestGateway;
let server: SmallMcpServer;
let subjects: Subjects;
beforeAll(async () => {
  server = await startModernServer();
  gateway = await createTestGateway({
    env: { GATEHOUSE_TRUSTED_PROXIES: PROXY, GATEHOUSE_ALLOWED_PRIVATE_CIDRS: `127.0.0.1:${server.port}` },
    upstreamTools: LISTS_READ,
  });
  subjects = await createSubjects(gateway);
  const callableId = await createId(gateway, { url: server.url, enabled: true });
  await insertTools(gateway, callableId, 'who');
  // A key that encrypts nothing and can be revoked.
  const keyNumber = await withPrisma(gateway, async (prisma) => {
    gateway.keyring.add(newMasterKey());
    return (await registerKeys(prisma, gateway.keyring)).registered[0] ?? 0;
  });
  subjects = { ...subjects, callableId, keyNumber };
});
afterAll(async () => {
  await gateway?.close();
  await server?.close();
});

const mutations = listRootFields()
  .filter((field) => field.startsWith('Mutation.'))
  .map((field) => field.slice('Mutation.'.length))
  .sort((a, b) => Number(a.startsWith('delete')) - Number(b.startsWith('delete')));

const headers = { 'x-request-id': 'request-of-the-test' };
const run = (query: string, caller: 'admin' | 'service') =>
  gateway.graphql(query, { token: gateway.tokens[caller], headers, from: PROXY });

test('the table has exactly the mutations of the schema', () => {
  expect(Object.keys(MUTATIONS).sort()).toEqual([...mutations].sort());
});

describe.each(mutations)('%s', (mutation) => {
  const expected = MUTATIONS[mutation];

  test('records only the refusal when it is refused', async () => {
    const entries = await entriesOf(gateway, async () => {
      const { errors } = await run(toOperation(`Mutation.${mutation}`, subjects, 'admin'), 'service');
      expect(errors?.[0].extensions.code).toBe('FORBIDDEN');
    });
    expect(entries.map(({ outcome, action }) => `${outcome} ${action}`)).toEqual(['denied access.denied']);
  });

  test.runIf(expected?.failing !== undefined)('records nothing when it fails', async () => {
    const entries = await entriesOf(gateway, async () => {
      const { errors } = await run(`mutation { ${mutation}${expected?.failing} }`, 'admin');
      expect(errors).toHaveLength(1);
      expect(['FORBIDDEN', 'UNAUTHENTICATED', undefined]).not.toContain(errors?.[0].extensions.code);
    });
    expect(entries).toEqual([]);
  });

  test('records who did what to what, and in which request', async () => {
    const entries = await entriesOf(gateway, async () => {
      const { errors } = await run(toOperation(`Mutation.${mutation}`, subjects, 'admin'), 'admin');
      expect(errors).toBeUndefined();
    });
    expect(entries).toMatchObject([
      {
        action: expected?.action,
        outcome: 'success',
        actor_kind: 'user',
        actor_id: gateway.userIds.admin,
        actor_email: 'admin@example.com',
        actor_role: 'admin',
        target_type: expected?.target,
        request_id: 'request-of-the-test',
      },
    ]);
    const [entry] = entries;
    if (expected?.target !== null) expect(entry?.target_id ?? entry?.target_label).toMatch(/./);
  });
});

describe('REST', () => {
  /** What each modifying route records. */
  const ROUTES: Readonly<Record<string, (rest: ReturnType<typeof createRestClient>) => Promise<unknown[]>>> = {
    createMcpServer: async (rest) => ['mcpServerConfig.create', await rest.define(minimalServer(uniqueSlug()))],
    updateMcpServer: async (rest) => [
      'mcpServerConfig.update',
      await rest.call('admin', 'PATCH', `${SERVERS}/${restConfigId}`, { description: 'x' }),
    ],
    testMcpServer: async (rest) => [
      'mcpServerConfig.test',
      await rest.call('admin', 'POST', `${SERVERS}/${restConfigId}/test`),
    ],
    disconnectMcpServer: async (rest) => [
      'mcpServerConnection.disconnect',
      await rest.call('admin', 'DELETE', `${SERVERS}/${restConfigId}/oauth2/disconnect`),
    ],
    deleteMcpServer: async (rest) => [
      'mcpServerConfig.delete',
      await rest.call('admin', 'DELETE', `${SERVERS}/${restConfigId}`),
    ],
    createChat: async (rest) => ['chat.create', await rest.call('admin', 'POST', CHAT_GROUP.prefix, {})],
    updateChat: async (rest) => [
      'chat.update',
      await rest.call('admin', 'PATCH', `${CHAT_GROUP.prefix}/${restChatId}`, { title: 'x' }),
    ],
    deleteChat: async (rest) => [
      'chat.delete',
      await rest.call('admin', 'DELETE', `${CHAT_GROUP.prefix}/${deletedChatId}`),
    ],
    createChatMessage: async (rest) => [
      'chatMessage.create',
      await rest.call('admin', 'POST', `${CHAT_GROUP.prefix}/${restChatId}/messages`, { content: 'x' }),
    ],
  };
  let restConfigId: string;
  let restChatId: string;
  let deletedChatId: string;
  beforeAll(async () => {
    restConfigId = await createId(gateway);
    await insertUserToken(gateway, { configId: restConfigId, userId: gateway.userIds.admin });
    restChatId = (await newChat(gateway, 'admin')).id;
    deletedChatId = (await newChat(gateway, 'admin')).id;
  });

  test('the table has every modifying route', () => {
    const all = Object.entries({ ...SERVER_GROUP.operations, ...CHAT_GROUP.operations });
    const changing = all.filter(([, { method }]) => method !== 'get').map(([name]) => name);
    expect(Object.keys(ROUTES).sort()).toEqual(changing.sort());
  });

  test.each(Object.keys(ROUTES))('%s records who did what', async (name) => {
    let action: unknown;
    const entries = await entriesOf(gateway, async () => {
      [action] = (await ROUTES[name]?.(createRestClient(gateway))) ?? [];
    });
    expect(entries).toMatchObject([
      { action, outcome: 'success', actor_id: gateway.userIds.admin, target_id: expect.any(String) },
    ]);
  });
});

describe('other recorded actions', () => {
  const cookieOf = (response: Response) => response.headers.get('set-cookie')?.split(';')[0] ?? '';
  const bearer = () => ({ authorization: `Bearer ${gateway.tokens.member}` });

  test('signing in and out, with a token or a link', async () => {
    let byToken = '';
    const opened = await entriesOf(gateway, async () => {
      byToken = cookieOf(await gateway.fetch('/auth/session', { method: 'POST', headers: bearer() }));
    });
    const who = { actor_id: gateway.userIds.member, target_type: 'user', target_id: gateway.userIds.member };
    expect(opened).toMatchObject([{ action: 'session.create', outcome: 'success', ...who }]);
    const ended = await entriesOf(gateway, () =>
      gateway.fetch('/auth/session', {
        method: 'DELETE',
        headers: { cookie: byToken, 'sec-fetch-site': 'same-origin' },
      }),
    );
    expect(ended).toMatchObject([{ action: 'session.end', outcome: 'success', ...who }]);
    const link = await gateway.createSignInUrl();
    const byLink = await entriesOf(gateway, () => gateway.fetch(link));
    expect(byLink).toMatchObject([{ action: 'session.create', actor_role: 'admin', target_type: 'user' }]);
    const again = await entriesOf(gateway, () => gateway.fetch(link));
    expect(again).toMatchObject([{ action: 'access.denied', outcome: 'denied', target_label: 'GET /auth/sign-in' }]);
  });

  test('an import, server by server, and nothing for a dry run', async () => {
    const content = JSON.stringify({
      mcpServers: { one: { url: 'https://one.example.com/' }, two: { url: 'https://two.example.com/' } },
    });
    const run = (dryRun: boolean) =>
      entriesOf(gateway, async () => {
        const query = `mutation ($content: String!) {
          importMcpServers(input: { content: $content, dryRun: ${dryRun} }) { diff } }`;
        await gateway.graphql(query, { token: gateway.tokens.admin, variables: { content } });
      });
    expect(await run(true)).toEqual([]);
    const entries = await run(false);
    expect(entries.map(({ action, target_label }) => `${action} ${target_label}`).sort()).toEqual([
      'mcpServerConfig.create one',
      'mcpServerConfig.create two',
    ]);
    expect(await run(false)).toEqual([]);
  });

  test('a change without effect is not recorded', async () => {
    const id = await createId(gateway, { description: 'x' });
    const patch = `mutation { updateMcpServerConfig(id: "${id}", patch: { description: "x" }) { id } }`;
    expect(await entriesOf(gateway, () => gateway.graphql(patch, { token: gateway.tokens.admin }))).toEqual([]);
  });
});
