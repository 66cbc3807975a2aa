import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashToken } from '../../src/domain/credentials/token-format.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { issuesOf } from './config-operations.ts';
import { readAllRows } from './database-rows.ts';

const HOUR_MS = 60 * 60 * 1_000;
const DAY_MS = 24 * HOUR_MS;

const CREATE = `mutation ($input: CreateApiTokenInput!) {
  createApiToken(input: $input) { token apiToken { id name expiresAt revokedAt lastUsedAt } }
}`;
const REVOKE = 'mutation ($id: UUID!) { revokeApiToken(id: $id) { apiToken { id revokedAt } } }';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway?.close());

async function createToken(input: { userId?: string; name?: string; expiresAt?: Date | null } = {}) {
  const { data, errors } = await gateway.graphql(CREATE, {
    token: gateway.tokens.bootstrap,
    variables: { input: { userId: gateway.userIds.member, name: 'test', ...input } },
  });
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data.createApiToken as { token: string; apiToken: { id: string; name: string; expiresAt: string | null } };
}

async function isGood(token: string): Promise<boolean> {
  const { status } = await gateway.graphql('{ viewer { id } }', { token });
  expect([200, 401]).toContain(status);
  return status === 200;
}

async function readToken(id: string): Promise<{ revokedAt: string | null; lastUsedAt: string | null }> {
  const { data } = await gateway.graphql('{ users(first: 500) { nodes { apiTokens { id revokedAt lastUsedAt } } } }', {
    token: gateway.tokens.bootstrap,
  });
  const tokens = data.users.nodes.flatMap((user: { apiTokens: { id: string }[] }) => user.apiTokens);
  return tokens.find((each: { id: string }) => each.id === id);
}

describe('a new token', () => {
  test('is shown once, and only its hash is stored', async () => {
    const { token, apiToken } = await createToken({ name: ' My laptop ' });
    expect(token).toMatch(/^gth_[0-9A-Za-z]{49}$/);
    expect(apiToken).toEqual({
      id: expect.any(String),
      name: 'My laptop',
      expiresAt: null,
      revokedAt: null,
      lastUsedAt: null,
    });
    expect(await isGood(token)).toBe(true);
    const rows = JSON.stringify(await readAllRows(gateway.database));
    expect(rows).toContain(hashToken(token));
    expect(rows).not.toContain(token.slice(4));
    expect(gateway.logs()).not.toContain(token.slice(4));
  });

  test.each([
    [{ name: '' }, ['name: REQUIRED']],
    [{ name: ' \n' }, ['name: REQUIRED']],
    [{ name: 'x'.repeat(121) }, ['name: TOO_LONG']],
    [{ name: 'a\0' }, ['name: INVALID_CHARACTER']],
    [{ name: '', expiresAt: new Date(0) }, ['name: REQUIRED', 'expiresAt: IN_THE_PAST']],
    [{ expiresAt: '9999-12-31T23:59:59-12:00' }, ['expiresAt: TOO_LATE']],
    [{ expiresAt: '0000-01-01T00:00:00Z' }, ['expiresAt: IN_THE_PAST']],
  ])('of %j is refused', async (input, issues) => {
    const variables = { input: { userId: gateway.userIds.member, name: 'test', ...input } };
    expect(issuesOf(await gateway.graphql(CREATE, { token: gateway.tokens.admin, variables }))).toEqual(issues);
  });

  test('for a missing user is NOT_FOUND', async () => {
    const variables = { input: { userId: randomUUID(), name: 'test' } };
    const { errors } = await gateway.graphql(CREATE, { token: gateway.tokens.admin, variables });
    expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });

  test('grants what its user may do, whoever created it', async () => {
    const { token } = await createToken({ userId: gateway.userIds.auditor });
    const { data } = await gateway.graphql('{ viewer { id role } users { totalCount } }', { token });
    expect(data.viewer).toEqual({ id: gateway.userIds.auditor, role: 'AUDITOR' });
  });
});

describe('an invalid token', () => {
  test.each<[string, (token: string) => string]>([
    ['with a letter changed', (token) => token.slice(0, -1) + (token.endsWith('a') ? 'b' : 'a')],
    ['cut off', (token) => token.slice(0, -1)],
    ['with more behind it', (token) => `${token}a`],
    ['in lower case', (token) => token.toLowerCase()],
    ['without its prefix', (token) => token.slice(4)],
    ['its hash', (token) => hashToken(token)],
    ['nothing', () => ''],
  ])('%s is refused', async (_name, change) => {
    const { token } = await createToken();
    expect(await isGood(change(token))).toBe(false);
    expect(await isGood(token)).toBe(true);
  });

  test.each(['Basic', 'Token', 'Bearer,', ''])('the scheme %j is refused', async (scheme) => {
    const { token } = await createToken();
    const headers = { 'content-type': 'application/json', authorization: `${scheme} ${token}`.trim() };
    const response = await gateway.fetch('/graphql', {
      method: 'POST',
      headers,
      body: '{"query":"{ viewer { id } }"}',
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
  });
});

test('a token expires on time', async () => {
  const { token } = await createToken({ expiresAt: new Date(gateway.clock.now.getTime() + HOUR_MS) });
  expect(await isGood(token)).toBe(true);
  gateway.clock.advance(HOUR_MS - 1);
  expect(await isGood(token)).toBe(true);
  gateway.clock.advance(1);
  expect(await isGood(token)).toBe(false);
});

test('a use is recorded, at most once an hour', async () => {
  const { token, apiToken } = await createToken();
  expect(await readToken(apiToken.id)).toMatchObject({ lastUsedAt: null });
  await isGood(token);
  const first = gateway.clock.now.toISOString();
  expect(await readToken(apiToken.id)).toMatchObject({ lastUsedAt: first });
  gateway.clock.advance(HOUR_MS);
  await isGood(token);
  expect(await readToken(apiToken.id)).toMatchObject({ lastUsedAt: first });
  gateway.clock.advance(1);
  await isGood(token);
  expect(await readToken(apiToken.id)).toMatchObject({ lastUsedAt: gateway.clock.now.toISOString() });
});

describe('a revoked token', () => {
  test('is refused immediately, and keeps its first revocation time', async () => {
    const { token, apiToken } = await createToken();
    expect(await isGood(token)).toBe(true);
    const revoke = () => gateway.graphql(REVOKE, { token: gateway.tokens.admin, variables: { id: apiToken.id } });
    const first = (await revoke()).data.revokeApiToken.apiToken;
    expect(first).toEqual({ id: apiToken.id, revokedAt: gateway.clock.now.toISOString() });
    expect(await isGood(token)).toBe(false);
    gateway.clock.advance(DAY_MS);
    expect((await revoke()).data.revokeApiToken.apiToken).toEqual(first);
  });

  test('ends its own sessions, and no others', async () => {
    const [one, other] = [await createToken(), await createToken()];
    const cookies = await Promise.all(
      [one, other].map(async ({ token }) => {
        const headers = { authorization: `Bearer ${token}` };
        const response = await gateway.fetch('/auth/session', { method: 'POST', headers });
        return response.headers.get('set-cookie')?.split(';')[0] ?? '';
      }),
    );
    const statuses = () =>
      Promise.all(
        cookies.map(async (cookie) => {
          const headers = { 'content-type': 'application/json', cookie, origin: gateway.config.publicUrl };
          const body = '{"query":"{ viewer { id } }"}';
          return (await gateway.fetch('/graphql', { method: 'POST', headers, body })).status;
        }),
      );
    expect(await statuses()).toEqual([200, 200]);
    await gateway.graphql(REVOKE, { token: gateway.tokens.admin, variables: { id: one.apiToken.id } });
    expect(await statuses()).toEqual([401, 200]);
    const sql = 'SELECT 1 FROM sessions WHERE api_token_id = $1::uuid';
    expect(await gateway.database.query(sql, [one.apiToken.id])).toEqual([]);
    expect(await gateway.database.query(sql, [other.apiToken.id])).toHaveLength(1);
  });

  test('that does not exist is NOT_FOUND', async () => {
    const { errors } = await gateway.graphql(REVOKE, { token: gateway.tokens.admin, variables: { id: randomUUID() } });
    expect(errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });
});
