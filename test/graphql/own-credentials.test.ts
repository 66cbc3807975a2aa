import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CREDENTIAL_LIMITS } from '../../src/limits/credential-limits.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createId, issuesOf } from './config-operations.ts';
import { createSubjects, listRootFields, type Subjects, schema, toOperation } from './root-fields.ts';

const CREATE = `mutation ($input: CreateApiTokenInput!) {
  createApiToken(input: $input) { token apiToken { id scopes mcpServerIds expiresAt } } }`;
const REVOKE = 'mutation ($id: UUID!) { revokeApiToken(id: $id) { apiToken { id } } }';
const END = 'mutation ($id: UUID!) { endSession(input: { id: $id }) { endedId } }';
const OWN = '{ viewer { apiTokens { id name } sessions { id isCurrent apiTokenId } } }';
const DAY_MS = 86_400_000;
/** Files, pages without anything that is stored, health, and metadata. Their answers are the same for every caller. */
const OPEN_ROUTES = [
  ...['/healthz', '/readyz', '/metrics', '/assets/:name', '/'],
  ...['/servers', '/servers/*', '/chats', '/chats/*', '/account', '/account/*', '/admin', '/admin/*'],
  ...['/api/openapi.json', '/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp'],
  '/.well-known/oauth-protected-resource/mcp/servers/:slug',
  '/.well-known/oauth-protected-resource/mcp/chats/:chatId',
  '/api/experimental/mcp/servers/:id/oauth2/client.json',
  '/graphql/assets/:fileName',
];

let gateway: TestGateway;
let subjects: Subjects;
beforeAll(async () => {
  gateway = await createTestGateway({ env: { GATEHOUSE_MAX_API_TOKENS_PER_USER: '8' } });
  subjects = await createSubjects(gateway);
});
afterAll(() => gateway?.close());

const create = (token: string, input: object) =>
  gateway.graphql(CREATE, { token, variables: { input: { name: 'x', ...input } } });

/** A token of a new member, limited as given. */
async function newToken(input: object = {}): Promise<{ token: string; userId: string; id: string }> {
  const token = gateway.tokens.admin;
  const email = `${crypto.randomUUID()}@example.com`;
  const user = await gateway.graphql(`mutation { createUser(input: { email: "${email}" }) { id } }`, { token });
  const userId = user.data.createUser.id;
  const { data } = await create(token, { userId, ...input });
  return { token: data.createApiToken.token, userId, id: data.createApiToken.apiToken.id };
}

async function openSession(token: string): Promise<Response> {
  return gateway.fetch('/auth/session', { method: 'POST', headers: { authorization: `Bearer ${token}` } });
}

const headersOf = (opened: Response) => ({
  cookie: opened.headers.get('set-cookie')?.split(';')[0] ?? '',
  origin: gateway.config.publicUrl,
});

const codeOf = (answer: { errors?: any[] }) => answer.errors?.[0].extensions.code ?? 'ok';

describe('a member', () => {
  test('creates, lists and revokes their own tokens', async () => {
    const me = await newToken();
    const { data } = await create(me.token, { name: 'Laptop' });
    expect(data.createApiToken.apiToken).toMatchObject({ scopes: ['GRAPH', 'MCP'], mcpServerIds: null });
    const mine = await gateway.graphql(OWN, { token: data.createApiToken.token });
    expect(mine.data.viewer.apiTokens.map(({ name }: { name: string }) => name)).toEqual(['x', 'Laptop']);
    const variables = { id: data.createApiToken.apiToken.id };
    expect(codeOf(await gateway.graphql(REVOKE, { token: me.token, variables }))).toBe('ok');
    expect((await gateway.graphql(OWN, { token: data.createApiToken.token })).status).toBe(401);
  });

  test('cannot create, revoke or see those of others, and learns not which exist', async () => {
    const [me, other] = [await newToken(), await newToken()];
    expect(codeOf(await create(me.token, { userId: other.userId }))).toBe('FORBIDDEN');
    for (const id of [other.id, crypto.randomUUID()]) {
      expect(codeOf(await gateway.graphql(REVOKE, { token: me.token, variables: { id } }))).toBe('FORBIDDEN');
      expect(codeOf(await gateway.graphql(END, { token: me.token, variables: { id } }))).toBe('FORBIDDEN');
    }
    expect((await gateway.graphql(OWN, { token: other.token })).status).toBe(200);
    // A service sees the owner of a chat, and not what they have.
    const owner = `{ chat(id: "${subjects.chatIds['member']}") { owner { apiTokens { id } sessions { id } } } }`;
    const { data } = await gateway.graphql(owner, { token: gateway.tokens.service });
    expect(data.chat.owner).toEqual({ apiTokens: null, sessions: null });
  });

  test('has at most as many tokens as the quota allows', async () => {
    const me = await newToken();
    for (let count = 1; count < 8; count += 1) expect(codeOf(await create(me.token, {}))).toBe('ok');
    expect(issuesOf(await create(me.token, {}))).toEqual(['userId: QUOTA_EXCEEDED']);
  });

  test('cannot fill the database with revoked tokens', async () => {
    const me = await newToken();
    const kept = CREDENTIAL_LIMITS.endedTokens.value;
    await gateway.database.query(
      `INSERT INTO api_tokens (id, user_id, name, token_hash, revoked_at)
       SELECT gen_random_uuid(), $1::uuid, 'old', md5(n::text) || md5(n::text || $1), now() - n * interval '1 hour'
       FROM generate_series(1, ${kept + 20}) n`,
      [me.userId],
    );
    expect(codeOf(await create(me.token, {}))).toBe('ok');
    const sql =
      'SELECT min(revoked_at) > now() - interval \'101 hours\' AS "areNewest", count(revoked_at)::int AS count';
    const rows = await gateway.database.query(`${sql} FROM api_tokens WHERE user_id = $1::uuid`, [me.userId]);
    expect(rows).toEqual([{ areNewest: true, count: kept }]);
  });

  test('sees their sessions, and ends one of them at once', async () => {
    const me = await newToken();
    const [one, other] = [headersOf(await openSession(me.token)), headersOf(await openSession(me.token))];
    const { data } = await gateway.graphql(OWN, { headers: one });
    expect(data.viewer.sessions).toHaveLength(2);
    expect(data.viewer.sessions.filter((each: { isCurrent: boolean }) => each.isCurrent)).toHaveLength(1);
    expect(data.viewer.sessions[0].apiTokenId).toBe(me.id);
    const { id } = data.viewer.sessions.find((each: { isCurrent: boolean }) => !each.isCurrent);
    expect(codeOf(await gateway.graphql(END, { headers: one, variables: { id } }))).toBe('ok');
    expect((await gateway.graphql(OWN, { headers: other })).status).toBe(401);
    expect((await gateway.graphql(OWN, { headers: one })).data.viewer.sessions).toHaveLength(1);
  });
});

test('an admin ends and revokes what others have', async () => {
  const other = await newToken();
  const cookie = headersOf(await openSession(other.token));
  const { data } = await gateway.graphql(OWN, { token: other.token });
  const token = gateway.tokens.admin;
  const variables = { id: data.viewer.sessions[0].id };
  expect(codeOf(await gateway.graphql(END, { token: gateway.tokens.auditor, variables }))).toBe('FORBIDDEN');
  expect(codeOf(await gateway.graphql(END, { token, variables }))).toBe('ok');
  expect(codeOf(await gateway.graphql(END, { token, variables }))).toBe('NOT_FOUND');
  expect((await gateway.graphql(OWN, { headers: cookie })).status).toBe(401);
  expect(codeOf(await gateway.graphql(REVOKE, { token, variables: { id: other.id } }))).toBe('ok');
  expect((await gateway.graphql(OWN, { token: other.token })).status).toBe(401);
});

describe('limits', () => {
  test.each<[object, string[]]>([
    [{ scopes: [] }, ['scopes: REQUIRED']],
    [{ mcpServerIds: [] }, ['mcpServerIds: REQUIRED']],
    [{ scopes: ['GRAPH', 'MCP'], mcpServerIds: [crypto.randomUUID()] }, ['scopes: SCOPE_TOO_WIDE']],
    [{ mcpServerIds: Array.from({ length: 201 }, () => crypto.randomUUID()) }, ['mcpServerIds: TOO_MANY']],
  ])('%j are refused', async (input, issues) => {
    expect(issuesOf(await create(gateway.tokens.member, input))).toEqual(issues);
  });

  test('to servers make a token for tools only', async () => {
    const id = await createId(gateway);
    const me = await newToken();
    const { data } = await create(me.token, { mcpServerIds: [id, id] });
    expect(data.createApiToken.apiToken).toMatchObject({ scopes: ['MCP'], mcpServerIds: [id] });
  });

  test('are kept by what a limited token makes', async () => {
    const expiresAt = new Date(gateway.clock.now.getTime() + DAY_MS).toISOString();
    const me = await newToken({ scopes: ['GRAPH'], expiresAt });
    const session = headersOf(await openSession(me.token));
    for (const options of [{ token: me.token }, { headers: session }]) {
      const make = (input: object) =>
        gateway.graphql(CREATE, { ...options, variables: { input: { name: 'x', ...input } } });
      expect(codeOf(await make({ expiresAt }))).toBe('FORBIDDEN');
      expect(codeOf(await make({ scopes: ['MCP'], expiresAt }))).toBe('FORBIDDEN');
      expect(issuesOf(await make({ scopes: ['GRAPH'] }))).toEqual(['expiresAt: TOO_LATE']);
      const later = new Date(gateway.clock.now.getTime() + DAY_MS + 1).toISOString();
      expect(issuesOf(await make({ scopes: ['GRAPH'], expiresAt: later }))).toEqual(['expiresAt: TOO_LATE']);
      expect(codeOf(await make({ scopes: ['GRAPH'], expiresAt }))).toBe('ok');
    }
  });
});

describe('a token without the scope GRAPH', () => {
  let token: string;
  beforeAll(async () => {
    const input = { userId: gateway.userIds.admin, scopes: ['MCP'] };
    token = (await create(gateway.tokens.admin, input)).data.createApiToken.token;
  });

  test.each(listRootFields())('is refused by %s', async (field) => {
    const answer = await gateway.graphql(toOperation(field, subjects, 'admin'), { token });
    expect([answer.status, codeOf(answer), answer.data]).toEqual([403, 'FORBIDDEN', undefined]);
  });

  test.each(Object.keys(schema.getSubscriptionType()?.getFields() ?? {}))(
    'is refused by the subscription %s',
    async (field) => {
      const query = `subscription { ${field} { __typename } }`;
      for (const method of ['POST', 'GET']) {
        const response = await gateway.fetch(
          `/graphql${method === 'GET' ? `?${new URLSearchParams({ query })}` : ''}`,
          {
            method,
            headers: {
              authorization: `Bearer ${token}`,
              accept: 'text/event-stream',
              'content-type': 'application/json',
            },
            ...(method === 'POST' && { body: JSON.stringify({ query }) }),
          },
        );
        expect(response.status).toBe(403);
        expect(response.headers.get('content-type')).not.toContain('event-stream');
      }
    },
  );

  test('is refused by every route that looks at credentials, and by none of the doors', async () => {
    const { guarded } = listRoutes();
    expect(guarded.length).toBeGreaterThan(40);
    for (const { method, path } of guarded) {
      for (const name of ['authorization', ...(path.startsWith('/api/') ? ['coder-session-token'] : [])]) {
        const value = name === 'authorization' ? `Bearer ${token}` : token;
        const init = { method, headers: { [name]: value } };
        const response = await gateway.fetch(path.replace(/:\w+/, subjects.configId), init);
        expect([method, path, name, response.status]).toEqual([method, path, name, 403]);
        expect(response.headers.get('set-cookie')).toBeNull();
      }
    }
  });

  test('meets no other routes but those for everybody', () => {
    expect(listRoutes().open).toEqual(OPEN_ROUTES);
  });
});

test('a token without the scope MCP is refused by every door', async () => {
  const { token } = await newToken({ scopes: ['GRAPH'] });
  const { doors } = listRoutes();
  expect(doors.map(({ path }) => path)).toEqual(['/mcp', '/mcp/servers/:slug', '/mcp/chats/:chatId']);
  for (const { method, path } of doors) {
    const init = { method, headers: { authorization: `Bearer ${token}` } };
    const response = await gateway.fetch(path.replace(/:\w+/, subjects.slug), init);
    expect([path, response.status]).toEqual([path, 403]);
  }
});

/** The routes of the app: those without a look at credentials, the doors, and all others. */
function listRoutes() {
  const routes = gateway.app.routes.filter(({ method }) => method !== 'ALL');
  const first = routes.findIndex(({ path }) => path === '/mcp');
  const behind = routes.slice(first);
  const isDoor = ({ path }: { path: string }) => /^\/mcp(?:\/|$)/.test(path);
  return {
    open: [...new Set(routes.slice(0, first).map(({ path }) => path))],
    doors: behind.filter(isDoor),
    guarded: behind.filter((route) => !isDoor(route)),
  };
}

describe('a sign-in link of an admin', () => {
  const LINK = 'mutation ($userId: UUID!) { createSignInLink(input: { userId: $userId }) { url expiresAt } }';
  const makeLink = (token: string, userId: string) => gateway.graphql(LINK, { token, variables: { userId } });
  const pathOf = (url: string) => url.slice(gateway.config.publicUrl.length);

  test('signs its user in, once, and replaces the one before', async () => {
    const { userId } = await newToken();
    const [first, second] = [
      await makeLink(gateway.tokens.admin, userId),
      await makeLink(gateway.tokens.admin, userId),
    ].map(({ data }) => pathOf(data.createSignInLink.url));
    expect((await gateway.fetch(first ?? '')).status).toBe(401);
    const opened = await gateway.fetch(second ?? '');
    expect(opened.status).toBe(303);
    const { data } = await gateway.graphql('{ viewer { id role } }', { headers: headersOf(opened) });
    expect(data.viewer).toEqual({ id: userId, role: 'MEMBER' });
    expect((await gateway.fetch(second ?? '')).status).toBe(401);
    // Not the operator's own session: it does not end with their token.
    const sql = 'SELECT bootstrap_digest FROM sessions WHERE user_id = $1::uuid';
    expect(await gateway.database.query(sql, [userId])).toEqual([{ bootstrap_digest: null }]);
    expect(gateway.logs()).not.toContain(second?.split('=')[1]);
  });

  test('is not made for a suspended user', async () => {
    expect(issuesOf(await makeLink(gateway.tokens.admin, gateway.userIds.suspended))).toEqual(['userId: SUSPENDED']);
  });

  test('is no way around the limits of a token', async () => {
    const { userId } = await newToken();
    const expiresAt = new Date(gateway.clock.now.getTime() + DAY_MS).toISOString();
    const make = async (input: object) =>
      (await create(gateway.tokens.admin, { userId: gateway.userIds.admin, ...input })).data.createApiToken.token;
    expect(codeOf(await makeLink(await make({ scopes: ['GRAPH'] }), userId))).toBe('FORBIDDEN');
    const expiring = await make({ expiresAt });
    expect(codeOf(await makeLink(expiring, gateway.userIds.admin))).toBe('FORBIDDEN');
    expect(codeOf(await makeLink(expiring, userId))).toBe('ok');
  });
});
