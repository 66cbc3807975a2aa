import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRestClient, minimalServer, SERVERS } from '../http/rest-client.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway({ env: { GATEHOUSE_DEFAULT_TOOL_APPROVAL: 'pin' } });
});
afterAll(() => gateway?.close());

test.each([
  ['pin', {}],
  ['pin', { tool_approval: null }],
  ['auto', { tool_approval: 'auto' }],
])('a new server has the approval %s for %j, and keeps it', async (expected, fields) => {
  const rest = createRestClient(gateway);
  const slug = `s-${crypto.randomUUID()}`;
  const { id, tool_approval } = await rest.define({ ...minimalServer(slug), ...fields });
  expect(tool_approval).toBe(expected);
  const { body } = await rest.call('admin', 'PATCH', `${SERVERS}/${id}`, { description: 'changed' });
  expect(body.tool_approval).toBe(expected);
});
