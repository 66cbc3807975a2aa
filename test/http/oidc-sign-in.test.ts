// On both databases: concurrent changes of admins.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readAllRows } from '../graphql/database-rows.ts';
import { onMainDatabase } from '../setup/database.ts';
import { openSignInWorld, type SignInWorld, signIn, whoIsIn } from './sign-in-world.ts';

let world: SignInWorld;
beforeAll(async () => {
  world = await openSignInWorld();
});
beforeEach(() => {
  world.provider.nextAccount = { sub: 'ada', email: 'ada@example.com', email_verified: true };
});
afterAll(() => world?.close());

const AUDIT = `query ($action: AuditAction) { auditLog(first: 10, filter: { action: $action }) {
  nodes { targetId changes { field before after } } } }`;

describe.runIf(onMainDatabase)('a sign-in', () => {
  test('makes a member at the first time, and is theirs again later', async () => {
    const browser = world.browser();
    const landing = await signIn(world, browser, '/graphql?operationName=A');
    expect([landing.status, landing.url]).toEqual([200, `${world.url}/graphql?operationName=A`]);
    const first = await whoIsIn(world, browser);
    expect(first).toMatchObject({ email: 'ada@example.com', role: 'MEMBER' });
    const second = world.browser();
    await signIn(world, second);
    expect(await whoIsIn(world, second)).toEqual(first);
    expect(await whoIsIn(world, browser)).toEqual(first);
  });

  test('sends what the provider needs to protect it', async () => {
    const browser = world.browser();
    const { url } = await browser.open(`${world.url}/auth/oidc/sign-in`, (each) => each.includes('/auth?'));
    const query = new URL(url).searchParams;
    expect(Object.fromEntries(query)).toEqual({
      response_type: 'code',
      client_id: 'gatehouse',
      redirect_uri: `${world.url}/auth/oidc/callback`,
      scope: 'openid profile email',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
    const [[name = '', cookie = ''] = []] = [...browser.jarOf(world.url)];
    expect(name).toMatch(/^gatehouse_sign_in_[0-9a-f]{16}$/);
    for (const secret of ['state', 'nonce']) expect(name + cookie).not.toContain(query.get(secret));
    const started = await world.gateway.fetch('/auth/oidc/sign-in');
    expect(started.headers.get('set-cookie')).toMatch(/Path=\/; Expires=.*; HttpOnly; SameSite=Lax$/);
    expect(started.headers.get('cache-control')).toBe('no-store');
  });

  test('in several tabs at once works in each of them, in any order', async () => {
    world.provider.nextAccount = { sub: 'tabs' };
    const browser = world.browser();
    const begin = async (returnTo: string) => {
      const path = `${world.url}/auth/oidc/sign-in?${new URLSearchParams({ return_to: returnTo })}`;
      return (await browser.open(path, (url) => url.includes('/auth?'))).url;
    };
    const isCallback = (url: string) => url.includes('/auth/oidc/callback');
    const [first, second] = [await begin('/graphql?tab=1'), await begin('/graphql?tab=2')];
    const [later, earlier] = [await browser.open(second, isCallback), await browser.open(first, isCallback)];
    for (const [{ url }, tab] of [
      [later, '/graphql?tab=2'],
      [earlier, '/graphql?tab=1'],
    ] as const) {
      const response = await browser.request(url);
      expect([response.status, response.headers.get('location')]).toEqual([303, tab]);
      expect(await whoIsIn(world, browser)).toBeDefined();
    }
    expect([...browser.jarOf(world.url).keys()].sort()).toEqual(['gatehouse_id_token', 'gatehouse_session']);
  });

  test('can be begun often in one browser, which keeps the newest four', async () => {
    world.provider.nextAccount = { sub: 'tabs' };
    const browser = world.browser();
    const begun: string[] = [];
    for (let times = 0; times < 6; times += 1) {
      world.gateway.clock.advance(1_000);
      begun.push((await browser.open(`${world.url}/auth/oidc/sign-in`, (url) => url.includes('/auth?'))).url);
    }
    const jar = browser.jarOf(world.url);
    expect(jar.size).toBe(4);
    // One that the gateway did not make goes first.
    jar.set('gatehouse_sign_in_0000000000000000', 'invented');
    begun.push((await browser.open(`${world.url}/auth/oidc/sign-in`, (url) => url.includes('/auth?'))).url);
    expect([jar.size, jar.has('gatehouse_sign_in_0000000000000000')]).toEqual([4, false]);
    const landings: number[] = [];
    for (const url of begun) landings.push((await browser.open(url)).status);
    expect(landings).toEqual([400, 400, 400, 200, 200, 200, 200]);
    expect([...jar.values()].join('').length).toBeLessThan(4 * 1_024);
  });

  test('leaves nothing in the gateway until the provider vouches for it', async () => {
    const before = await readAllRows(world.gateway.database);
    for (let times = 0; times < 20; times += 1) await world.gateway.fetch('/auth/oidc/sign-in?return_to=/x');
    expect(await readAllRows(world.gateway.database)).toEqual(before);
  });

  test('of an address that another user has makes a user of its own', async () => {
    world.provider.nextAccount = { sub: 'eve', email: 'ADMIN@example.com', email_verified: true };
    const browser = world.browser();
    await signIn(world, browser);
    const who = await whoIsIn(world, browser);
    expect(who).toMatchObject({ email: 'eve@127.0.0.1', role: 'MEMBER' });
    expect(who?.id).not.toBe(world.gateway.userIds.admin);
  });

  test('of a suspended user tells them so, and nobody is signed in', async () => {
    world.provider.nextAccount = { sub: 'sus' };
    const browser = world.browser();
    await signIn(world, browser);
    const id = (await whoIsIn(world, browser))?.id;
    const change = 'mutation ($id: UUID!) { updateUser(id: $id, patch: { status: SUSPENDED }) { id } }';
    await world.gateway.graphql(change, { token: world.gateway.tokens.admin, variables: { id } });
    expect(await whoIsIn(world, browser)).toBeUndefined();
    const landing = await signIn(world, browser);
    expect(landing.status).toBe(403);
    expect(landing.text).toContain('Your user is suspended.');
    expect(await whoIsIn(world, browser)).toBeUndefined();
  });

  test('ends the session that the browser had', async () => {
    const browser = world.browser();
    await signIn(world, browser);
    const old = browser.jarOf(world.url).get('gatehouse_session') ?? '';
    await signIn(world, browser);
    const other = world.browser();
    other.jarOf(world.url).set('gatehouse_session', old);
    expect(await whoIsIn(world, browser)).toBeDefined();
    expect(await whoIsIn(world, other)).toBeUndefined();
  });

  test('works after the provider was restarted with new keys', async () => {
    await world.provider.restart();
    world.gateway.clock.advance(6_000);
    const browser = world.browser();
    await signIn(world, browser);
    expect(await whoIsIn(world, browser)).toMatchObject({ email: 'ada@example.com' });
  });

  test('that is declined says so', async () => {
    world.provider.nextAccount = undefined;
    const browser = world.browser();
    const landing = await signIn(world, browser, '/graphql');
    expect(landing.status).toBe(400);
    expect(landing.text).toContain('You or the authorization server declined access.');
    expect(landing.text).toContain('href="/auth/oidc/sign-in?return_to=%2Fgraphql"');
    expect(landing.text).not.toContain('<b>');
    expect(await whoIsIn(world, browser)).toBeUndefined();
  });
});

describe('the role', () => {
  const signInAs = async (sub: string, gatehouse_role?: unknown) => {
    world.provider.nextAccount = { sub, gatehouse_role };
    const browser = world.browser();
    await signIn(world, browser);
    return { browser, who: await whoIsIn(world, browser) };
  };

  test('is read anew at each sign-in, and that is recorded', async () => {
    const { browser, who } = await signInAs('grace', ['staff', 'Admin']);
    expect(who?.role).toBe('ADMIN');
    expect((await signInAs('grace', 'auditor')).who?.role).toBe('AUDITOR');
    expect((await whoIsIn(world, browser))?.role).toBe('AUDITOR');
    const { data } = await world.gateway.graphql(AUDIT, {
      token: world.gateway.tokens.auditor,
      variables: { action: 'USER_PROVISION' },
    });
    const changes = data.auditLog.nodes
      .filter((node: { targetId: string }) => node.targetId === who?.id)
      .map((node: { changes: unknown[] }) => node.changes[0]);
    expect(changes).toEqual([
      { field: 'role', before: '"admin"', after: '"auditor"' },
      { field: 'role', before: 'null', after: '"admin"' },
    ]);
  });

  test('of the last admin stays, until there is another one', async () => {
    const { browser, who } = await signInAs('linus', 'admin');
    const others = [world.gateway.userIds.admin, '00000000-0000-4000-8000-000000000001'];
    await world.gateway.database.query(
      `UPDATE users SET status = 'suspended' WHERE role = 'admin' AND id <> '${who?.id}'`,
    );
    expect((await signInAs('linus', 'member')).who?.role).toBe('ADMIN');
    await world.gateway.database.query(
      `UPDATE users SET status = 'active' WHERE id IN (${others.map((id) => `'${id}'`).join()})`,
    );
    expect((await signInAs('linus', 'member')).who?.role).toBe('MEMBER');
    expect((await whoIsIn(world, browser))?.role).toBe('MEMBER');
  });

  test('of the last two admins who are demoted at the same time stays with one', async () => {
    const admins = await Promise.all(['a1', 'a2'].map((sub) => signInOnce(sub, 'admin')));
    await world.gateway.database.query(
      `UPDATE users SET status = 'suspended' WHERE role = 'admin' AND id NOT IN ('${admins[0]?.id}', '${admins[1]?.id}')`,
    );
    try {
      const after = await Promise.all(['a1', 'a2'].map((sub) => signInOnce(sub)));
      expect(after.map((each) => each?.role).sort()).toEqual(['ADMIN', 'MEMBER']);
    } finally {
      await world.gateway.database.query(`UPDATE users SET status = 'active'`);
    }
  });

  /** Every browser signs in by itself; the provider takes accounts one after the other. */
  let queue: Promise<unknown> = Promise.resolve();
  const signInOnce = async (sub: string, gatehouse_role?: string) => {
    const browser = world.browser();
    const begun = queue.then(async () => {
      world.provider.nextAccount = { sub, gatehouse_role };
      return browser.open(`${world.url}/auth/oidc/sign-in`, (url) => url.includes('/auth/oidc/callback'));
    });
    queue = begun;
    await browser.open((await begun).url);
    return whoIsIn(world, browser);
  };
});
