import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT_PERMISSIONS } from '../../src/graphql/permissions.ts';
import { type Action, can } from '../../src/policy/policy.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { readAllRows } from './database-rows.ts';
import { listRootFields, type Subjects, toOperation, UNREACHABLE_URL } from './root-fields.ts';

const SUBJECTS: Subjects = {
  configId: '00000000-0000-4000-8000-00000000000a',
  slug: 'any',
  userId: '00000000-0000-4000-8000-00000000000b',
  own: {},
  serverUrl: UNREACHABLE_URL,
  chatIds: {},
  deletedChatIds: {},
  keyNumber: 99,
};

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway({ env: { GATEHOUSE_EXPERIMENTS: '' } });
  // The first use of each token is recorded.
  for (const token of Object.values(gateway.tokens)) await gateway.graphql('{ viewer { id } }', { token });
});
afterAll(() => gateway?.close());

const aboutServers = listRootFields().filter((field) => /mcp|chat/i.test(field));

test('there are fields about MCP servers to test', () => {
  expect(aboutServers.length).toBeGreaterThanOrEqual(6);
});

test.each(aboutServers)(
  'without the experiment %s is EXPERIMENT_DISABLED for callers with permission',
  async (field) => {
    const before = await readAllRows(gateway.database);
    for (const role of ['admin', 'auditor', 'service', 'member'] as const) {
      const { errors, data } = await gateway.graphql(toOperation(field, SUBJECTS), { token: gateway.tokens[role] });
      const [type = '', name = ''] = field.split('.');
      const action = (ROOT_PERMISSIONS as Record<string, Record<string, Action>>)[type]?.[name] as Action;
      const mayCall = can({ kind: 'user', userId: '', role, credential: { kind: 'bootstrap' } }, action);
      expect(
        errors?.map((error) => error.extensions.code),
        role,
      ).toEqual([mayCall ? 'EXPERIMENT_DISABLED' : 'FORBIDDEN']);
      expect(Object.values(data ?? {})).not.toContainEqual(expect.anything());
    }
    expect((await gateway.graphql(toOperation(field, SUBJECTS))).status).toBe(401);
    expect(await readAllRows(gateway.database)).toEqual(before);
  },
);

test('without the experiment the rest of the graph works', async () => {
  const { data, errors } = await gateway.graphql('{ viewer { id } users { totalCount } }', {
    token: gateway.tokens.admin,
  });
  expect(errors).toBeUndefined();
  expect(data.viewer.id).toBe(gateway.userIds.admin);
});

test('without the experiment REST about servers is 403, and 401 for unauthenticated callers', async () => {
  const path = '/api/experimental/mcp/servers';
  const headers = { authorization: `Bearer ${gateway.tokens.admin}` };
  const response = await gateway.fetch(path, { headers });
  expect([response.status, await response.json()]).toMatchObject([403, { code: 'EXPERIMENT_DISABLED' }]);
  expect((await gateway.fetch(path)).status).toBe(401);
});
