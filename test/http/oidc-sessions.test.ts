import { randomUUID } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashToken } from '../../src/domain/credentials/token-format.ts';
import { readAllRows } from '../graphql/database-rows.ts';
import { createOidcSigner } from '../setup/oidc-signer.ts';
import { readSse } from '../setup/sse-reader.ts';
import type { TinyBrowser } from '../setup/tiny-browser.ts';
import { openSignInWorld, type SignInWorld, signIn, whoIsIn } from './sign-in-world.ts';

const AUDIENCE = 'https://gatehouse.example/api';
const HOUR_MS = 3_600_000;

let world: SignInWorld;
beforeAll(async () => {
  world = await openSignInWorld({
    // A stream of a session that ended may live on for so long.
    streamLimits: { renewMs: 50 },
    env: {
      GATEHOUSE_OIDC_AUDIENCE: AUDIENCE,
      GATEHOUSE_OIDC_SESSION_HOURS: '48',
      GATEHOUSE_MAX_WRONG_CREDENTIALS_PER_MINUTE: '100',
    },
  });
});
afterAll(() => world?.close());

/** A browser that is signed in. */
async function signedIn(sub: string, gatehouse_role?: string): Promise<TinyBrowser> {
  world.provider.nextAccount = { sub, gatehouse_role };
  const browser = world.browser();
  await signIn(world, browser);
  return browser;
}

const seconds = () => Math.floor(world.gateway.clock.now.getTime() / 1_000);

describe('a session of a sign-in', () => {
  test('ends after the hours that the operator chose, however much it is used', async () => {
    const browser = await signedIn('ada');
    for (let hours = 0; hours < 40; hours += 8) {
      world.gateway.clock.advance(8 * HOUR_MS);
      expect(await whoIsIn(world, browser), `after ${hours + 8} hours`).toBeDefined();
    }
    world.gateway.clock.advance(8 * HOUR_MS - 1);
    expect(await whoIsIn(world, browser)).toBeDefined();
    world.gateway.clock.advance(1);
    expect(await whoIsIn(world, browser)).toBeUndefined();
    world.gateway.clock.now = new Date();
  });

  test('ends after a day without use', async () => {
    const browser = await signedIn('ada');
    world.gateway.clock.advance(24 * HOUR_MS - 1);
    expect(await whoIsIn(world, browser)).toBeDefined();
    world.gateway.clock.advance(24 * HOUR_MS);
    expect(await whoIsIn(world, browser)).toBeUndefined();
    world.gateway.clock.now = new Date();
  });

  test('keeps the role while it lives, whatever bearer tokens say', async () => {
    const browser = await signedIn('flip', 'auditor');
    const bearer = (role: string | undefined, iat: number) =>
      world.provider.signer().sign({
        iss: world.provider.issuer,
        aud: AUDIENCE,
        sub: 'flip',
        iat,
        exp: iat + 300,
        ...(role !== undefined && { gatehouse_role: role }),
      });
    const roleOf = async (token: string) =>
      (await world.gateway.graphql('{ viewer { role } }', { token })).data?.viewer.role;
    const [admin, member] = [await bearer('admin', seconds() + 5), await bearer(undefined, seconds() + 6)];
    for (const token of [admin, member, admin, member]) {
      expect(await roleOf(token)).toBe('AUDITOR');
      expect((await whoIsIn(world, browser))?.role).toBe('AUDITOR');
    }
    await browser.request(`${world.url}/auth/sign-out`, { method: 'POST', headers: { origin: world.url } });
    // Without a session the newest token decides, and older ones do not undo it.
    for (const token of [member, admin, member, admin]) expect(await roleOf(token)).toBe('MEMBER');
  });
});

describe('signing out at the provider, too', () => {
  const signOut = async (browser: TinyBrowser) => {
    const response = await browser.request(`${world.url}/auth/sign-out`, {
      method: 'POST',
      headers: { origin: world.url },
    });
    const text = await response.text();
    const link = /href="([^"]+session\/end[^"]*)"/.exec(text)?.[1]?.replaceAll('&amp;', '&');
    return { response, link: link === undefined ? undefined : new URL(link) };
  };
  const hintOf = (browser: TinyBrowser) => browser.jarOf(world.url).get('gatehouse_id_token') ?? '';

  test('tells it who signs out, by an ID token that the gateway keeps nowhere', async () => {
    const browser = await signedIn('olga');
    const rows = JSON.stringify(await readAllRows(world.gateway.database));
    const sealed = hintOf(browser);
    expect(sealed).toMatch(/^[\w-]{100,4000}$/);
    const { response, link } = await signOut(browser);
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const query = Object.fromEntries(link?.searchParams ?? []);
    expect(query).toEqual({
      client_id: 'gatehouse',
      id_token_hint: expect.any(String),
      post_logout_redirect_uri: `${world.url}/auth/signed-out`,
    });
    expect(decodeJwt(query['id_token_hint'] ?? '')).toMatchObject({ sub: 'olga', aud: 'gatehouse' });
    for (const part of [query['id_token_hint'] ?? '', sealed]) expect(rows).not.toContain(part);
    expect([await whoIsIn(world, browser), browser.jarOf(world.url).size]).toEqual([undefined, 0]);
    // The provider takes it, and refuses one that is not its own.
    expect((await browser.request(String(link))).status).toBe(200);
    link?.searchParams.set('id_token_hint', `${query['id_token_hint']?.slice(0, -6)}AAAAAA`);
    expect((await browser.request(String(link))).status).toBe(400);
  });

  test('sends the cookie of the hint to signing out only', async () => {
    const browser = world.browser();
    world.provider.nextAccount = { sub: 'olga' };
    const { url } = await browser.open(`${world.url}/auth/oidc/sign-in`, (each) =>
      each.includes('/auth/oidc/callback'),
    );
    const lines = (await browser.request(url)).headers.getSetCookie();
    expect(lines.find((line) => line.startsWith('gatehouse_id_token='))).toMatch(
      /; Path=\/auth\/sign-out; Expires=.*; HttpOnly; SameSite=Lax$/,
    );
  });

  test.each<[string, (own: string, other: string) => string]>([
    ['of another user', (_own, other) => other],
    ['that was changed', (own) => `${own.slice(0, -1)}${own.endsWith('A') ? 'B' : 'A'}`],
    ['that was invented', () => 'x'.repeat(200)],
  ])('gives no hint by a cookie %s', async (_name, change) => {
    const [browser, other] = [await signedIn('olga'), await signedIn('pia')];
    browser.jarOf(world.url).set('gatehouse_id_token', change(hintOf(browser), hintOf(other)));
    const { link } = await signOut(browser);
    expect([...(link?.searchParams.keys() ?? [])].sort()).toEqual(['client_id', 'post_logout_redirect_uri']);
    expect(await whoIsIn(world, browser)).toBeUndefined();
  });

  test('keeps no ID token that is too long for a cookie, and still works', async () => {
    world.provider.nextAccount = { sub: 'olga' };
    const browser = world.browser();
    world.provider.forge = {
      path: '/token',
      change: async (answer) => {
        const claims = { ...decodeJwt(String(answer['id_token'])), padding: 'x'.repeat(3_000) };
        return { ...answer, id_token: await world.provider.signer().sign(claims, { typ: 'JWT' }) };
      },
    };
    await signIn(world, browser).finally(() => {
      world.provider.forge = undefined;
    });
    expect(await whoIsIn(world, browser)).toBeDefined();
    expect([...browser.jarOf(world.url).keys()]).toEqual(['gatehouse_session']);
    const { response } = await signOut(browser);
    expect([response.status, response.headers.get('location')]).toEqual([303, '/auth/signed-out']);
  });
});

const EVENT = { 'http://schemas.openid.net/event/backchannel-logout': {} };

/** A logout token as the provider makes it. */
function sign(claims: Record<string, unknown>, header: { typ?: string | undefined } = {}): Promise<string> {
  const iat = seconds();
  const usual = { iss: world.provider.issuer, aud: 'gatehouse', iat, exp: iat + 120, jti: randomUUID(), events: EVENT };
  const given = Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== undefined);
  return world.provider.signer().sign(Object.fromEntries(given), { typ: 'logout+jwt', ...header });
}

async function send(...tokens: string[]): Promise<number> {
  const body = new URLSearchParams(tokens.map((token) => ['logout_token', token]));
  const response = await world.gateway.fetch('/auth/oidc/backchannel-logout', { method: 'POST', body });
  expect(response.headers.get('cache-control')).toBe('no-store');
  return response.status;
}

/** What the provider calls a session. */
async function readSid(browser: TinyBrowser): Promise<string> {
  const hash = hashToken(browser.jarOf(world.url).get('gatehouse_session') ?? '');
  const [row] = await world.gateway.database.query(
    `SELECT oidc_session_id AS sid FROM sessions WHERE token_hash = '${hash}'`,
  );
  return String(row?.['sid']);
}

describe('a logout token of the provider', () => {
  test('ends the one session that it names', async () => {
    const [one, other] = [await signedIn('grace'), await signedIn('grace')];
    expect(await send(await sign({ sub: 'grace', sid: await readSid(other) }))).toBe(200);
    expect(await whoIsIn(world, other)).toBeUndefined();
    expect(await whoIsIn(world, one)).toBeDefined();
  });

  test('ends all sessions of the user that it names, with their streams, and no others', async () => {
    const [one, other, stranger] = [await signedIn('hedy'), await signedIn('hedy'), await signedIn('linus')];
    const stream = await one.request(`${world.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: world.url, accept: 'text/event-stream' },
      body: JSON.stringify({ query: 'subscription { mcpServerConfigEvents(includeInitial: true) { type } }' }),
    });
    const events = readSse(stream.body as AsyncIterable<Uint8Array>);
    expect((await events.next()).value?.data).toContain('BOOKMARK');
    // A session that the provider has nothing to do with.
    const byToken = await world.gateway.fetch('/auth/session', {
      method: 'POST',
      headers: { authorization: `Bearer ${world.gateway.tokens.member}` },
    });
    expect(byToken.status).toBe(201);

    expect(await send(await sign({ sub: 'hedy' }))).toBe(200);
    const rest: string[] = [];
    for await (const { data } of events) rest.push(data);
    expect(rest.join()).toContain('UNAUTHENTICATED');
    expect([await whoIsIn(world, one), await whoIsIn(world, other)]).toEqual([undefined, undefined]);
    expect(await whoIsIn(world, stranger)).toBeDefined();
    const cookie = (byToken.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const headers = { cookie, origin: world.url };
    expect((await world.gateway.graphql('{ viewer { id } }', { headers })).errors).toBeUndefined();
    const { data } = await world.gateway.graphql('{ auditLog(first: 1) { nodes { action reason actorKind } } }', {
      token: world.gateway.tokens.auditor,
    });
    expect(data.auditLog.nodes).toEqual([
      { action: 'SESSION_END', reason: 'The OpenID Connect provider signed the user out.', actorKind: 'SYSTEM' },
    ]);
  });

  test('counts once: the same one does not end a later session', async () => {
    await signedIn('ida');
    const token = await sign({ sub: 'ida' });
    expect(await send(token)).toBe(200);
    const later = await signedIn('ida');
    expect(await send(token)).toBe(400);
    expect(await whoIsIn(world, later)).toBeDefined();
  });

  test('is also good without a type of its own, as older providers make it', async () => {
    const browser = await signedIn('joan');
    expect(await send(await sign({ sub: 'joan' }, { typ: 'JWT' }))).toBe(200);
    expect(await whoIsIn(world, browser)).toBeUndefined();
  });

  test.each<[string, () => Promise<string>]>([
    ['of another issuer', () => sign({ sub: 'kay', iss: 'https://evil.example' })],
    ['for another client', () => sign({ sub: 'kay', aud: 'another' })],
    ['that is old', () => sign({ sub: 'kay', iat: seconds() - 700, exp: seconds() + 600 })],
    ['that expired', () => sign({ sub: 'kay', iat: seconds() - 300, exp: seconds() - 100 })],
    ['of the future', () => sign({ sub: 'kay', iat: seconds() + 300, exp: seconds() + 600 })],
    ['that does not expire', () => sign({ sub: 'kay', exp: undefined })],
    ['without an issue time', () => sign({ sub: 'kay', iat: undefined })],
    ['without a name of its own', () => sign({ sub: 'kay', jti: undefined })],
    ['without the event', () => sign({ sub: 'kay', events: undefined })],
    ['of another event', () => sign({ sub: 'kay', events: { 'http://schemas.openid.net/event/other': {} } })],
    ['whose event is a text', () => sign({ sub: 'kay', events: { [Object.keys(EVENT)[0] ?? '']: 'x' } })],
    ['with a nonce, as ID tokens have', () => sign({ sub: 'kay', nonce: 'n' })],
    ['of nobody', () => sign({})],
    ['of a user that is no text', () => sign({ sub: 7, sid: ['a'] })],
    ['for another purpose', () => sign({ sub: 'kay' }, { typ: 'at+jwt' })],
    ['with another key', async () => (await createOidcSigner()).sign({ iss: world.provider.issuer, sub: 'kay' })],
    ['that is no token', async () => 'x'],
    ['that is empty', async () => ''],
  ])('%s ends nothing', async (_name, make) => {
    const browser = await signedIn('kay');
    expect(await send(await make())).toBe(400);
    expect(await whoIsIn(world, browser)).toBeDefined();
  });

  describe('that arrives while a sign-in is under way', () => {
    const countSessions = async (): Promise<number> => {
      const [row] = await world.gateway.database.query('SELECT count(*)::int AS count FROM sessions');
      return Number(row?.['count']);
    };

    /** Signs in, and lets a logout arrive when the provider has answered, but not the gateway. */
    const signInDuring = async (toClaims: (sid: string, sub: string) => Record<string, unknown>) => {
      // Nobody who was signed out a moment ago by another test.
      const sub = `lou-${randomUUID()}`;
      world.provider.nextAccount = { sub };
      const browser = world.browser();
      // The provider has a clock of its own: the sign-in begins a second ago.
      world.gateway.clock.now = new Date(Date.now() - 1_000);
      world.provider.forge = {
        path: '/token',
        async change(answer) {
          world.gateway.clock.now = new Date();
          const { sid } = decodeJwt(String(answer['id_token']));
          expect(sid).toEqual(expect.any(String));
          expect(await send(await sign(toClaims(String(sid), sub)))).toBe(200);
          return answer;
        },
      };
      const landing = await signIn(world, browser).finally(() => {
        world.provider.forge = undefined;
      });
      return { sub, browser, landing };
    };

    test.each<[string, (sid: string, sub: string) => Record<string, unknown>]>([
      ['the session', (sid) => ({ sid })],
      ['the session and the user', (sid, sub) => ({ sid, sub })],
      ['the user', (_sid, sub) => ({ sub })],
    ])('for %s lets it open no session, and says so', async (_name, toClaims) => {
      const before = await countSessions();
      const { sub, browser, landing } = await signInDuring(toClaims);
      expect(landing.status).toBe(400);
      expect(landing.text).toContain('The provider signed you out while you signed in here');
      expect(await whoIsIn(world, browser)).toBeUndefined();
      expect(await countSessions()).toBe(before);
      // The person can sign in again at once.
      expect(await whoIsIn(world, await signedIn(sub))).toBeDefined();
    });

    test.each<[string, (sid: string, sub: string) => Record<string, unknown>]>([
      ['another session', () => ({ sid: 'another' })],
      ['another session of the user', (_sid, sub) => ({ sid: 'another', sub })],
      ['another user', () => ({ sub: 'mia' })],
    ])('for %s does not disturb it', async (_name, toClaims) => {
      const { browser, landing } = await signInDuring(toClaims);
      expect(landing.status).toBe(200);
      expect(await whoIsIn(world, browser)).toBeDefined();
    });
  });

  test('is one token in a form', async () => {
    const token = await sign({ sub: 'kay' });
    expect(await send()).toBe(400);
    expect(await send(token, token)).toBe(400);
    const json = { method: 'POST', body: JSON.stringify({ logout_token: token }) };
    expect((await world.gateway.fetch('/auth/oidc/backchannel-logout', json)).status).toBe(415);
    expect(await send(token)).toBe(200);
  });

  test('can be guessed only so often, and what is remembered of tokens ends with them', async () => {
    const post = async () => {
      const body = new URLSearchParams({ logout_token: `a.${randomUUID()}.c` });
      const init = { method: 'POST', body };
      return (await world.gateway.fetch('/auth/oidc/backchannel-logout', init, '203.0.113.8')).status;
    };
    const statuses: number[] = [];
    for (let times = 0; times < 110; times += 1) statuses.push(await post());
    expect([statuses[0], statuses.at(-1)]).toEqual([400, 429]);
    const count = async () => {
      const [row] = await world.gateway.database.query('SELECT count(*)::int AS count FROM oidc_single_uses');
      return Number(row?.['count']);
    };
    expect(await count()).toBeGreaterThan(3);
    world.gateway.clock.advance(HOUR_MS);
    await signedIn('ada');
    expect(await count()).toBe(1);
    expect(await send(await sign({ sub: 'ada' }))).toBe(200);
    expect(await world.gateway.database.query('SELECT 1 FROM oidc_logouts')).toHaveLength(1);
  });
});
