// On both databases: the order of names, which must not depend on the database's collation.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onMainDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';

let gateway: TestGateway;

/** Columns of the tokens, by name. Two were made at the same time, two were never used. */
const TOKENS = {
  b: { day: 0, used: 3 },
  A: { day: 1, used: 1, expires: 'past' },
  a_1: { day: 1, used: 2, scopes: ['MCP'] },
  'a%1': { day: 2, used: null, revoked: true },
  ä: { day: 3, used: null, expires: 'past', revoked: true },
  C: { day: 4, used: 3, expires: 'future' },
} as const;
const NAMES = Object.keys(TOKENS);

beforeAll(async () => {
  gateway = await createTestGateway();
  const { admin, member } = gateway.userIds;
  for (const [index, [name, columns]] of Object.entries(TOKENS).entries()) {
    const { day, used, expires, revoked, scopes } = { expires: null, revoked: false, scopes: null, ...columns };
    const userId = index % 2 === 0 ? admin : member;
    const input = { name, userId, ...(scopes !== null && { scopes }) };
    const { data } = await gateway.graphql(
      'mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { apiToken { id } } }',
      { token: gateway.tokens.admin, variables: { input } },
    );
    await gateway.database.query(
      `UPDATE api_tokens SET created_at = '2026-01-01'::timestamptz + $2::int * '1 day'::interval,
         last_used_at = '2026-02-01'::timestamptz + $3::int * '1 day'::interval,
         expires_at = CASE $4::text WHEN 'past' THEN '2026-03-01'::timestamptz WHEN 'future' THEN '2999-01-01' END,
         revoked_at = CASE WHEN $5::bool THEN '2026-02-20'::timestamptz END WHERE id = $1::uuid`,
      [data.createApiToken.apiToken.id, day, used, expires, revoked],
    );
  }
  // Only the tokens above have these names.
  await gateway.database.query(`UPDATE api_tokens SET name = 'caller' WHERE name <> ALL($1::text[])`, [NAMES]);
});
afterAll(() => gateway?.close());

const QUERY = `query ($first: Int, $after: String, $filter: ApiTokenFilter, $orderBy: ApiTokenOrder) {
  apiTokens(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
    totalCount nodes { id name user { id } } edges { cursor } pageInfo { hasNextPage endCursor } } }`;

async function list(variables: Record<string, unknown>, token = gateway.tokens.admin) {
  const { data, errors } = await gateway.graphql(QUERY, { token, variables });
  expect(errors).toBeUndefined();
  const { totalCount, nodes, pageInfo } = data.apiTokens;
  const names: string[] = nodes.map(({ name }: { name: string }) => name);
  return { totalCount, pageInfo, names, nodes };
}

async function listAll(variables: Record<string, unknown>, first: number) {
  const names: string[] = [];
  const ids = new Set<string>();
  let after: string | null = null;
  for (let hasNextPage = true; hasNextPage; ) {
    const page: Awaited<ReturnType<typeof list>> = await list({ ...variables, first, after });
    names.push(...page.names);
    for (const { id } of page.nodes) ids.add(id);
    ({ hasNextPage, endCursor: after } = page.pageInfo);
  }
  expect(ids.size).toBe(names.length);
  return names.filter((name) => name !== 'caller');
}

const byName = ['A', 'a%1', 'a_1', 'b', 'C', 'ä'];

describe('API tokens', () => {
  test.each([
    ['NAME_ASC', byName],
    ['NAME_DESC', byName.toReversed()],
  ])('are listed page by page in the order %s, each once', async (orderBy, names) => {
    for (const first of [1, 3, 50]) expect(await listAll({ orderBy }, first)).toEqual(names);
  });

  test.each(['CREATED', 'USED'])('are the same backwards by %s, also those with the same value or none', async (by) => {
    const forwards = await listAll({ orderBy: `${by}_ASC` }, 1);
    expect(await listAll({ orderBy: `${by}_DESC` }, 2)).toEqual(forwards.toReversed());
    const keyOf = (name: string) => TOKENS[name as keyof typeof TOKENS][by === 'USED' ? 'used' : 'day'] ?? -1;
    expect(forwards.map(keyOf)).toEqual(NAMES.map(keyOf).sort((a, b) => a - b));
  });

  test.runIf(onMainDatabase).each([
    ['part of a name', { search: 'A' }, ['A', 'a%1', 'a_1']],
    ['an underscore that is no pattern', { search: '_' }, ['a_1']],
    ['a per cent sign that is no pattern', { search: '%' }, ['a%1']],
    ['text that cannot be stored', { search: 'a\0b' }, []],
    ['the state ACTIVE', { state: 'ACTIVE' }, ['a_1', 'b', 'C']],
    ['the state EXPIRED', { state: 'EXPIRED' }, ['A']],
    ['the state REVOKED', { state: 'REVOKED' }, ['a%1', 'ä']],
    ['a scope that some lack', { scope: 'GRAPH', search: 'a_' }, []],
    ['a scope', { scope: 'MCP', search: 'a_' }, ['a_1']],
    ['nulls', { userId: null, search: null, scope: null, state: null }, byName],
  ])('are found by %s, and counted the same', async (_what, filter, names) => {
    const found = await list({ filter, orderBy: 'NAME_ASC' });
    expect(found.names.filter((name) => name !== 'caller')).toEqual(names);
    expect(found.totalCount).toBe(found.names.length);
    expect((await list({ filter, first: 0 })).totalCount).toBe(found.totalCount);
  });

  test.runIf(onMainDatabase)('of one user are found by their id', async () => {
    const { member } = gateway.userIds;
    const { nodes } = await list({ filter: { userId: member }, orderBy: 'NAME_ASC' });
    expect(nodes.map(({ name }: { name: string }) => name)).toEqual(['A', 'a%1', 'C', 'caller']);
    expect(new Set(nodes.map(({ user }: { user: { id: string } }) => user.id))).toEqual(new Set([member]));
  });

  test.runIf(onMainDatabase)('are only their own for members and services, whatever they ask for', async () => {
    const { tokens, userIds } = gateway;
    for (const filter of [null, { userId: userIds.member }]) {
      expect(await list({ filter, orderBy: 'NAME_ASC' }, tokens.member)).toMatchObject({
        names: ['A', 'a%1', 'C', 'caller'],
        totalCount: 4,
      });
    }
    for (const filter of [{ userId: userIds.admin }, { search: 'a_1' }]) {
      expect(await list({ filter }, tokens.member)).toMatchObject({ names: [], totalCount: 0 });
    }
    expect(await list({}, tokens.service)).toMatchObject({ names: ['caller'], totalCount: 1 });
    expect((await list({ orderBy: 'NAME_ASC' }, tokens.auditor)).names).toEqual(expect.arrayContaining(byName));
  });

  test.runIf(onMainDatabase)('do not go on from the cursor of another order, list or user', async () => {
    const { admin, auditor } = gateway.tokens;
    const cursorOf = async (orderBy: string, token = admin) =>
      (await list({ first: 1, orderBy }, token)).pageInfo.endCursor;
    const users = await gateway.graphql('{ users(first: 1) { pageInfo { endCursor } } }', { token: admin });
    const foreign = [
      await cursorOf('NAME_DESC'),
      await cursorOf('NAME_ASC', auditor),
      users.data.users.pageInfo.endCursor,
    ];
    for (const after of [...foreign, 'x']) {
      const { errors } = await gateway.graphql(QUERY, { token: admin, variables: { after, orderBy: 'NAME_ASC' } });
      expect(errors?.[0].extensions.code).toBe('CURSOR_INVALID');
    }
  });
});
