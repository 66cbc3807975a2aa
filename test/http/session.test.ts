import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BOOTSTRAP_ADMIN_ID } from '../../src/domain/credentials/bootstrap-admin.ts';
import {
  SESSION_IDLE_MS,
  SESSION_LIFETIME_MS,
  SIGN_IN_LINK_LIFETIME_MS,
} from '../../src/domain/credentials/session-service.ts';
import { readAllRows } from '../graphql/database-rows.ts';
import { openTestDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { cookieOf, openSession, whoIs } from './browser-session.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway?.close());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const pathOf = (url: string) => url.slice(gateway.config.publicUrl.length);
const own = () => ({ origin: gateway.config.publicUrl });

async function countSessions(): Promise<number> {
  return (await readAllRows(gateway.database))['sessions']?.length ?? 0;
}

describe('a session', () => {
  test('is opened with a bearer token and acts as its user', async () => {
    const response = await gateway.fetch('/auth/session', { method: 'POST', headers: bearer(gateway.tokens.auditor) });
    expect(response.status).toBe(201);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const end = new Date(gateway.clock.now.getTime() + SESSION_LIFETIME_MS);
    expect(await response.json()).toEqual({ expires_at: end.toISOString() });
    expect(await whoIs(gateway, { cookie: cookieOf(response) })).toBe(gateway.userIds.auditor);
  });

  test.each([
    ['http://localhost:4000', 'gatehouse_session', ['HttpOnly', 'Path=/', 'SameSite=Lax']],
    ['https://gatehouse.example.com', '__Host-gatehouse_session', ['HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure']],
  ])('under %s has the cookie %s', async (publicUrl, name, attributes) => {
    const database = await openTestDatabase();
    const other = await createTestGateway({ database, env: { GATEHOUSE_PUBLIC_URL: publicUrl } });
    try {
      const response = await other.fetch('/auth/session', { method: 'POST', headers: bearer(other.tokens.member) });
      const [pair = '', ...rest] = (response.headers.get('set-cookie') ?? '').split('; ');
      expect(pair).toMatch(new RegExp(`^${name}=[A-Za-z0-9_-]{43}$`));
      const expires = `Expires=${new Date(other.clock.now.getTime() + SESSION_LIFETIME_MS).toUTCString()}`;
      expect(rest.sort()).toEqual([...attributes, expires].sort());
      expect(await whoIs(other, { cookie: pair })).toBe(other.userIds.member);
      // A cookie with the same value under the other name comes from another site.
      const value = pair.split('=')[1];
      const wrong = name.startsWith('__Host-') ? 'gatehouse_session' : '__Host-gatehouse_session';
      expect(await whoIs(other, { cookie: `${wrong}=${value}` })).toBeUndefined();

      const headers = { cookie: pair, origin: publicUrl };
      const cleared = await other.fetch('/auth/session', { method: 'DELETE', headers });
      const [empty, ...clearing] = (cleared.headers.get('set-cookie') ?? '').split('; ');
      expect(empty).toBe(`${name}=`);
      expect(clearing.sort()).toEqual([...attributes, 'Max-Age=0'].sort());
    } finally {
      await other.close();
      await database.close();
    }
  });

  test('is stored only as a hash of its cookie', async () => {
    const cookie = await openSession(gateway, gateway.tokens.member);
    const [, value = ''] = cookie.split('=');
    expect(JSON.stringify(await readAllRows(gateway.database))).not.toContain(value);
    await whoIs(gateway, { cookie });
    expect(gateway.logs()).not.toContain(value);
  });

  test('is ended by its owner, permanently', async () => {
    const cookie = await openSession(gateway, gateway.tokens.member);
    const other = await openSession(gateway, gateway.tokens.member);
    const end = (headers: Record<string, string>) => gateway.fetch('/auth/session', { method: 'DELETE', headers });
    expect((await end({ cookie, ...own() })).status).toBe(204);
    expect(await whoIs(gateway, { cookie })).toBeUndefined();
    expect((await end({ cookie, ...own() })).status).toBe(204);
    expect(await whoIs(gateway, { cookie: other })).toBe(gateway.userIds.member);
    expect((await end({})).status).toBe(401);
    expect((await end(bearer(gateway.tokens.member))).status).toBe(401);
  });

  test('cannot be opened without credentials, by a bad token, a suspended user or another session', async () => {
    const cookie = await openSession(gateway, gateway.tokens.member);
    const before = await countSessions();
    for (const headers of [{}, bearer('gth_wrong'), bearer(gateway.tokens.suspended), { cookie, ...own() }]) {
      const response = await gateway.fetch('/auth/session', {
        method: 'POST',
        headers: headers as Record<string, string>,
      });
      expect(response.status).toBe(401);
      expect(response.headers.get('set-cookie')).toBeNull();
      expect(await response.json()).toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    expect(await countSessions()).toBe(before);
  });

  test('is not a fallback for a bad bearer token', async () => {
    const cookie = await openSession(gateway, gateway.tokens.admin);
    expect(await whoIs(gateway, { cookie })).toBe(gateway.userIds.admin);
    for (const authorization of [
      'Bearer gth_wrong',
      'Bearer ',
      'Bearer',
      'Basic YWRhOmFkYQ==',
      '',
      `Bearer ${gateway.tokens.suspended}`,
    ]) {
      expect(await whoIs(gateway, { cookie, authorization }), authorization).toBeUndefined();
    }
    expect(await whoIs(gateway, { cookie, ...bearer(gateway.tokens.member) })).toBe(gateway.userIds.member);
  });

  test('of the operator’s token or link ends when they change the token', async () => {
    const byToken = await openSession(gateway, gateway.tokens.bootstrap);
    const byLink = cookieOf(
      await gateway.fetch((await gateway.createSignInUrl()).slice(gateway.config.publicUrl.length)),
    );
    const other = await openSession(gateway, gateway.tokens.admin);
    const who = () => Promise.all([byToken, byLink, other].map((cookie) => whoIs(gateway, { cookie })));
    expect(await who()).toEqual([BOOTSTRAP_ADMIN_ID, BOOTSTRAP_ADMIN_ID, gateway.userIds.admin]);
    // As if these two were opened under another token.
    await gateway.database.query('UPDATE sessions SET bootstrap_digest = reverse(bootstrap_digest)');
    expect(await who()).toEqual([undefined, undefined, gateway.userIds.admin]);
    expect(JSON.stringify(await readAllRows(gateway.database))).not.toContain(gateway.tokens.bootstrap);
  });

  test('is not found by an invented cookie', async () => {
    const cookie = await openSession(gateway, gateway.tokens.member);
    for (const wrong of [
      `${cookie}a`,
      cookie.slice(0, -1),
      'gatehouse_session=',
      'gatehouse_session=%00',
      'gatehouse_session="',
      'gatehouse_session=%',
    ]) {
      expect(await whoIs(gateway, { cookie: wrong }), wrong).toBeUndefined();
    }
  });
});

describe('time', () => {
  test('ends a session that is not used for a day', async () => {
    const cookie = await openSession(gateway, gateway.tokens.member);
    for (let day = 0; day < 3; day += 1) {
      gateway.clock.advance(SESSION_IDLE_MS - 1);
      expect(await whoIs(gateway, { cookie })).toBe(gateway.userIds.member);
    }
    gateway.clock.advance(SESSION_IDLE_MS);
    expect(await whoIs(gateway, { cookie })).toBeUndefined();
  });

  test.each([
    ['a token', () => openSession(gateway, gateway.tokens.member)],
    ['a link', async () => cookieOf(await gateway.fetch(pathOf(await gateway.createSignInUrl())))],
  ])('ends a session by %s after a week, however much it is used', async (_name, open) => {
    const cookie = await open();
    const user = await whoIs(gateway, { cookie });
    const step = SESSION_LIFETIME_MS / 14;
    for (let half = 1; half < 14; half += 1) {
      gateway.clock.advance(step);
      expect(await whoIs(gateway, { cookie }), `after ${half} half days`).toBe(user ?? 'somebody');
    }
    gateway.clock.advance(step - 1);
    expect(await whoIs(gateway, { cookie })).toBe(user);
    gateway.clock.advance(1);
    expect(await whoIs(gateway, { cookie })).toBeUndefined();
  });

  test('ends a session with the token that opened it', async () => {
    const expiresAt = new Date(gateway.clock.now.getTime() + 3_600_000);
    const { data } = await gateway.graphql(
      'mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }',
      {
        token: gateway.tokens.bootstrap,
        variables: { input: { userId: gateway.userIds.member, name: 'short', expiresAt } },
      },
    );
    const cookie = await openSession(gateway, data.createApiToken.token);
    gateway.clock.advance(3_599_999);
    expect(await whoIs(gateway, { cookie })).toBe(gateway.userIds.member);
    gateway.clock.advance(1);
    expect(await whoIs(gateway, { cookie })).toBeUndefined();
  });

  test('removes expired sessions and links', async () => {
    await openSession(gateway, gateway.tokens.member);
    await gateway.createSignInUrl();
    gateway.clock.advance(SESSION_LIFETIME_MS + 1);
    await openSession(gateway, gateway.tokens.member);
    const rows = await readAllRows(gateway.database);
    expect(rows['sessions']).toHaveLength(1);
    expect(rows['sign_in_links']).toHaveLength(0);
  });
});

describe('a sign-in link', () => {
  test('signs the bootstrap admin in and lands in the console, once', async () => {
    const url = await gateway.createSignInUrl();
    expect(url.startsWith(`${gateway.config.publicUrl}/auth/sign-in?`)).toBe(true);
    const response = await gateway.fetch(pathOf(url));
    expect([response.status, response.headers.get('location')]).toEqual([303, '/']);
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await whoIs(gateway, { cookie: cookieOf(response) })).toBe(BOOTSTRAP_ADMIN_ID);
    const again = await gateway.fetch(pathOf(url));
    expect(again.status).toBe(401);
    expect(again.headers.get('set-cookie')).toBeNull();
  });

  test.each<[string, RequestInit]>([
    ['HEAD', { method: 'HEAD' }],
    ['a prefetch', { headers: { 'sec-purpose': 'prefetch' } }],
    ['a prerendering', { headers: { 'sec-purpose': 'prefetch;prerender' } }],
  ])('is not used up by %s', async (_name, init) => {
    const path = pathOf(await gateway.createSignInUrl());
    const preview = await gateway.fetch(path, init);
    expect([preview.status, preview.headers.get('set-cookie')]).toEqual([204, null]);
    expect((await gateway.fetch(path)).status).toBe(303);
  });

  test('followed twice at the same time signs in once', async () => {
    const path = pathOf(await gateway.createSignInUrl());
    const responses = await Promise.all(Array.from({ length: 10 }, () => gateway.fetch(path)));
    expect(responses.map(({ status }) => status).sort()).toEqual([303, ...Array.from({ length: 9 }, () => 401)]);
    expect(responses.filter((response) => response.headers.has('set-cookie'))).toHaveLength(1);
  });

  test('expires after an hour', async () => {
    const [fresh, old] = [await gateway.createSignInUrl(), await gateway.createSignInUrl()];
    gateway.clock.advance(SIGN_IN_LINK_LIFETIME_MS - 1);
    expect((await gateway.fetch(pathOf(fresh))).status).toBe(303);
    gateway.clock.advance(1);
    expect((await gateway.fetch(pathOf(old))).status).toBe(401);
  });

  test('is in no log line, and an invented one is refused', async () => {
    const path = pathOf(await gateway.createSignInUrl());
    await gateway.fetch(path);
    const token = new URLSearchParams(path.split('?')[1]).get('token') ?? '';
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(gateway.logs()).not.toContain(token);
    for (const wrong of ['?token=', '?token=x', `?token=${'a'.repeat(43)}`, '?token=%00', '?token=%']) {
      const response = await gateway.fetch(`/auth/sign-in${wrong}`);
      expect([response.status, response.headers.get('set-cookie')], wrong).toEqual([401, null]);
    }
  });
});
