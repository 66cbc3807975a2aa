// On the embedded database: it shows a page.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readAllRows } from '../graphql/database-rows.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { cookieOf, whoIs } from './browser-session.ts';

const HTML = { accept: 'text/html,*/*;q=0.8' };
let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway({ env: { GATEHOUSE_CORS_ORIGINS: 'https://chat.example.com' } });
});
beforeEach(() => gateway.clock.advance(60_000));
afterAll(() => gateway?.close());

const own = () => ({ origin: gateway.config.publicUrl });

function send(fields: Record<string, string>, headers: Record<string, string> = own()): Promise<Response> {
  return gateway.fetch('/auth/sign-in', { method: 'POST', headers, body: new URLSearchParams(fields) });
}

describe('the form of the sign-in page', () => {
  test('signs in with a token and returns to where the visitor was', async () => {
    const response = await send({ token: ` ${gateway.tokens.member}\n`, return_to: '/graphql?operationName=A' });
    expect([response.status, response.headers.get('location')]).toEqual([303, '/graphql?operationName=A']);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await whoIs(gateway, { cookie: cookieOf(response) })).toBe(gateway.userIds.member);
    const elsewhere = await send({ token: gateway.tokens.member, return_to: '//evil.example' });
    expect(elsewhere.headers.get('location')).toBe('/');
  });

  test('ends the session that the browser had', async () => {
    const former = cookieOf(await send({ token: gateway.tokens.member }));
    const other = cookieOf(await send({ token: gateway.tokens.member }));
    const response = await send({ token: gateway.tokens.admin }, { ...own(), cookie: former });
    expect(await whoIs(gateway, { cookie: cookieOf(response) })).toBe(gateway.userIds.admin);
    expect(await whoIs(gateway, { cookie: former })).toBeUndefined();
    // Another browser of the same user stays signed in.
    expect(await whoIs(gateway, { cookie: other })).toBe(gateway.userIds.member);
    // A token that is not accepted changes nothing.
    expect((await send({ token: 'gth_wrong' }, { ...own(), cookie: other })).status).toBe(401);
    expect(await whoIs(gateway, { cookie: other })).toBe(gateway.userIds.member);
  });

  test.each<[string, () => string, number, string]>([
    ['nothing', () => '', 400, 'does not look like a token'],
    ['two words', () => 'two words', 400, 'does not look like a token'],
    ['a wrong token', () => 'gth_wrong', 401, 'rejected this token'],
    ['markup', () => '<script>alert(1)</script>', 401, 'rejected this token'],
    ['a token of a suspended user', () => gateway.tokens.suspended, 401, 'or its user is suspended'],
  ])('says why %s is not accepted, and repeats nothing', async (_name, read, status, text) => {
    const before = await readAllRows(gateway.database);
    const response = await send({ token: read(), return_to: '/graphql?a="><script>' });
    const page = await response.text();
    expect(response.status).toBe(status);
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(page).toContain(text);
    expect(page).toContain('aria-invalid="true"');
    expect(page).not.toContain('<script');
    if (read() !== '') expect(page).not.toContain(read());
    expect(await readAllRows(gateway.database)).toEqual(before);
  });

  test('takes no token that is limited to tools', async () => {
    const { data } = await gateway.graphql(
      'mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }',
      { token: gateway.tokens.member, variables: { input: { name: 'tools', scopes: ['MCP'] } } },
    );
    const response = await send({ token: data.createApiToken.token });
    expect([response.status, response.headers.get('set-cookie')]).toEqual([403, null]);
  });

  test.each<[string, Record<string, string>]>([
    ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['another site in an older browser', { origin: 'https://evil.example' }],
    ['an allowed origin, which has its own pages', { origin: 'https://chat.example.com' }],
    ['another port', { origin: 'http://localhost:4001', 'sec-fetch-site': 'same-site' }],
    ['a sandboxed frame', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ['nowhere', {}],
    ['an address that is typed', { 'sec-fetch-site': 'none' }],
  ])('is not taken from %s: nobody is signed in as somebody else', async (_name, headers) => {
    const response = await send({ token: gateway.tokens.member }, headers);
    expect([response.status, response.headers.get('set-cookie')]).toEqual([403, null]);
    const signOut = await gateway.fetch('/auth/sign-out', { method: 'POST', headers });
    expect([signOut.status, signOut.headers.get('set-cookie')]).toEqual([403, null]);
  });

  test('is a form, and a small one', async () => {
    const json = { method: 'POST', headers: own(), body: JSON.stringify({ token: gateway.tokens.member }) };
    expect((await gateway.fetch('/auth/sign-in', json)).status).toBe(415);
    expect((await send({ token: 'a'.repeat(300_000) })).status).toBe(413);
  });

  test('can be guessed only so often from one address, and an honest one goes on', async () => {
    const statuses: number[] = [];
    const body = () => new URLSearchParams({ token: 'wrong' });
    const post = (from: string) =>
      gateway.fetch('/auth/sign-in', { method: 'POST', headers: own(), body: body() }, from);
    for (let times = 0; times < 110; times += 1) statuses.push((await post('203.0.113.7')).status);
    expect([statuses[0], statuses.at(-1)]).toEqual([401, 429]);
    const limited = await post('203.0.113.7');
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await limited.text()).toContain('Wait a minute');
    expect((await post('203.0.113.70')).status).toBe(401);
  });
});

describe('the sign-in page', () => {
  const open = async (path: string, headers: Record<string, string> = {}) => {
    const response = await gateway.fetch(path, { headers: { ...HTML, ...headers } });
    return { response, text: await response.text() };
  };

  test('is there without a playground, and without a provider has no button for one', async () => {
    const { response, text } = await open('/auth/sign-in?return_to=/servers');
    expect(response.status).toBe(200);
    expect(text).toContain('name="return_to" value="/servers"');
    expect(text).not.toContain('/auth/oidc');
    expect(text).not.toMatch(/<script|style=/);
    expect((await open('/auth/sign-in?return_to=https://evil.example')).text).toContain('value="/"');
  });

  test('lets people through who are signed in', async () => {
    const cookie = cookieOf(await send({ token: gateway.tokens.member }));
    const { response } = await open('/auth/sign-in?return_to=/servers', { cookie });
    expect([response.status, response.headers.get('location')]).toEqual([303, '/servers']);
  });

  test('explains a used link to people', async () => {
    const { response, text } = await open('/auth/sign-in?token=used');
    expect(response.status).toBe(401);
    expect(text).toContain('This sign-in link was already used or has expired.');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
  });

  test('is not needed with a link, which leads to where it says, or to the start page', async () => {
    const read = async (more: string) => {
      const url = (await gateway.createSignInUrl()).slice(gateway.config.publicUrl.length);
      return (await gateway.fetch(`${url}${more}`)).headers.get('location');
    };
    expect(await read('')).toBe('/');
    expect(await read('&return_to=/servers')).toBe('/servers');
    expect(await read('&return_to=//evil.example')).toBe('/');
  });

  test('is not needed by people, whose links lead to the start page', async () => {
    const { data } = await gateway.graphql(
      'mutation ($id: UUID!) { createSignInLink(input: { userId: $id }) { url } }',
      { token: gateway.tokens.admin, variables: { id: gateway.userIds.member } },
    );
    const response = await gateway.fetch(data.createSignInLink.url.slice(gateway.config.publicUrl.length));
    expect([response.status, response.headers.get('location')]).toEqual([303, '/']);
    expect(await whoIs(gateway, { cookie: cookieOf(response) })).toBe(gateway.userIds.member);
  });

  test('tells a suspended user who opens a link that they are suspended', async () => {
    const { data } = await gateway.graphql('mutation { createUser(input: { email: "late@example.com" }) { id } }', {
      token: gateway.tokens.admin,
    });
    const { id } = data.createUser;
    const link = await gateway.graphql('mutation ($id: UUID!) { createSignInLink(input: { userId: $id }) { url } }', {
      token: gateway.tokens.admin,
      variables: { id },
    });
    await gateway.database.query(`UPDATE users SET status = 'suspended' WHERE id = '${id}'`);
    const { response, text } = await open(link.data.createSignInLink.url.slice(gateway.config.publicUrl.length));
    expect([response.status, response.headers.get('set-cookie')]).toEqual([403, null]);
    expect(text).toContain('Your user is suspended.');
  });

  test('of a provider that is not set up says so', async () => {
    const { response, text } = await open('/auth/oidc/sign-in');
    expect(response.status).toBe(404);
    expect(text).toContain('GATEHOUSE_OIDC_CLIENT_ID is not set');
    expect((await gateway.fetch('/auth/oidc/backchannel-logout', { method: 'POST' })).status).toBe(404);
  });

  test('is reached after signing out', async () => {
    const cookie = cookieOf(await send({ token: gateway.tokens.member }));
    const response = await gateway.fetch('/auth/sign-out', { method: 'POST', headers: { ...own(), cookie } });
    expect([response.status, response.headers.get('location')]).toEqual([303, '/auth/signed-out']);
    expect(response.headers.get('set-cookie')).toMatch(/^gatehouse_session=; Max-Age=0/);
    expect(await whoIs(gateway, { cookie })).toBeUndefined();
    const { text } = await open('/auth/signed-out');
    expect(text).toContain('You are signed out');
    expect(text).not.toContain('Sign out of');
  });

  test('and its neighbours are not used up by previews', async () => {
    for (const path of ['/auth/signed-out', '/auth/oidc/sign-in', '/auth/oidc/callback']) {
      expect((await gateway.fetch(path, { method: 'HEAD' })).status).toBe(204);
      expect((await gateway.fetch(path, { headers: { 'sec-purpose': 'prefetch' } })).status).toBe(204);
    }
  });
});
