import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { insertUserToken } from '../graphql/user-tokens.ts';
import { createTestGateway, TEST_PUBLIC_URL, type TestGateway } from '../setup/gateway.ts';
import { callbackUrl, connectUrl, signInBrowser } from './connection-setup.ts';
import { createRestClient, fullServer, minimalServer, type RestClient, SERVERS } from './rest-client.ts';

// The behaviour that was tested in the pull request Gatehouse is based on, and the three tests that it postponed.

let gateway: TestGateway;
let rest: RestClient;
beforeAll(async () => {
  gateway = await createTestGateway();
  rest = createRestClient(gateway);
});
afterAll(() => gateway?.close());

const OAUTH2 = {
  auth_type: 'oauth2',
  oauth2_client_id: 'client',
  oauth2_client_secret: 'secret',
  oauth2_auth_url: 'https://login.example.com/authorize',
  oauth2_token_url: 'https://login.example.com/token',
};

describe('the original tests', () => {
  test('a server is created, listed, updated and deleted', async () => {
    const created = await rest.call('admin', 'POST', SERVERS, { ...minimalServer('crud'), enabled: true });
    expect(created).toMatchObject({ status: 201, body: { slug: 'crud', transport: 'streamable_http' } });
    const { id } = created.body;
    const list = async () => (await rest.call('admin', 'GET', SERVERS)).body.map((server: any) => server.id);
    expect(await list()).toContain(id);
    const updated = await rest.call('admin', 'PATCH', `${SERVERS}/${id}`, { display_name: 'Other', enabled: false });
    expect(updated).toMatchObject({ status: 200, body: { id, display_name: 'Other', enabled: false, slug: 'crud' } });
    expect((await rest.call('admin', 'DELETE', `${SERVERS}/${id}`)).status).toBe(204);
    expect(await list()).not.toContain(id);
  });

  test('a member sees enabled servers only, without the fields for admins', async () => {
    const shown = await rest.define({ ...fullServer('member-shown'), availability: 'default_off' });
    const hidden = await rest.define(minimalServer('member-hidden'));
    const { body } = await rest.call('member', 'GET', SERVERS);
    expect(body.map((server: any) => server.id)).not.toContain(hidden.id);
    const seen = body.find((server: any) => server.id === shown.id);
    expect(seen).toMatchObject({ slug: 'member-shown', has_oauth2_secret: true, has_api_key: true, enabled: true });
    const redacted = ['url', 'transport', 'oauth2_client_id', 'oauth2_auth_url', 'oauth2_token_url', 'oauth2_scopes'];
    for (const field of [...redacted, 'oauth2_revocation_url', 'oauth2_issuer', 'api_key_header']) {
      expect([field, seen[field]]).toEqual([field, '']);
      expect(shown[field]).not.toBe('');
    }
  });

  test('no caller ever receives a secret', async () => {
    const server = await rest.define(fullServer('secrets'));
    for (const caller of ['admin', 'auditor', 'service', 'member'] as const) {
      for (const path of [SERVERS, `${SERVERS}/${server.id}`]) {
        const { text } = await rest.call(caller, 'GET', path);
        for (const secret of ['client-secret-of-', 'api-key-of-', 'header-of-']) expect(text).not.toContain(secret);
      }
    }
  });

  test('auth_connected is true without sign-in, and with OAuth 2 only for connected users', async () => {
    const none = await rest.define({ ...minimalServer('auth-none'), enabled: true });
    const oauth = await rest.define({ ...minimalServer('auth-oauth'), ...OAUTH2, enabled: true });
    const connectedOf = async (caller: 'admin' | 'member', id: string) =>
      (await rest.call(caller, 'GET', `${SERVERS}/${id}`)).body.auth_connected;
    for (const caller of ['admin', 'member'] as const) {
      expect(await connectedOf(caller, none.id)).toBe(true);
      expect(await connectedOf(caller, oauth.id)).toBe(false);
    }
    await insertUserToken(gateway, { configId: oauth.id, userId: gateway.userIds.member });
    expect(await connectedOf('member', oauth.id)).toBe(true);
    expect(await connectedOf('admin', oauth.id)).toBe(false);
  });

  test('an availability is one of three', async () => {
    for (const availability of ['force_on', 'default_on', 'default_off']) {
      const server = await rest.define({ ...minimalServer(`a-${availability.replace('_', '-')}`), availability });
      expect(server.availability).toBe(availability);
    }
    const wrong = await rest.call('admin', 'POST', SERVERS, { ...minimalServer('wrong'), availability: 'always_on' });
    expect(wrong).toMatchObject({ status: 400, body: { validations: [{ field: 'availability' }] } });
    const unsaid = await rest.define(minimalServer('unsaid'));
    expect(unsaid).toMatchObject({ availability: 'default_off', enabled: false });
  });

  test('a slug is unique', async () => {
    await rest.define(minimalServer('unique'));
    const again = await rest.call('admin', 'POST', SERVERS, minimalServer('unique'));
    expect(again).toMatchObject({ status: 409, body: { code: 'CONFLICT' } });
    const other = await rest.define(minimalServer('unique-2'));
    expect((await rest.call('admin', 'PATCH', `${SERVERS}/${other.id}`, { slug: 'unique' })).status).toBe(409);
  });

  test('disconnecting gives the same result once, twice and without a connection', async () => {
    const { id } = await rest.define({ ...minimalServer('disconnect'), ...OAUTH2, enabled: true });
    const disconnect = (path: string) => rest.call('member', 'DELETE', `${SERVERS}/${path}/oauth2/disconnect`);
    expect((await disconnect(id)).status).toBe(204);
    await insertUserToken(gateway, { configId: id, userId: gateway.userIds.member });
    expect((await disconnect(id)).status).toBe(204);
    expect((await rest.call('member', 'GET', `${SERVERS}/${id}`)).body.auth_connected).toBe(false);
    expect((await disconnect(id)).status).toBe(204);
    expect((await disconnect(randomUUID())).status).toBe(204);
  });

  test('a chat keeps the servers that it was created with', async () => {
    const { id } = await rest.define({ ...minimalServer('chat'), enabled: true });
    const begun = await rest.call('member', 'POST', '/api/experimental/chats', { mcp_server_ids: [id] });
    expect(begun.status).toBe(201);
    const read = await rest.call('member', 'GET', `/api/experimental/chats/${begun.body.id}`);
    expect(read.body.mcp_server_ids).toEqual([id]);
  });
});

describe('the postponed tests', () => {
  test('only an admin can write: 403 otherwise, and nothing changes', async () => {
    const server = await rest.define({ ...minimalServer('forbidden'), enabled: true });
    for (const caller of ['member', 'auditor', 'service'] as const) {
      const answers = [
        await rest.call(caller, 'POST', SERVERS, minimalServer(`by-${caller}`)),
        await rest.call(caller, 'PATCH', `${SERVERS}/${server.id}`, { enabled: false }),
        await rest.call(caller, 'DELETE', `${SERVERS}/${server.id}`),
        // A missing server is no more revealed than an existing one.
        await rest.call(caller, 'PATCH', `${SERVERS}/${randomUUID()}`, { enabled: false }),
        await rest.call(caller, 'DELETE', `${SERVERS}/${randomUUID()}`),
      ];
      for (const { status, body } of answers) expect([status, body.code]).toEqual([403, 'FORBIDDEN']);
    }
    expect((await rest.call('admin', 'GET', `${SERVERS}/${server.id}`)).body).toEqual(server);
  });

  test('a server is read by id: redacted for members, not found when disabled', async () => {
    const { id } = await rest.define({ ...minimalServer('by-id'), ...OAUTH2, enabled: true });
    const get = (caller: 'admin' | 'member', path = id) => rest.call(caller, 'GET', `${SERVERS}/${path}`);
    expect((await get('admin')).body).toMatchObject({
      id,
      url: 'https://by-id.example.com/mcp',
      auth_connected: false,
    });
    expect((await get('member')).body).toMatchObject({ id, url: '', oauth2_client_id: '', auth_connected: false });
    await rest.call('admin', 'PATCH', `${SERVERS}/${id}`, { enabled: false });
    expect((await get('admin')).status).toBe(200);
    const [hidden, missing] = [await get('member'), await get('member', randomUUID())];
    expect(hidden.status).toBe(404);
    expect(hidden.text).toBe(missing.text);
    expect((await get('admin', 'nonsense')).status).toBe(400);
  });

  describe('an unsolicited callback', () => {
    const begin = async (slug: string) => {
      const { id } = await rest.define({ ...minimalServer(slug), ...OAUTH2, enabled: true });
      const browser = await signInBrowser(gateway, gateway.tokens.member);
      const sent = await browser.fetch(connectUrl(id), { redirect: 'manual' });
      expect(sent.status).toBe(307);
      const target = new URL(sent.headers.get('location') ?? '');
      expect(target.origin).toBe('https://login.example.com');
      return { id, browser, state: target.searchParams.get('state') ?? '' };
    };
    const isConnected = async (id: string) =>
      (await rest.call('member', 'GET', `${SERVERS}/${id}`)).body.auth_connected;

    test.each([
      ['no state', () => 'code=stolen'],
      ['an empty state', () => 'code=stolen&state='],
      ['a made-up state', () => `code=stolen&state=${randomUUID()}`],
      ['the state twice', (state: string) => `code=stolen&state=${state}&state=${state}`],
    ])('with %s is refused', async (_name, queryOf) => {
      const { id, browser, state } = await begin(`csrf-${randomUUID().slice(0, 8)}`);
      const answer = await browser.fetch(`${callbackUrl(id)}?${queryOf(state)}`);
      expect(answer.status).toBe(400);
      expect(await isConnected(id)).toBe(false);
    });

    test('in another browser, of the same user or another, is refused and uses the state up', async () => {
      for (const token of [gateway.tokens.member, gateway.tokens.admin]) {
        const { id, browser, state } = await begin(`csrf-${randomUUID().slice(0, 8)}`);
        const victim = await signInBrowser(gateway, token);
        const url = `${callbackUrl(id)}?code=stolen&state=${state}`;
        expect((await victim.fetch(url)).status).toBe(400);
        expect((await browser.fetch(url)).status).toBe(400);
        expect(await isConnected(id)).toBe(false);
      }
    });

    test('at another server is refused', async () => {
      const { browser, state } = await begin('csrf-here');
      const { id } = await rest.define({ ...minimalServer('csrf-there'), ...OAUTH2, enabled: true });
      expect((await browser.fetch(`${callbackUrl(id)}?code=stolen&state=${state}`)).status).toBe(400);
    });

    test('without a session is unauthenticated', async () => {
      const { id, state } = await begin('csrf-nobody');
      const answer = await gateway.fetch(`${callbackUrl(id)}?code=stolen&state=${state}`.slice(TEST_PUBLIC_URL.length));
      expect(answer.status).toBe(401);
    });
  });
});
