import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCaches } from '../../src/cache/caches.ts';
import { Secret } from '../../src/crypto/secret.ts';
import { createPrisma } from '../../src/data/database/prisma.ts';
import { createStore } from '../../src/data/store.ts';
import {
  BOOTSTRAP_ADMIN_ID,
  createBootstrapDigest,
  ensureBootstrapAdmin,
} from '../../src/domain/credentials/bootstrap-admin.ts';
import { createGuessLimit } from '../../src/domain/credentials/guess-limit.ts';
import { createSessionService } from '../../src/domain/credentials/session-service.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway.close());

test('a sign-in link survives a link preview, and is used up by a real visit', async () => {
  const link = new URL(await gateway.createSignInUrl());
  const address = `${link.pathname}${link.search}`;
  expect((await gateway.fetch(address, { method: 'HEAD' })).headers.get('set-cookie')).toBeNull();
  const prefetched = await gateway.fetch(address, { headers: { 'sec-purpose': 'prefetch;prerender' } });
  expect(prefetched.headers.get('set-cookie')).toBeNull();
  const visited = await gateway.fetch(address);
  expect(visited.status).toBe(303);
  expect(visited.headers.get('set-cookie')).toContain('gatehouse_session=');
  expect((await gateway.fetch(address)).status).toBe(401);
});

test("the operator's sessions end when they change their token", async () => {
  const prisma = createPrisma(gateway.database, gateway.keyring);
  const store = createStore(prisma);
  const now = () => gateway.clock.now;
  const guesses = createGuessLimit({ caches: createCaches(), store, perMinute: 100, now });
  const before = createSessionService({
    store,
    now,
    bootstrapDigest: createBootstrapDigest(new Secret('the first token')),
    guesses,
    maxPerUser: 100,
  });
  const bootstrapDigest = createBootstrapDigest(new Secret('another token'));
  const after = createSessionService({ store, now, bootstrapDigest, guesses, maxPerUser: 100 });
  const credential = { kind: 'bootstrap' } as const;
  const opened = await before.openForViewer({ kind: 'user', userId: BOOTSTRAP_ADMIN_ID, role: 'admin', credential });
  const linked = await before.openByLink((await before.createSignInLink(BOOTSTRAP_ADMIN_ID)).expose());
  for (const { token } of [opened, linked]) {
    expect(await before.verify(token.expose())).toMatchObject({ kind: 'user', role: 'admin' });
    expect(await after.verify(token.expose())).toEqual({ kind: 'nobody' });
  }
  await prisma.$disconnect();
});

test('the bootstrap admin cannot be deleted, and is created even if another user has the address', async () => {
  const { errors } = await gateway.graphql('mutation ($id: UUID!) { deleteUser(id: $id) { deletedId } }', {
    token: gateway.tokens.admin,
    variables: { id: BOOTSTRAP_ADMIN_ID },
  });
  expect(errors).toMatchObject([{ extensions: { code: 'VALIDATION_FAILED', issues: [{ code: 'BOOTSTRAP_ADMIN' }] } }]);

  await gateway.database.query('DELETE FROM users WHERE id = $1', [BOOTSTRAP_ADMIN_ID]);
  await gateway.graphql('mutation ($input: CreateUserInput!) { createUser(input: $input) { id } }', {
    token: gateway.tokens.admin,
    variables: { input: { email: 'Admin@Gatehouse.localhost' } },
  });
  const prisma = createPrisma(gateway.database, gateway.keyring);
  await ensureBootstrapAdmin(createStore(prisma));
  await prisma.$disconnect();
  const me = await gateway.graphql('{ viewer { id role } }', { token: gateway.tokens.bootstrap });
  expect(me.data).toEqual({ viewer: { id: BOOTSTRAP_ADMIN_ID, role: 'ADMIN' } });
});

test("errors before GraphQL have GraphQL's format", async () => {
  const tooLarge = await gateway.fetch('/graphql', {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.tokens.member}`, 'content-type': 'application/json' },
    body: 'x'.repeat(300_000),
  });
  expect(tooLarge.status).toBe(413);
  expect(await tooLarge.json()).toEqual({
    errors: [{ message: expect.any(String), extensions: { code: 'VALIDATION_FAILED' } }],
  });
});
