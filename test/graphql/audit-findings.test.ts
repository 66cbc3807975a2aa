import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { type AuditRow, entriesOf } from './audit-entries.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway?.close());

test('an admin who deletes themselves or changes their address is recorded as they were', async () => {
  const email = `${randomUUID()}@example.com`;
  const { admin: token } = gateway.tokens;
  const create = `mutation { createUser(input: { email: "${email}", role: ADMIN }) { id } }`;
  const userId = (await gateway.graphql(create, { token })).data.createUser.id;
  const issue = `mutation { createApiToken(input: { userId: "${userId}", name: "t" }) { token } }`;
  const own = (await gateway.graphql(issue, { token })).data.createApiToken.token;
  const entryOf = async (mutation: string): Promise<AuditRow | undefined> =>
    (await entriesOf(gateway, () => gateway.graphql(`mutation { ${mutation} }`, { token: own })))[0];
  const renamed = `renamed-${email}`;
  const update = await entryOf(`updateUser(id: "${userId}", patch: { email: "${renamed}" }) { id }`);
  expect(update).toMatchObject({ action: 'user.update', actor_id: userId, target_label: email, actor_email: email });
  const deletion = await entryOf(`deleteUser(id: "${userId}") { deletedId }`);
  expect(deletion).toMatchObject({ action: 'user.delete', actor_id: userId, actor_email: renamed });
});

test('a refusal of several fields is recorded once per field, by field name and not by alias', async () => {
  const canary = 'canaryAlias';
  const entries = await entriesOf(gateway, () =>
    gateway.graphql(`{ ${canary}: verifyAuditLog { checked } b: exportMcpServers viewer { id } }`, {
      token: gateway.tokens.member,
    }),
  );
  expect(entries.map(({ target_label }) => target_label).sort()).toEqual([
    'query exportMcpServers',
    'query verifyAuditLog',
  ]);
  expect(JSON.stringify(entries)).not.toContain(canary);
});

test.each([
  ['targetId: "a\\u0000b"'],
  ['targetId: "\\ud800"'],
  ['since: "0001-01-01T00:00:00Z"'],
  ['until: "9999-12-31T23:59:59.999Z"'],
])('the filter { %s } is answered', async (filter) => {
  const query = `{ auditLog(filter: { ${filter} }) { totalCount nodes { id } } }`;
  const { errors } = await gateway.graphql(query, { token: gateway.tokens.auditor });
  expect(errors?.map(({ extensions }) => extensions.code) ?? []).not.toContain('INTERNAL_SERVER_ERROR');
});
