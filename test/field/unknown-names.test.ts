import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRestClient, minimalServer, type RestClient, SERVERS } from '../http/rest-client.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';

// Found by trying the REST API with misspelled names: the answer was 201, and the deny list had no effect.

let gateway: TestGateway;
let rest: RestClient;
let server: string;
let chat: string;
beforeAll(async () => {
  gateway = await createTestGateway();
  rest = createRestClient(gateway);
  server = `${SERVERS}/${(await rest.define({ ...minimalServer('there'), enabled: true })).id}`;
  chat = `/api/experimental/chats/${(await rest.call('member', 'POST', '/api/experimental/chats', {})).body.id}`;
});
afterAll(() => gateway?.close());

const problem = (name: string, detail: string) => ({ validations: [{ field: name, detail }] });

describe('an unknown field', () => {
  test.each([
    ['tool_denylist', 'tool_deny_list'],
    ['tool_denied_list', 'tool_deny_list'],
    ['toolDenyList', 'tool_deny_list'],
    ['enabeld', 'enabled'],
    ['auth-type', 'auth_type'],
    ['oauth2_client_sercet', 'oauth2_client_secret'],
    ['Url', 'url'],
    ['custom_header', 'custom_headers'],
  ])('%s is refused with the nearest known one', async (name, nearest) => {
    const detail = `Is not a known field. The nearest known one is "${nearest}".`;
    const sent = { ...minimalServer('misspelled'), [name]: [] };
    const created = await rest.call('admin', 'POST', SERVERS, sent);
    expect(created).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED', ...problem(name, detail) } });
    const updated = await rest.call('admin', 'PATCH', server, { [name]: [] });
    expect(updated).toMatchObject({ status: 400, body: problem(name, detail) });
    expect(await rest.call('admin', 'GET', SERVERS)).toMatchObject({ body: [{ slug: 'there', enabled: true }] });
  });

  test('is reported with wrong types in one answer', async () => {
    const { body } = await rest.call('admin', 'PATCH', server, { enabeld: true, enabled: 'yes', url: 1 });
    expect(body.validations.map((each: { field: string }) => each.field).sort()).toEqual(['enabeld', 'enabled', 'url']);
  });

  test.each([
    'model_intent',
    'allow_in_plan_mode',
    'forward_coder_headers',
    'custom_headers_user_keys',
    'custom_headers_user_key_descriptions',
  ])('%s of later versions of the original API is not supported, by name', async (name) => {
    const answer = await rest.call('admin', 'PATCH', server, { [name]: true });
    expect(answer.body).toMatchObject(problem(name, 'Is not supported by this gateway: leave it out.'));
    expect(answer.status).toBe(400);
  });

  test.each(['id', 'has_api_key', 'auth_connected', 'updated_at'])('%s is named as read-only', async (name) => {
    const answer = await rest.call('admin', 'PATCH', server, { [name]: 'x' });
    expect(answer.body).toMatchObject(problem(name, 'Is read-only: leave it out.'));
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('%s is nothing special', async (name) => {
    const answer = await rest.call('admin', 'PATCH', server, `{"${name}": {"enabled": false}}`);
    expect(answer).toMatchObject({ status: 400, body: { validations: [{ field: name }] } });
    expect(answer.body.validations[0].detail).toMatch(/^Is not a known field\. The nearest known one is "\w+"\.$/);
  });

  test('is refused for chats and messages, too', async () => {
    const ids = 'Is not a known field. The nearest known one is "mcp_server_ids".';
    const created = await rest.call('member', 'POST', '/api/experimental/chats', { mcp_servers_ids: [] });
    expect(created).toMatchObject({ status: 400, body: problem('mcp_servers_ids', ids) });
    const message = await rest.call('member', 'POST', `${chat}/messages`, { content: 'Hi', mcpServerIds: [] });
    expect(message).toMatchObject({ status: 400, body: problem('mcpServerIds', ids) });
  });

  test('is named with the nearest in the graph, too', async () => {
    const query = `mutation ($id: UUID!, $input: UpdateMcpServerConfigInput!) {
      updateMcpServerConfig(id: $id, patch: $input) { id }
    }`;
    const { errors } = await gateway.graphql(query, {
      token: gateway.tokens.admin,
      variables: { id: server.slice(-36), input: { tool_denylist: [] } },
    });
    expect(errors?.[0].extensions.issues[0].message).toContain('The nearest known one is "toolDenyList".');
  });
});

test('a response about bad input does not grow beyond the request', async () => {
  const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`f${index}`, 0]));
  const long = { ['x'.repeat(200_000)]: 1 };
  const wrong = { mcp_server_ids: Array.from({ length: 60_000 }, () => 1) };
  for (const body of [many, long, wrong]) {
    const { status, text } = await rest.call('member', 'POST', '/api/experimental/chats', body);
    expect(status).toBe(400);
    expect(text.length).toBeLessThan(20_000);
  }
});

describe('an unknown query parameter', () => {
  test.each<[string, string, unknown?]>([
    ['GET', SERVERS],
    ['POST', SERVERS, minimalServer('with-query')],
    ['GET', `${SERVERS}/{id}`],
    ['PATCH', `${SERVERS}/{id}`, { description: 'changed' }],
    ['DELETE', `${SERVERS}/{id}`],
    ['GET', `${SERVERS}/{id}/oauth2/connect`],
    ['DELETE', `${SERVERS}/{id}/oauth2/disconnect`],
  ])('is refused: %s %s', async (method, path, body) => {
    const url = path.replace(`${SERVERS}/{id}`, server);
    const answer = await rest.call('admin', method, `${url}?limit=1&enabled=true`, body);
    const detail = 'Is not a known query parameter: this address takes none.';
    expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    expect(answer.body.validations).toEqual([
      { field: 'limit', detail },
      { field: 'enabled', detail },
    ]);
    expect((await rest.call('admin', 'GET', SERVERS)).body).toMatchObject([{ slug: 'there', description: '' }]);
  });

  test('is ignored at the callback, as RFC 6749 requires', async () => {
    const callback = `${server}/oauth2/callback`;
    const plain = await rest.call('admin', 'GET', `${callback}?state=x&code=y`);
    const more = await rest.call('admin', 'GET', `${callback}?state=x&code=y&session_state=1&authuser=0`);
    expect([more.status, more.body]).toEqual([plain.status, plain.body]);
    expect(more.text).not.toContain('session_state');
  });

  test('says nothing to a caller who is not signed in', async () => {
    expect((await rest.call('nobody', 'GET', `${SERVERS}?limit=1`)).status).toBe(401);
  });
});

test('the OpenAPI document says that no other fields are accepted', async () => {
  const { body } = await rest.call('nobody', 'GET', '/api/openapi.json');
  const objects = Object.entries<any>(body.components.schemas).filter(([, schema]) => schema.type === 'object');
  expect(objects.length).toBeGreaterThan(5);
  for (const [name, schema] of objects) expect([name, schema.additionalProperties]).toEqual([name, false]);
});
