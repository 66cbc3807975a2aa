import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { lastSeq, readEntries } from './audit-entries.ts';
import { KEY, SECRET, secretsWith, TRACES } from './canaries.ts';
import { newChat, writeMessage } from './chat-operations.ts';
import { createId, issuesOf, update } from './config-operations.ts';

const PROXY = '10.0.0.1';
/** An id that the gateway made itself. */
const GENERATED = /^[0-9a-f-]{36}$/;

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway({ env: { GATEHOUSE_TRUSTED_PROXIES: PROXY } });
});
afterAll(() => gateway?.close());

const FIELDS = `id occurredAt actorKind actorId actorEmail actor { id email } action outcome targetType targetId
  targetLabel reason requestId address changes { field isSecret before after }`;

async function list(args: Record<string, unknown> = {}) {
  const query = `query ($first: Int, $after: String, $filter: AuditLogFilter) {
    auditLog(first: $first, after: $after, filter: $filter) {
      totalCount nodes { ${FIELDS} } pageInfo { hasNextPage endCursor } } }`;
  return gateway.graphql(query, { token: gateway.tokens.auditor, variables: { first: 200, ...args } });
}

async function nodesOf(filter: Record<string, unknown> = {}): Promise<any[]> {
  const { data, errors } = await list({ filter });
  expect(errors).toBeUndefined();
  expect(data.auditLog.totalCount).toBe(data.auditLog.nodes.length);
  return data.auditLog.nodes;
}

describe('filters', () => {
  let configId: string;
  beforeAll(async () => {
    configId = await createId(gateway, { enabled: true });
    await update(gateway, configId, { description: 'Changed.' });
    await newChat(gateway, 'member');
    await gateway.graphql('{ exportMcpServers }', { token: gateway.tokens.member });
  });

  test.each([
    ['actorId', () => gateway.userIds.member],
    ['action', () => 'MCP_SERVER_CONFIG_UPDATE'],
    ['outcome', () => 'DENIED'],
    ['targetType', () => 'CHAT'],
    ['targetId', () => configId],
  ])('%s returns exactly the matching entries', async (field, toValue) => {
    const value = toValue();
    const all = await nodesOf();
    const expected = all.filter((entry) => entry[field] === value);
    expect(expected.length).toBeGreaterThan(0);
    expect(expected.length).toBeLessThan(all.length);
    expect(await nodesOf({ [field]: value })).toEqual(expected);
  });

  test('all conditions must hold', async () => {
    const filter = { targetId: configId, action: 'MCP_SERVER_CONFIG_UPDATE', actorId: gateway.userIds.admin };
    expect((await nodesOf(filter)).map(({ targetId }) => targetId)).toEqual([configId]);
    expect(await nodesOf({ ...filter, outcome: 'DENIED' })).toEqual([]);
  });

  test('since is inclusive, until exclusive', async () => {
    const all = await nodesOf();
    const at = all[Math.floor(all.length / 2)].occurredAt;
    expect(await nodesOf({ since: at })).toEqual(all.filter(({ occurredAt }) => occurredAt >= at));
    expect(await nodesOf({ until: at })).toEqual(all.filter(({ occurredAt }) => occurredAt < at));
    expect(await nodesOf({ since: at, until: at })).toEqual([]);
  });
});

describe('pages', () => {
  test('contain every entry once, newest first, even while others are written', async () => {
    const before = await nodesOf();
    const found: any[] = [];
    let after: string | null = null;
    for (let hasNextPage = true; hasNextPage; ) {
      const { data } = await list({ first: 7, after });
      found.push(...data.auditLog.nodes);
      ({ hasNextPage, endCursor: after } = data.auditLog.pageInfo);
      await newChat(gateway, 'member');
    }
    expect(found.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    expect(found.map(({ id }) => Number(id))).toEqual(Array.from(before.keys(), (index) => before.length - index));
  });

  test.each([
    ['is none', 'nonsense'],
    ['is plain', Buffer.from(JSON.stringify(['audit', '1'])).toString('base64url')],
  ])('a cursor that %s is CURSOR_INVALID', async (_name, after) => {
    const { errors } = await list({ after });
    expect(errors?.[0].extensions.code).toBe('CURSOR_INVALID');
  });

  test('have a limited size', async () => {
    expect(issuesOf(await list({ first: 501 }))).toEqual(['first: OUT_OF_RANGE']);
    expect(issuesOf(await list({ first: -1 }))).toEqual(['first: OUT_OF_RANGE']);
    expect((await list({ first: 0 })).data.auditLog.nodes).toEqual([]);
  });
});

describe('an entry contains', () => {
  test('before and after of each changed field, and no other', async () => {
    const id = await createId(gateway, { toolDenyList: ['a'] });
    await update(gateway, id, { toolDenyList: ['a', 'b'], enabled: true, description: '' });
    const [changed, created] = await nodesOf({ targetId: id });
    expect(changed.changes).toEqual([
      { field: 'toolDenyList', isSecret: false, before: '["a"]', after: '["a","b"]' },
      { field: 'enabled', isSecret: false, before: 'false', after: 'true' },
    ]);
    expect(created.changes.every(({ before }: any) => before === 'null')).toBe(true);
  });

  test('the request id as in the log and the answer', async () => {
    const token = gateway.tokens.member;
    const send = async (headers: Record<string, string>, from: string) => {
      const init = {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query: 'mutation { createChat(input: {}) { id } }' }),
      };
      const answered = (await gateway.fetch('/graphql', init, from)).headers.get('x-request-id');
      const [entry] = await nodesOf({ action: 'CHAT_CREATE' });
      expect(entry.requestId).toBe(answered);
      return entry.requestId;
    };
    const own = await send({}, PROXY);
    expect(own).toMatch(GENERATED);
    expect(gateway.logs()).toContain(own);
    expect(await send({ 'x-request-id': 'given-by-the-proxy' }, PROXY)).toBe('given-by-the-proxy');
    expect(await send({ 'x-request-id': 'x y"; DROP' }, PROXY)).toMatch(GENERATED);
    // Nobody else can choose it: their entries could not be told from those of another request.
    expect(await send({ 'x-request-id': 'given-by-the-caller' }, '203.0.113.5')).toMatch(GENERATED);
  });

  test('the actor as they were, even after their deletion', async () => {
    const { admin: token } = gateway.tokens;
    const email = `${randomUUID()}@example.com`;
    const run = async (mutation: string, by = token) =>
      (await gateway.graphql(`mutation { ${mutation} }`, { token: by })).data;
    const userId = (await run(`createUser(input: { email: "${email}" }) { id }`)).createUser.id;
    const own = (await run(`createApiToken(input: { userId: "${userId}", name: "t" }) { token }`)).createApiToken.token;
    await run('createChat(input: {}) { id }', own);
    await run(`deleteUser(id: "${userId}") { deletedId }`);
    const [entry] = await nodesOf({ actorId: userId });
    expect(entry).toMatchObject({ action: 'CHAT_CREATE', actorEmail: email, actorId: userId, actor: null });
  });

  test('nothing that people write in chats', async () => {
    const { id } = await newChat(gateway, 'member', { title: 'canary-title' });
    await writeMessage(gateway, 'member', { chatId: id, content: 'canary-content' });
    const entries = await nodesOf({ targetId: id });
    expect(entries).toHaveLength(2);
    expect(JSON.stringify(entries)).not.toContain('canary');
  });
});

test("a config's history is available, even after its deletion", async () => {
  const id = await createId(gateway, { enabled: true });
  await update(gateway, id, { description: 'One.' });
  await gateway.graphql(`mutation { deleteMcpServerConfig(id: "${id}") { deletedId } }`, {
    token: gateway.tokens.admin,
  });
  const query = `{ mcpServerConfigHistory(id: "${id}") { totalCount nodes { action changes { field before after } } } }`;
  const { data } = await gateway.graphql(query, { token: gateway.tokens.auditor });
  const { totalCount, nodes } = data.mcpServerConfigHistory;
  expect(totalCount).toBe(3);
  expect(nodes.map(({ action }: any) => action)).toEqual([
    'MCP_SERVER_CONFIG_DELETE',
    'MCP_SERVER_CONFIG_UPDATE',
    'MCP_SERVER_CONFIG_CREATE',
  ]);
  expect(nodes[1].changes).toEqual([{ field: 'description', before: '""', after: '"One."' }]);
});

describe('secrets', () => {
  const expectNoTraces = (text: string) => {
    for (const trace of TRACES) expect(text).not.toContain(trace);
  };

  test('are never in an entry, only that each changed', async () => {
    const from = await lastSeq(gateway);
    const id = await createId(gateway, { ...secretsWith((canary) => canary), authType: 'API_KEY', apiKeyHeader: 'X' });
    await update(gateway, id, { apiKeyValue: `${KEY}2` });
    await update(gateway, id, { oauth2ClientSecret: `${SECRET}2`, customHeaders: [{ name: 'X-B', value: KEY }] });
    await update(gateway, id, { url: 'https://other.example.com/', ...secretsWith((canary) => `${canary}3`) });
    await update(gateway, id, { customHeaders: [] });
    await gateway.graphql(`mutation { deleteMcpServerConfig(id: "${id}") { deletedId } }`, {
      token: gateway.tokens.admin,
    });
    const entries = await readEntries(gateway, from);
    expect(entries).toHaveLength(6);
    expectNoTraces(JSON.stringify(entries));
    const [created, key, two] = entries.map(({ changes }) => JSON.parse(changes));
    for (const field of ['oauth2ClientSecret', 'apiKeyValue', 'customHeaders']) {
      expect(created).toContainEqual({ field, changed: true });
    }
    expect(key).toEqual([{ field: 'apiKeyValue', changed: true }]);
    expect(two).toEqual([
      { field: 'oauth2ClientSecret', changed: true },
      { field: 'customHeaders', changed: true },
    ]);
    const nodes = await nodesOf({ targetId: id });
    expectNoTraces(JSON.stringify(nodes));
    const secrets = nodes.flatMap(({ changes }) => changes).filter(({ isSecret }: any) => isSecret);
    expect(secrets.length).toBeGreaterThan(8);
    for (const { before, after } of secrets) expect([before, after]).toEqual([null, null]);
  });

  test('such as tokens, cookies and links are never in an entry', async () => {
    const { admin: token, member } = gateway.tokens;
    const from = await lastSeq(gateway);
    const { data } = await gateway.graphql(
      `mutation { createApiToken(input: { userId: "${gateway.userIds.member}", name: "t" }) { token apiToken { id } } }`,
      { token },
    );
    const issued = data.createApiToken;
    const link = await gateway.createSignInUrl();
    const answers = [
      await gateway.fetch(link),
      await gateway.fetch('/auth/session', { method: 'POST', headers: { authorization: `Bearer ${member}` } }),
    ];
    await gateway.fetch(link);
    await gateway.graphql('{ exportMcpServers }', { token: issued.token });
    await gateway.graphql(`mutation { revokeApiToken(id: "${issued.apiToken.id}") { apiToken { id } } }`, { token });
    const cookies = answers.map((each) => /=([^;]+)/.exec(each.headers.get('set-cookie') ?? '')?.[1] ?? '');
    const text = JSON.stringify(await readEntries(gateway, from));
    expect(text).toContain('session.create');
    const secrets = [issued.token, link.split('token=')[1], member, ...cookies];
    for (const secret of secrets) {
      expect(secret?.length).toBeGreaterThan(20);
      expect(text).not.toContain(secret);
    }
  });
});
