import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createStore, type Store } from '../../src/data/store.ts';
import { createConfigPlans } from '../../src/domain/configs/config-plans.ts';
import { createConfigService } from '../../src/domain/configs/config-service.ts';
import { createOAuth } from '../../src/domain/connections/oauth.ts';
import { createServerSecrets } from '../../src/domain/connections/server-secrets.ts';
import { BOOTSTRAP_ADMIN_ID, ensureBootstrapAdmin } from '../../src/domain/credentials/bootstrap-admin.ts';
import { createSafeFetch } from '../../src/outbound/safe-fetch.ts';
import type { Viewer } from '../../src/policy/viewer.ts';
import { configColumns, openSealedDatabase, type SealedDatabase } from '../data/encryption-setup.ts';

let sealed: SealedDatabase;
let store: Store;
beforeAll(async () => {
  sealed = await openSealedDatabase();
  store = createStore(sealed.prisma);
});
afterAll(() => sealed?.close());

function adminOf(userId: string): Viewer {
  return { kind: 'user', userId, role: 'admin', credential: { kind: 'bootstrap' } };
}

test('an admin who is deleted while he writes is nobody, and nothing is written', async () => {
  const secrets = createServerSecrets({ store, keyring: sealed.keyring });
  const experiments = new Set(['agents'] as const);
  const isAllowedPrivateHost = () => false;
  const outbound = createSafeFetch({ ranges: [] });
  const publicUrl = 'https://gatehouse.example.com';
  const now = () => new Date();
  const oauth = createOAuth({ store, secrets, experiments, isAllowedPrivateHost, outbound, publicUrl, now });
  const plans = createConfigPlans({ store, isAllowedPrivateHost, ...oauth });
  const configs = createConfigService({ store, experiments, plans, ...oauth });
  const gone = adminOf(randomUUID());
  const input = configColumns();
  await expect(configs.create(gone, input)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await sealed.prisma.mcpServerConfig.count()).toBe(0);

  await ensureBootstrapAdmin(store);
  const { id } = await configs.create(adminOf(BOOTSTRAP_ADMIN_ID), input);
  const change = configs.update(gone, { id, patch: { displayName: 'Changed' } });
  await expect(change).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await configs.find(adminOf(BOOTSTRAP_ADMIN_ID), { id })).toMatchObject({ ...input, version: 1 });
});

test('the bootstrap admin is made once, and stays as he was made', async () => {
  await ensureBootstrapAdmin(store);
  await sealed.prisma.user.update({
    where: { id: BOOTSTRAP_ADMIN_ID },
    data: { status: 'suspended', email: 'me@example.com' },
  });
  await ensureBootstrapAdmin(store);
  const rows = await sealed.prisma.user.findMany({ where: { id: BOOTSTRAP_ADMIN_ID } });
  expect(rows).toMatchObject([{ role: 'admin', status: 'suspended', email: 'me@example.com' }]);
});

test('the bootstrap admin is made although somebody has his address', async () => {
  await sealed.reset();
  await sealed.prisma.user.create({ data: { email: 'ADMIN@gatehouse.localhost' } });
  await ensureBootstrapAdmin(store);
  const made = await sealed.prisma.user.findUniqueOrThrow({ where: { id: BOOTSTRAP_ADMIN_ID } });
  expect(made).toMatchObject({ role: 'admin', status: 'active' });
  expect(made.email).toMatch(/@gatehouse\.localhost$/);
});
