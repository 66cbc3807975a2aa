import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SEALING_KEY } from '../../src/data/sealing/seal-row.ts';
import { McpServer } from '../../src/http/rest/server-schemas.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { sealText } from '../setup/sealed-text.ts';
import {
  createRestClient,
  fullServer,
  minimalServer,
  type RestAnswer,
  type RestClient,
  SERVERS,
} from './rest-client.ts';

/** What members get of each field. A new field in the schema needs a line here. */
const RULES: Record<keyof McpServer, 'as staff' | 'empty'> = {
  id: 'as staff',
  display_name: 'as staff',
  slug: 'as staff',
  description: 'as staff',
  icon_url: 'as staff',
  transport: 'empty',
  url: 'empty',
  auth_type: 'as staff',
  oauth2_client_id: 'empty',
  has_oauth2_secret: 'as staff',
  oauth2_auth_url: 'empty',
  oauth2_token_url: 'empty',
  oauth2_revocation_url: 'empty',
  oauth2_issuer: 'empty',
  oauth2_scopes: 'empty',
  oauth2_callback_mode: 'empty',
  oauth_callback_url: 'empty',
  oauth2_resource_mode: 'empty',
  api_key_header: 'empty',
  has_api_key: 'as staff',
  has_custom_headers: 'as staff',
  tool_allow_list: 'as staff',
  tool_deny_list: 'as staff',
  tool_approval: 'empty',
  expose_resources: 'empty',
  expose_prompts: 'empty',
  availability: 'as staff',
  enabled: 'as staff',
  auth_connected: 'as staff',
  created_at: 'as staff',
  updated_at: 'as staff',
};
const FIELDS = Object.keys(McpServer.shape) as (keyof McpServer)[];

let gateway: TestGateway;
let rest: RestClient;
let server: McpServer;

beforeAll(async () => {
  gateway = await createTestGateway();
  rest = createRestClient(gateway);
  server = await rest.define(fullServer('full'));
});
afterAll(() => gateway.close());

test('there is a rule for exactly the fields of the answer', () => {
  expect(Object.keys(RULES).sort()).toEqual([...FIELDS].sort());
});

describe.each(['one', 'the list'])('in the answer about %s', (which) => {
  const read = async (caller: 'admin' | 'auditor' | 'service' | 'member'): Promise<McpServer> => {
    if (which === 'one') return (await rest.call(caller, 'GET', `${SERVERS}/${server.id}`)).body;
    const { body } = await rest.call(caller, 'GET', SERVERS);
    return body.find(({ id }: McpServer) => id === server.id);
  };

  test.each(['admin', 'auditor', 'service'] as const)('%s reads every field', async (caller) => {
    expect(await read(caller)).toEqual(server);
  });

  test.each(FIELDS)('members get %s by its rule', async (field) => {
    const seen = await read('member');
    // Otherwise "as staff" and "empty" could not be distinguished.
    const empty = typeof server[field] === 'boolean' ? false : '';
    if (RULES[field] === 'empty') expect(server[field]).not.toBe(empty);
    expect(seen[field]).toEqual(RULES[field] === 'empty' ? empty : server[field]);
  });

  test('members get no field that the schema does not have', async () => {
    expect(Object.keys(await read('member')).sort()).toEqual([...FIELDS].sort());
  });
});

describe('auth_connected', () => {
  test('is about the caller: true once they have a token, and for nobody else', async () => {
    const other = await rest.define(fullServer('not-connected'));
    await connect(gateway.userIds.member, server.id);
    const seen = async (caller: 'admin' | 'member', id: string): Promise<boolean[]> => {
      const one = (await rest.call(caller, 'GET', `${SERVERS}/${id}`)).body as McpServer;
      const list = (await rest.call(caller, 'GET', SERVERS)).body as McpServer[];
      return [one, ...list.filter((each) => each.id === id)].map((each) => each.auth_connected);
    };
    expect(await seen('member', server.id)).toEqual([true, true]);
    expect(await seen('member', other.id)).toEqual([false, false]);
    expect(await seen('admin', server.id)).toEqual([false, false]);
  });

  test.each([
    ['none', {}],
    ['api_key', { api_key_header: 'X-Key', api_key_value: 'k' }],
    ['custom_headers', { custom_headers: { 'X-Key': 'k' } }],
  ])('is always true for %s', async (auth_type, fields) => {
    const slug = `connected-${auth_type.replaceAll('_', '-')}`;
    const { id } = await rest.define({ ...minimalServer(slug), enabled: true, auth_type, ...fields });
    const { body }: RestAnswer = await rest.call('member', 'GET', `${SERVERS}/${id}`);
    expect(body.auth_connected).toBe(true);
  });
});

/** Users cannot connect by REST alone; the row is what counts. */
async function connect(userId: string, mcpServerConfigId: string): Promise<void> {
  const accessToken = { accessToken: sealText('token'), accessTokenKeyId: SEALING_KEY };
  await gateway.prisma().mcpServerUserToken.create({ data: { userId, mcpServerConfigId, ...accessToken } });
}
