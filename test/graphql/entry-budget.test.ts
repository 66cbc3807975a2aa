import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { ListConfigs } from '../setup/operations.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway.close());

test('one operation can request 500 entries over all its lists', async () => {
  const token = gateway.tokens.admin;
  const allowed = await gateway.execute(ListConfigs, { token, variables: { first: 500 } });
  expect(allowed.errors).toBeUndefined();
  const shared = await gateway.graphql('{ a: users(first: 250) { totalCount } b: users(first: 250) { totalCount } }', {
    token,
  });
  expect(shared.errors).toBeUndefined();

  const tooMany = await gateway.graphql(
    '{ a: users(first: 499) { totalCount } b: mcpServerConfigs(first: 2) { totalCount } }',
    {
      token,
    },
  );
  expect(tooMany.errors).toMatchObject([
    { path: ['b'], extensions: { code: 'VALIDATION_FAILED', issues: [{ path: ['first'], code: 'OUT_OF_RANGE' }] } },
  ]);
  // Lists without `first` count with the default of 50.
  const byDefault = await gateway.graphql(
    `{ ${Array.from({ length: 11 }, (_, index) => `l${index}: users { totalCount }`).join(' ')} }`,
    { token },
  );
  expect(byDefault.errors).toHaveLength(1);
});
