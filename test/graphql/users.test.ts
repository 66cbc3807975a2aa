import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BOOTSTRAP_ADMIN_ID } from '../../src/domain/credentials/bootstrap-admin.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { CreateApiToken, CreateUser } from '../setup/operations.ts';
import { createId, issuesOf } from './config-operations.ts';
import { insertUserToken } from './user-tokens.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway?.close());

function asAdmin(query: string, variables?: object, token = gateway.tokens.admin) {
  return gateway.graphql(query, { token, variables });
}

const CREATE = 'mutation ($input: CreateUserInput!) { createUser(input: $input) { id email role status } }';
const UPDATE =
  'mutation ($id: UUID!, $patch: UpdateUserInput!) { updateUser(id: $id, patch: $patch) { email role status } }';
const DELETE = 'mutation ($id: UUID!) { deleteUser(id: $id) { deletedId } }';

async function createUser(role: 'ADMIN' | 'MEMBER' = 'MEMBER') {
  const variables = { input: { email: `${randomUUID()}@example.com`, role } };
  const { data } = await gateway.execute(CreateUser, { token: gateway.tokens.bootstrap, variables });
  const { id } = data.createUser;
  const created = await gateway.execute(CreateApiToken, {
    token: gateway.tokens.bootstrap,
    variables: { input: { userId: id, name: 'test' } },
  });
  return { id, token: created.data.createApiToken.token };
}

async function count(sql: string, ...parameters: unknown[]): Promise<number> {
  const [row] = await gateway.database.query(`SELECT count(*)::int AS count FROM ${sql}`, parameters);
  return Number(row?.['count']);
}

describe('a user', () => {
  test('is an active member by default', async () => {
    const { data } = await asAdmin(CREATE, { input: { email: ' New@Example.com ' } });
    expect(data.createUser).toMatchObject({ email: 'New@Example.com', role: 'MEMBER', status: 'ACTIVE' });
  });

  test.each([
    ['', 'INVALID_EMAIL'],
    ['ada', 'INVALID_EMAIL'],
    ['ada@', 'INVALID_EMAIL'],
    ['@example.com', 'INVALID_EMAIL'],
    ['a da@example.com', 'INVALID_EMAIL'],
    ['ada@b@example.com', 'INVALID_EMAIL'],
    ['ada\0@example.com', 'INVALID_CHARACTER'],
    ['ada\ud800@example.com', 'INVALID_CHARACTER'],
    [`${'a'.repeat(309)}@example.com`, 'TOO_LONG'],
  ])('cannot have the address %j', async (email, code) => {
    const { id } = await createUser();
    expect(issuesOf(await asAdmin(CREATE, { input: { email } }))).toEqual([`email: ${code}`]);
    expect(issuesOf(await asAdmin(UPDATE, { id, patch: { email } }))).toEqual([`email: ${code}`]);
  });

  test('cannot lose address, role or status: all three are reported', async () => {
    const { id } = await createUser();
    const patch = { email: null, role: null, status: null };
    expect(issuesOf(await asAdmin(UPDATE, { id, patch }))).toEqual([
      'email: INVALID_EMAIL',
      'role: REQUIRED',
      'status: REQUIRED',
    ]);
  });

  test('cannot have the address of another, in any case', async () => {
    const email = `${randomUUID()}@example.com`;
    const first = await asAdmin(CREATE, { input: { email } });
    const { id } = await createUser();
    const taken = [{ extensions: { code: 'CONFLICT', field: 'email' } }];
    expect((await asAdmin(CREATE, { input: { email: email.toUpperCase() } })).errors).toMatchObject(taken);
    expect((await asAdmin(UPDATE, { id, patch: { email: ` ${email.toUpperCase()}` } })).errors).toMatchObject(taken);
    const own = await asAdmin(UPDATE, { id: first.data.createUser.id, patch: { email: email.toUpperCase() } });
    expect(own.data.updateUser.email).toBe(email.toUpperCase());
  });

  test('that does not exist is NOT_FOUND', async () => {
    const id = randomUUID();
    for (const [query, variables] of [
      [UPDATE, { id, patch: { role: 'ADMIN' } }],
      [DELETE, { id }],
    ] as const) {
      expect((await asAdmin(query, variables)).errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
    }
  });

  test('has a new role immediately', async () => {
    const { id, token } = await createUser();
    const list = () => gateway.graphql('{ users { totalCount } }', { token });
    expect((await list()).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    await asAdmin(UPDATE, { id, patch: { role: 'AUDITOR' } });
    expect((await list()).errors).toBeUndefined();
    await asAdmin(UPDATE, { id, patch: { role: 'MEMBER' } });
    expect((await list()).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
  });
});

describe('a user who is suspended or deleted', () => {
  const openSession = async (token: string) => {
    const response = await gateway.fetch('/auth/session', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  };
  const statuses = async (token: string, cookie: string) => {
    const body = JSON.stringify({ query: '{ viewer { id } }' });
    const headers = { 'content-type': 'application/json' };
    const byToken = await gateway.fetch('/graphql', {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${token}` },
      body,
    });
    const byCookie = await gateway.fetch('/graphql', {
      method: 'POST',
      headers: { ...headers, cookie, origin: gateway.config.publicUrl },
      body,
    });
    return [byToken.status, byCookie.status];
  };

  test('is locked out immediately, and is let in again when reactivated', async () => {
    const { id, token } = await createUser();
    const cookie = await openSession(token);
    expect(await statuses(token, cookie)).toEqual([200, 200]);
    await asAdmin(UPDATE, { id, patch: { status: 'SUSPENDED' } });
    expect(await statuses(token, cookie)).toEqual([401, 401]);
    await asAdmin(UPDATE, { id, patch: { status: 'ACTIVE' } });
    expect(await statuses(token, cookie)).toEqual([200, 200]);
    await asAdmin(DELETE, { id });
    expect(await statuses(token, cookie)).toEqual([401, 401]);
  });

  test('loses tokens, sessions, connections and chats, but the configs they created stay', async () => {
    const { id, token } = await createUser('ADMIN');
    await openSession(token);
    const { data } = await gateway.graphql(
      'mutation ($input: CreateMcpServerConfigInput!) { createMcpServerConfig(input: $input) { id } }',
      { token, variables: { input: { displayName: 'A', slug: `s-${id}`, url: 'https://mcp.example.com/' } } },
    );
    const configId = data.createMcpServerConfig.id;
    await insertUserToken(gateway, { configId, userId: id });
    const chat = `INSERT INTO chats (id, owner_id) VALUES (gen_random_uuid(), $1::uuid) RETURNING id::text`;
    const [{ id: chatId } = {}] = await gateway.database.query(chat, [id]);
    await gateway.database.query(
      `INSERT INTO chat_messages (id, chat_id, content) VALUES (gen_random_uuid(), $1::uuid, 'Hi')`,
      [chatId],
    );
    const owned = async () => ({
      tokens: await count('api_tokens WHERE user_id = $1::uuid', id),
      sessions: await count('sessions WHERE user_id = $1::uuid', id),
      connections: await count('mcp_server_user_tokens WHERE user_id = $1::uuid', id),
      chats: await count('chats WHERE owner_id = $1::uuid', id),
      messages: await count('chat_messages WHERE chat_id = $1::uuid', chatId),
    });
    expect(await owned()).toEqual({ tokens: 1, sessions: 1, connections: 1, chats: 1, messages: 1 });
    expect((await asAdmin(DELETE, { id })).data.deleteUser).toEqual({ deletedId: id });
    expect(await owned()).toEqual({ tokens: 0, sessions: 0, connections: 0, chats: 0, messages: 0 });
    const config = await asAdmin(
      `{ mcpServerConfig(id: "${configId}") { version createdBy { id } updatedBy { id } } }`,
    );
    expect(config).toMatchObject({ data: { mcpServerConfig: { version: 1, createdBy: null, updatedBy: null } } });
    expect(config.errors).toBeUndefined();
  });
});

describe('the last active admin', () => {
  /** Leaves only these admins active. */
  const keepOnly = async (...ids: string[]) => {
    await gateway.database.query(
      `UPDATE users SET status = CASE WHEN id = ANY($1::uuid[]) THEN 'active' ELSE 'suspended' END WHERE role = 'admin'`,
      [ids],
    );
  };
  const changes = (id: string) =>
    [
      ['role', UPDATE, { id, patch: { role: 'MEMBER' } }],
      ['status', UPDATE, { id, patch: { status: 'SUSPENDED' } }],
      ['id', DELETE, { id }],
    ] as const;

  test.each(['as it is written', 'in upper case'])(
    'can be neither demoted, suspended nor deleted, their id %s',
    async (spelling) => {
      await keepOnly(BOOTSTRAP_ADMIN_ID);
      const { id, token } = await createUser('ADMIN');
      await keepOnly(id);
      for (const [field, query, variables] of changes(spelling === 'in upper case' ? id.toUpperCase() : id)) {
        expect(issuesOf(await asAdmin(query, variables, token))).toEqual([`${field}: LAST_ADMIN`]);
      }
      expect(await count(`users WHERE role = 'admin' AND status = 'active'`)).toBe(1);
      await keepOnly(BOOTSTRAP_ADMIN_ID, gateway.userIds.admin);
    },
  );

  test('may change their address, and a suspended admin may be deleted', async () => {
    const { id, token } = await createUser('ADMIN');
    await keepOnly(id);
    const email = `${randomUUID()}@example.com`;
    expect(
      (await asAdmin(UPDATE, { id, patch: { email, role: 'ADMIN', status: 'ACTIVE' } }, token)).errors,
    ).toBeUndefined();
    expect(
      (await asAdmin(UPDATE, { id: gateway.userIds.admin, patch: { role: 'MEMBER' } }, token)).errors,
    ).toBeUndefined();
    await asAdmin(UPDATE, { id: gateway.userIds.admin, patch: { role: 'ADMIN' } }, token);
    await keepOnly(BOOTSTRAP_ADMIN_ID, gateway.userIds.admin);
  });

  test.each([0, 1, 2])('remains when two admins demote each other at the same time (%i)', async (which) => {
    for (let round = 0; round < 5; round += 1) {
      const [a, b] = [await createUser('ADMIN'), await createUser('ADMIN')];
      await keepOnly(a.id, b.id);
      const [ofA, ofB] = [changes(a.id)[which], changes(b.id)[which]];
      if (ofA === undefined || ofB === undefined) throw new Error('there is no such change');
      const outcomes = await Promise.all([asAdmin(ofB[1], ofB[2], a.token), asAdmin(ofA[1], ofA[2], b.token)]);
      const codes = outcomes.map(({ errors }) => errors?.[0]?.extensions.code ?? 'ok');
      expect(codes.filter((code) => code === 'ok')).toHaveLength(1);
      expect(await count(`users WHERE role = 'admin' AND status = 'active'`)).toBe(1);
      await keepOnly(BOOTSTRAP_ADMIN_ID, gateway.userIds.admin);
    }
  });
});

test('the bootstrap admin can be suspended but not deleted, whoever else is an admin', async () => {
  const id = BOOTSTRAP_ADMIN_ID;
  expect(issuesOf(await asAdmin(DELETE, { id }))).toEqual(['id: BOOTSTRAP_ADMIN']);
  const viewer = () => gateway.graphql('{ viewer { id } }', { token: gateway.tokens.bootstrap });
  expect((await asAdmin(UPDATE, { id, patch: { status: 'SUSPENDED' } })).errors).toBeUndefined();
  expect((await viewer()).status).toBe(401);
  await asAdmin(UPDATE, { id, patch: { status: 'ACTIVE' } });
  expect((await viewer()).data.viewer).toEqual({ id });
});

test('staff see who created a config', async () => {
  const id = await createId(gateway);
  const query = `{ mcpServerConfig(id: "${id}") { createdBy { id email role status } } }`;
  for (const token of [gateway.tokens.admin, gateway.tokens.auditor, gateway.tokens.service]) {
    const { data } = await gateway.graphql(query, { token });
    expect(data.mcpServerConfig.createdBy).toMatchObject({ id: gateway.userIds.admin, email: 'admin@example.com' });
  }
});
