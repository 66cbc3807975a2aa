import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createId, validInput } from './config-operations.ts';
import { insertTools } from './tool-rows.ts';

const WARNINGS = 'toolListWarnings { list name similar }';
const LISTS = { toolAllowList: ['read', 'raed_file', 'search'], toolDenyList: ['old', 'nothing-like-it'] };
const EXPECTED = [
  { list: 'ALLOW', name: 'raed_file', similar: 'read_file' },
  { list: 'ALLOW', name: 'search', similar: null },
  { list: 'DENY', name: 'nothing-like-it', similar: null },
];

let gateway: TestGateway;
let configId: string;
beforeAll(async () => {
  gateway = await createTestGateway();
  configId = await createId(gateway, { enabled: true });
  await insertTools(gateway, configId);
  await gateway.database.query(
    `INSERT INTO mcp_server_tools (id, mcp_server_config_id, name, skeleton, definition, digest, status)
     VALUES (gen_random_uuid(), $1::uuid, 'read_file', 'read_file', '{}', repeat('a', 64), 'listed')`,
    [configId],
  );
});
afterAll(() => gateway?.close());

const send = (query: string, role: 'admin' | 'auditor' | 'service' | 'member', variables: object) =>
  gateway.graphql(query, { token: gateway.tokens[role], variables });

test('an update is accepted, and its answer names what the server does not list', async () => {
  const update = `mutation ($id: UUID!, $patch: UpdateMcpServerConfigInput!) {
    updateMcpServerConfig(id: $id, patch: $patch) { mcpServerConfig { toolAllowList toolDenyList ${WARNINGS} } } }`;
  const { data, errors } = await send(update, 'admin', { id: configId, patch: LISTS });
  expect(errors).toBeUndefined();
  expect(data.updateMcpServerConfig.mcpServerConfig).toEqual({ ...LISTS, toolListWarnings: EXPECTED });
});

test('staff read them with the config and in an explanation, members do not', async () => {
  const query = `query ($id: UUID!) { mcpServerConfig(by: { id: $id }) { ${WARNINGS} }
    explainMcpServer(configId: $id) { available ${WARNINGS} } }`;
  for (const role of ['admin', 'auditor', 'service'] as const) {
    const { data } = await send(query, role, { id: configId });
    expect(data.mcpServerConfig.toolListWarnings, role).toEqual(EXPECTED);
    expect(data.explainMcpServer.toolListWarnings, role).toEqual(EXPECTED);
  }
  const { data, errors } = await send(query, 'member', { id: configId });
  expect(errors).toBeUndefined();
  expect([data.mcpServerConfig.toolListWarnings, data.explainMcpServer.toolListWarnings]).toEqual([null, null]);
});

test('a server whose tools nobody has listed gets none', async () => {
  const create = `mutation ($input: CreateMcpServerConfigInput!) { createMcpServerConfig(input: $input) { mcpServerConfig { ${WARNINGS} } } }`;
  const { data } = await send(create, 'admin', { input: { ...validInput(), ...LISTS } });
  expect(data.createMcpServerConfig.mcpServerConfig.toolListWarnings).toEqual([]);
});
