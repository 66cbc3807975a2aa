import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, TEST_PUBLIC_URL, type TestGateway } from '../setup/gateway.ts';
import { createRestClient, fullServer, minimalServer, type RestClient, SERVERS } from './rest-client.ts';

let gateway: TestGateway;
let rest: RestClient;

beforeAll(async () => {
  gateway = await createTestGateway();
  rest = createRestClient(gateway);
});
afterAll(() => gateway.close());

const UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** What is stored for `fullServer`, in the answer's format. */
function expectedAnswer(sent: ReturnType<typeof fullServer>) {
  const { oauth2_client_secret, api_key_value, custom_headers, ...shown } = sent;
  const secrets = { has_oauth2_secret: true, has_api_key: true, has_custom_headers: true };
  const callback = `${TEST_PUBLIC_URL}/api/experimental/mcp/oauth2/callback`;
  return { ...shown, ...secrets, oauth_callback_url: callback, auth_connected: false };
}

describe('the life of a server', () => {
  test('is created, read, listed, changed and deleted', async () => {
    const sent = fullServer('life');
    const created = await rest.call('admin', 'POST', SERVERS, sent);
    expect(created.status).toBe(201);
    const { id, created_at, updated_at, ...answer } = created.body;
    expect(answer).toEqual(expectedAnswer(sent));
    expect(created_at).toMatch(UTC);
    expect(updated_at).toMatch(UTC);

    const read = await rest.call('admin', 'GET', `${SERVERS}/${id}`);
    expect(read).toMatchObject({ status: 200, body: created.body });
    const listed = await rest.call('admin', 'GET', SERVERS);
    expect(listed.body).toContainEqual(created.body);

    const changed = await rest.call('admin', 'PATCH', `${SERVERS}/${id}`, {
      description: 'Does less.',
      enabled: false,
    });
    expect(changed.status).toBe(200);
    expect(changed.body).toEqual({
      ...created.body,
      description: 'Does less.',
      enabled: false,
      updated_at: changed.body.updated_at,
    });
    expect(await rest.call('admin', 'GET', `${SERVERS}/${id}`)).toMatchObject({ body: changed.body });

    const deleted = await rest.call('admin', 'DELETE', `${SERVERS}/${id}`);
    expect(deleted).toMatchObject({ status: 204, text: '' });
    expect(await rest.call('admin', 'GET', `${SERVERS}/${id}`)).toMatchObject({ status: 404 });
    expect(await rest.call('admin', 'DELETE', `${SERVERS}/${id}`)).toMatchObject({ status: 404 });
  });

  test('is disabled, without sign-in and off by default if only the required fields are sent', async () => {
    const { status, body } = await rest.call('admin', 'POST', SERVERS, minimalServer('minimal'));
    expect(status).toBe(201);
    expect(body).toEqual({
      id: body.id,
      created_at: body.created_at,
      updated_at: body.updated_at,
      ...minimalServer('minimal'),
      description: '',
      icon_url: '',
      transport: 'streamable_http',
      auth_type: 'none',
      oauth2_client_id: '',
      has_oauth2_secret: false,
      oauth2_auth_url: '',
      oauth2_token_url: '',
      oauth2_revocation_url: '',
      oauth2_issuer: '',
      oauth2_scopes: '',
      oauth2_resource_mode: 'auto',
      oauth2_callback_mode: 'own',
      oauth_callback_url: '',
      tool_approval: 'auto',
      expose_resources: false,
      expose_prompts: false,
      api_key_header: '',
      has_api_key: false,
      has_custom_headers: false,
      tool_allow_list: [],
      tool_deny_list: [],
      availability: 'default_off',
      enabled: false,
      auth_connected: true,
    });
  });

  test('has texts trimmed, scopes split and duplicates in lists removed', async () => {
    const { body } = await rest.call('admin', 'POST', SERVERS, {
      ...minimalServer('tidy'),
      display_name: '  Tidy  ',
      oauth2_scopes: '  read   write read\t',
      tool_allow_list: [' search ', '', 'search'],
    });
    expect(body).toMatchObject({ display_name: 'Tidy', oauth2_scopes: 'read write', tool_allow_list: ['search'] });
  });
});

describe('a patch', () => {
  const CLEARABLE_TEXTS = [
    'description',
    'icon_url',
    'oauth2_client_id',
    'oauth2_auth_url',
    'oauth2_token_url',
    'oauth2_revocation_url',
    'oauth2_issuer',
    'oauth2_scopes',
    'api_key_header',
  ] as const;
  const CLEARABLE_SECRETS = [
    ['oauth2_client_secret', 'has_oauth2_secret', ''],
    ['api_key_value', 'has_api_key', ''],
    ['custom_headers', 'has_custom_headers', {}],
  ] as const;

  /** Everything is set, and nothing is required. */
  async function defineFilled(slug: string) {
    return rest.define({ ...fullServer(slug), auth_type: 'none' });
  }

  test('sets the resource mode, and resets it with null', async () => {
    const { id, oauth2_resource_mode: before } = await rest.define({ ...fullServer('resource-mode') });
    expect(before).toBe('omit');
    const set = async (mode: unknown) =>
      (await rest.call('admin', 'PATCH', `${SERVERS}/${id}`, { oauth2_resource_mode: mode })).body;
    expect(await set('include')).toMatchObject({ oauth2_resource_mode: 'include' });
    expect(await set(null)).toMatchObject({ oauth2_resource_mode: 'auto' });
    expect(await set('never')).toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  test.each([null, ''])('clears a text with %j', async (empty) => {
    const before = await defineFilled(`clear-text-${empty === null ? 'null' : 'empty'}`);
    for (const field of CLEARABLE_TEXTS) expect(before[field]).not.toBe('');
    const patch = Object.fromEntries(CLEARABLE_TEXTS.map((field) => [field, empty]));
    const { body } = await rest.call('admin', 'PATCH', `${SERVERS}/${before.id}`, patch);
    expect(body).toEqual({
      ...before,
      ...Object.fromEntries(CLEARABLE_TEXTS.map((field) => [field, ''])),
      updated_at: body.updated_at,
    });
  });

  test.each(CLEARABLE_SECRETS)('clears %s with null and with an empty value', async (field, flag, empty) => {
    for (const [index, nothing] of [null, empty].entries()) {
      const before = await defineFilled(`${field.replaceAll('_', '-')}-${index}`);
      expect(before[flag]).toBe(true);
      const { body } = await rest.call('admin', 'PATCH', `${SERVERS}/${before.id}`, { [field]: nothing });
      expect(body).toEqual({ ...before, [flag]: false, updated_at: body.updated_at });
    }
  });

  test.each([null, []])('clears the lists of tools with %j', async (empty) => {
    const before = await defineFilled(`clear-lists-${empty === null ? 'null' : 'empty'}`);
    const patch = { tool_allow_list: empty, tool_deny_list: empty };
    const { body } = await rest.call('admin', 'PATCH', `${SERVERS}/${before.id}`, patch);
    expect(body).toMatchObject({ tool_allow_list: [], tool_deny_list: [] });
  });

  test('changes nothing when nothing is sent, not even the time of the last change', async () => {
    const before = await defineFilled('patch-nothing');
    const { status, body } = await rest.call('admin', 'PATCH', `${SERVERS}/${before.id}`, {});
    expect({ status, body }).toEqual({ status: 200, body: before });
  });

  test.each(['display_name', 'slug', 'url', 'transport', 'auth_type', 'availability', 'enabled'])(
    'cannot clear %s',
    async (field) => {
      const before = await defineFilled(`keep-${field.replaceAll('_', '-')}`);
      for (const nothing of [null, '', '  ']) {
        const { status, body } = await rest.call('admin', 'PATCH', `${SERVERS}/${before.id}`, { [field]: nothing });
        expect({ status, body }).toMatchObject({
          status: 400,
          body: { code: 'VALIDATION_FAILED', validations: [{ field }] },
        });
      }
      expect((await rest.call('admin', 'GET', `${SERVERS}/${before.id}`)).body).toEqual(before);
    },
  );

  test('replaces a list and the headers as a whole', async () => {
    const before = await rest.define({
      ...minimalServer('replace'),
      auth_type: 'custom_headers',
      custom_headers: { 'X-One': '1', 'X-Two': '2' },
      tool_allow_list: ['a', 'b'],
    });
    const patch = { tool_allow_list: ['c'], custom_headers: {} };
    const refused = await rest.call('admin', 'PATCH', `${SERVERS}/${before.id}`, patch);
    expect(refused.body).toMatchObject({ validations: [{ field: 'custom_headers' }] });
    const { body } = await rest.call('admin', 'PATCH', `${SERVERS}/${before.id}`, { tool_allow_list: ['c'] });
    expect(body).toMatchObject({ tool_allow_list: ['c'], has_custom_headers: true });
  });

  test('that moves the server to another origin requires each stored secret again', async () => {
    const before = await defineFilled('move');
    const url = 'https://elsewhere.example.com/mcp';
    const refused = await rest.call('admin', 'PATCH', `${SERVERS}/${before.id}`, { url, api_key_value: 'again' });
    expect(refused.status).toBe(400);
    expect(refused.body.validations.map((each: { field: string }) => each.field)).toEqual([
      'oauth2_client_secret',
      'custom_headers',
    ]);
    const patch = { url, api_key_value: 'again', oauth2_client_secret: null, custom_headers: { 'X-Team': 'again' } };
    const { body } = await rest.call('admin', 'PATCH', `${SERVERS}/${before.id}`, patch);
    expect(body).toMatchObject({ url, has_api_key: true, has_oauth2_secret: false, has_custom_headers: true });
  });
});

describe('every path', () => {
  test('works with and without a trailing slash', async () => {
    const created = await rest.call('admin', 'POST', `${SERVERS}/`, minimalServer('slash'));
    expect(created.status).toBe(201);
    const { id } = created.body;
    expect((await rest.call('admin', 'GET', `${SERVERS}/`)).text).toBe((await rest.call('admin', 'GET', SERVERS)).text);
    expect(await rest.call('admin', 'GET', `${SERVERS}/${id}/`)).toMatchObject({ status: 200, body: created.body });
    expect(await rest.call('admin', 'PATCH', `${SERVERS}/${id}/`, { enabled: true })).toMatchObject({ status: 200 });
    expect(await rest.call('admin', 'DELETE', `${SERVERS}/${id}/`)).toMatchObject({ status: 204 });
  });

  test("accepts the token in the header of the seed's clients", async () => {
    const answer = await rest.call('nobody', 'GET', SERVERS, undefined, {
      'coder-session-token': gateway.tokens.member,
    });
    expect(answer.status).toBe(200);
  });

  test('answers JSON that must not be cached, errors too', async () => {
    const { id } = await rest.define(minimalServer('headers'));
    for (const answer of [
      await rest.call('admin', 'GET', SERVERS),
      await rest.call('admin', 'GET', `${SERVERS}/${id}`),
      await rest.call('admin', 'PATCH', `${SERVERS}/${id}`, {}),
      await rest.call('admin', 'POST', SERVERS, minimalServer('headers-2')),
      await rest.call('admin', 'POST', SERVERS, {}),
      await rest.call('nobody', 'GET', SERVERS),
    ]) {
      expect(answer.headers.get('content-type')).toMatch(/^application\/json\b/);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
    expect((await rest.call('admin', 'DELETE', `${SERVERS}/${id}`)).headers.get('cache-control')).toBe('no-store');
    expect((await rest.call('nobody', 'GET', SERVERS)).headers.get('www-authenticate')).toBe('Bearer');
  });
});
