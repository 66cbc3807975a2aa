// On both databases: the order of addresses, which must not depend on the database's collation.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onMainDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { CreateUser } from '../setup/operations.ts';

let gateway: TestGateway;
const DOMAIN = 'list.example.com';
const NAMES = ['b', 'A', 'a_b', 'a%b', 'axb', 'C', 'ä', 'z-suspended'];

beforeAll(async () => {
  gateway = await createTestGateway();
  for (const [index, name] of NAMES.entries()) {
    const input = {
      email: `${name}@${DOMAIN}`,
      role: index % 2 === 0 ? ('MEMBER' as const) : ('AUDITOR' as const),
      status: name.endsWith('suspended') ? ('SUSPENDED' as const) : ('ACTIVE' as const),
    };
    const { data } = await gateway.execute(CreateUser, { token: gateway.tokens.admin, variables: { input } });
    await gateway.database.query(
      "UPDATE users SET created_at = '2026-01-01'::timestamptz + $1::int * '1 day'::interval WHERE id = $2::uuid",
      [index, data.createUser.id],
    );
  }
});
afterAll(() => gateway?.close());

const QUERY = `query ($first: Int, $after: String, $filter: UserFilter, $orderBy: UserOrder) {
  users(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
    totalCount nodes { id email role status } pageInfo { hasNextPage endCursor } } }`;

async function list(variables: Record<string, unknown>, token = gateway.tokens.admin) {
  const { data, errors } = await gateway.graphql(QUERY, { token, variables });
  expect(errors).toBeUndefined();
  const { totalCount, nodes, pageInfo } = data.users;
  return { totalCount, pageInfo, names: nodes.map(({ email }: { email: string }) => email.split('@')[0]), nodes };
}

async function listAll(variables: Record<string, unknown>) {
  const names: string[] = [];
  let after: string | null = null;
  for (let hasNextPage = true; hasNextPage; ) {
    const page: Awaited<ReturnType<typeof list>> = await list({ ...variables, first: 3, after });
    names.push(...page.names);
    ({ hasNextPage, endCursor: after } = page.pageInfo);
  }
  return names;
}

const here = { search: `@${DOMAIN.toUpperCase()}` };
const byAddress = ['a%b', 'A', 'a_b', 'axb', 'b', 'C', 'z-suspended', 'ä'];

describe('users', () => {
  test.each([
    ['CREATED_ASC', NAMES],
    ['CREATED_DESC', NAMES.toReversed()],
    ['EMAIL_ASC', byAddress],
    ['EMAIL_DESC', byAddress.toReversed()],
  ])('are listed page by page in the order %s, each once', async (orderBy, names) => {
    expect(await listAll({ filter: here, orderBy })).toEqual(names);
  });

  test.each([
    ['part of an address', { search: 'SUSPENDED@list' }, ['z-suspended']],
    ['an underscore that is no pattern', { search: `a_b@${DOMAIN}` }, ['a_b']],
    ['a per cent sign that is no pattern', { search: `a%b@${DOMAIN}` }, ['a%b']],
    ['a role', { ...here, role: 'AUDITOR' }, ['A', 'a%b', 'C', 'z-suspended']],
    ['a status', { ...here, status: 'SUSPENDED' }, ['z-suspended']],
    ['a role and a status', { ...here, role: 'MEMBER', status: 'SUSPENDED' }, []],
    ['text that cannot be stored', { search: 'a\0b' }, []],
    ['nulls', { ...here, role: null, status: null }, NAMES],
  ])('are found by %s, and counted the same', async (_what, filter, names) => {
    const found = await list({ filter });
    expect(found.names).toEqual(names);
    expect(found.totalCount).toBe(names.length);
    expect((await list({ filter, first: 0 })).totalCount).toBe(names.length);
  });

  test('the total without a filter is that of all users', async () => {
    const [row] = await gateway.database.query('SELECT count(*)::int AS n FROM users');
    expect((await list({ first: 1 })).totalCount).toBe(row?.['n']);
  });

  test('a cursor of another order is refused', async () => {
    const { pageInfo } = await list({ first: 1, orderBy: 'EMAIL_ASC' });
    for (const orderBy of ['EMAIL_DESC', 'CREATED_ASC']) {
      const variables = { after: pageInfo.endCursor, orderBy };
      const { errors } = await gateway.graphql(QUERY, { token: gateway.tokens.admin, variables });
      expect(errors?.[0].extensions.code).toBe('CURSOR_INVALID');
    }
  });
});

describe.runIf(onMainDatabase)('user(id)', () => {
  const find = async (caller: keyof TestGateway['tokens'], id: string) => {
    const query = 'query ($id: UUID!) { user(id: $id) { id email } }';
    const { data, errors } = await gateway.graphql(query, { token: gateway.tokens[caller], variables: { id } });
    expect(errors).toBeUndefined();
    return data.user;
  };

  test.each(['admin', 'auditor', 'service'] as const)('finds anybody for the role %s', async (caller) => {
    const { member } = gateway.userIds;
    expect(await find(caller, member.toUpperCase())).toMatchObject({ id: member });
    expect(await find(caller, randomUUID())).toBeNull();
  });

  test('finds only themselves for members', async () => {
    const { member, admin } = gateway.userIds;
    expect(await find('member', member)).toMatchObject({ id: member });
    expect(await find('member', admin)).toBeNull();
  });
});
