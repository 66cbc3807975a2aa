import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { insertTools, TOOL_DIGEST } from '../graphql/tool-rows.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { type Caller, createRestClient, minimalServer, type RestClient, SERVERS } from './rest-client.ts';

const STAFF = ['admin', 'auditor', 'service'] as const;

let gateway: TestGateway;
let rest: RestClient;

beforeAll(async () => {
  gateway = await createTestGateway();
  rest = createRestClient(gateway);
});
afterAll(() => gateway.close());

/** A server with the tools `read`, which has changed since it was approved, `old`, which is gone, and `write`. */
async function define(slug: string, fields: object = {}): Promise<string> {
  const { id } = await rest.define({ ...minimalServer(slug), enabled: true, ...fields });
  await insertTools(gateway, id);
  await gateway.database.query(
    `INSERT INTO mcp_server_tools (id, mcp_server_config_id, name, skeleton, definition, digest, status)
     VALUES (gen_random_uuid(), $1::uuid, 'write', 'write', '{"name":"write","inputSchema":{}}', repeat('a', 64), 'listed')`,
    [id],
  );
  return id;
}

const read = (caller: Caller, id: string) => rest.call(caller, 'GET', `${SERVERS}/${id}/tools`);
const decisionsOf = async (caller: Caller, id: string): Promise<string[]> =>
  (await read(caller, id)).body.map(({ name, decision }: Record<string, string>) => `${name} ${decision}`);

describe('GET /{id}/tools', () => {
  test('gives staff all tools with the decision, and members what they may use', async () => {
    const id = await define('governed', { tool_deny_list: ['write'] });
    for (const caller of STAFF) {
      expect(await decisionsOf(caller, id), caller).toEqual(['old gone', 'read allowed', 'write denied']);
    }
    expect(await decisionsOf('member', id)).toEqual(['read allowed']);
    const pinned = await define('pinned', { tool_approval: 'pin' });
    expect(await decisionsOf('admin', pinned)).toEqual(['old gone', 'read pending', 'write pending']);
    expect(await decisionsOf('member', pinned)).toEqual([]);
  });

  test('tells of each tool what the server said, and what to look at', async () => {
    const id = await define('told');
    const [old, found, write] = (await read('admin', id)).body;
    expect(found).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'read',
      shown_as: 'told__read',
      title: 'Read',
      description: 'Reads a file\u200b.',
      input_schema: { type: 'object', properties: { path: { type: 'string' } } },
      output_schema: { type: 'object' },
      annotations: expect.objectContaining({ readOnlyHint: true, destructiveHint: false }),
      decision: 'allowed',
      digest: TOOL_DIGEST,
      first_seen_at: expect.stringMatching(/Z$/),
      changed_at: expect.stringMatching(/Z$/),
      gone_at: null,
      warnings: ['INVISIBLE_CHARACTERS'],
    });
    expect(old.gone_at).toMatch(/Z$/);
    expect(write).toMatchObject({ title: null, description: null, output_schema: null, annotations: {}, warnings: [] });
  });

  test('tells staff, and only them, of names that look alike', async () => {
    const id = await define('one');
    const other = await define('two');
    await gateway.database.query(
      `UPDATE mcp_server_tools SET name = 'wr\u0456te' WHERE mcp_server_config_id = $1::uuid AND name = 'write'`,
      [other],
    );
    const warningsOf = async (caller: Caller) =>
      (await read(caller, id)).body.find(({ name }: { name: string }) => name === 'write').warnings;
    expect(await warningsOf('auditor')).toEqual(['LOOK_ALIKE_NAME']);
    expect(await warningsOf('member')).toEqual([]);
  });

  test('hides a disabled server from members, like one that is not there', async () => {
    const id = await define('hidden', { enabled: false });
    const [hidden, missing] = [await read('member', id), await read('member', '00000000-0000-4000-8000-000000000000')];
    expect([hidden.status, hidden.text]).toEqual([404, missing.text]);
    expect((await read('service', id)).status).toBe(200);
    expect((await read('suspended', id)).status).toBe(401);
  });

  test('refuses more than one answer may have, and says where to read it', async () => {
    const id = await define('large');
    await gateway.database.query(
      `INSERT INTO mcp_server_tools (id, mcp_server_config_id, name, skeleton, definition, digest, status)
       SELECT gen_random_uuid(), $1::uuid, 'large' || n, 'large' || n,
         '{"name":"large","inputSchema":{},"description":"' || repeat('x', 200000) || '"}', repeat('b', 64), 'listed'
       FROM generate_series(1, 20) AS n`,
      [id],
    );
    const answer = await read('member', id);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({
      code: 'VALIDATION_FAILED',
      validations: [{ field: 'id', detail: expect.stringMatching(/more than 4 MB.*GraphQL/) }],
    });
  });
});
