import { afterEach, expect, test } from 'vitest';
import { openSignInWorld, type SignInWorld, signIn, whoIsIn } from './sign-in-world.ts';

let world: SignInWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

test('with sign-up off, nobody new becomes a user, and they read why', async () => {
  const opened = await openSignInWorld({ env: { GATEHOUSE_OIDC_ALLOW_SIGNUP: 'false' } });
  world = opened;
  world.provider.nextAccount = { sub: 'ada', email: 'ada@example.com', email_verified: true };
  const browser = world.browser();
  const landing = await signIn(world, browser);
  expect(landing.status).toBe(403);
  expect(landing.text).toContain('You are not a user of this gateway, and it takes no new ones.');
  expect(await whoIsIn(world, browser)).toBeUndefined();
  const { data } = await world.gateway.graphql('{ users(filter: { search: "ada@" }) { totalCount } }', {
    token: world.gateway.tokens.admin,
  });
  expect(data.users.totalCount).toBe(0);
  // Whoever is a user already comes in.
  await world.gateway.database.query(
    `UPDATE users SET oidc_issuer = '${world.provider.issuer}', oidc_subject = 'ada' WHERE email = 'member@example.com'`,
  );
  world.gateway.clock.advance(60_000);
  await signIn(world, browser);
  expect(await whoIsIn(opened, browser)).toMatchObject({ id: opened.gateway.userIds.member });
});

test('an address that is not verified does not count for a domain', async () => {
  world = await openSignInWorld({ env: { GATEHOUSE_OIDC_EMAIL_DOMAINS: 'example.com' } });
  world.provider.nextAccount = { sub: 'mallory', email: 'boss@example.com' };
  const browser = world.browser();
  const landing = await signIn(world, browser);
  expect(landing.status).toBe(403);
  expect(landing.text).toContain('does not say that it has verified your email address');
  expect(await whoIsIn(world, browser)).toBeUndefined();
});

test.each(['client_secret_post', 'none'] as const)(
  'a provider that puts all claims into the ID token, with the client method %s, works',
  async (authMethod) => {
    world = await openSignInWorld({
      env: { GATEHOUSE_OIDC_ROLE_MAP: 'eyes=auditor' },
      provider: { authMethod, hasUserinfo: false },
    });
    world.provider.nextAccount = {
      sub: 'ada',
      email: 'ada@example.com',
      email_verified: true,
      gatehouse_role: ['eyes'],
    };
    const browser = world.browser();
    await signIn(world, browser);
    expect(await whoIsIn(world, browser)).toMatchObject({ email: 'ada@example.com', role: 'AUDITOR' });
    expect(world.provider.requests).not.toContain('GET /me');
  },
);

test('a client that the provider does not know is told to the operator, not to the person', async () => {
  world = await openSignInWorld({ env: { GATEHOUSE_OIDC_CLIENT_SECRET: 'wrong-canary' } });
  world.provider.nextAccount = { sub: 'ada' };
  const browser = world.browser();
  const landing = await signIn(world, browser);
  expect(landing.status).toBe(502);
  expect(landing.text).not.toMatch(/canary|client/);
  expect(world.gateway.logs()).toContain('the token endpoint answered 401: check the client id and the client secret');
  expect(world.gateway.logs()).not.toContain('canary');
});
