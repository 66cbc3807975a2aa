// On both databases: transactions that race.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCaches } from '../../src/cache/caches.ts';
import { readConfig } from '../../src/config.ts';
import { createStore, type Store } from '../../src/data/store.ts';
import { createConfigPlans } from '../../src/domain/configs/config-plans.ts';
import { createConfigService } from '../../src/domain/configs/config-service.ts';
import type { ConnectionEndings } from '../../src/domain/connections/connection-endings.ts';
import { createConnections } from '../../src/domain/connections/connections.ts';
import { BOOTSTRAP_ADMIN_ID, ensureBootstrapAdmin } from '../../src/domain/credentials/bootstrap-admin.ts';
import { createUserRates } from '../../src/domain/shares/user-rates.ts';
import { createSafeFetch } from '../../src/outbound/safe-fetch.ts';
import type { Viewer } from '../../src/policy/viewer.ts';
import {
  configColumns,
  createUser,
  openSealedDatabase,
  type SealedDatabase,
  tokenColumns,
} from '../data/encryption-setup.ts';

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

/** The service over a store, with connection endings that a test can observe. */
function createConfigs(over: Store, watch: (endings: ConnectionEndings) => Partial<ConnectionEndings> = () => ({})) {
  const { keyring } = sealed;
  const experiments = new Set(['agents'] as const);
  const isAllowedPrivateHost = () => false;
  const outbound = createSafeFetch({ ranges: [] });
  const publicUrl = 'https://gatehouse.example.com';
  const now = () => new Date();
  const { quotas } = readConfig({});
  const userRates = createUserRates({ caches: createCaches(), quotas, now });
  const connections = createConnections({
    caches: createCaches(),
    store: over,
    keyring,
    experiments,
    isAllowedPrivateHost,
    outbound,
    publicUrl,
    userRates,
    now,
  });
  const setup = connections.services.oauthSetup;
  const endings = { ...connections.internal.endings, ...watch(connections.internal.endings) };
  const plans = createConfigPlans({
    store: over,
    defaultToolApproval: 'auto',
    isAllowedPrivateHost,
    resolveHosts: async () => undefined,
    setup,
    endings: connections.internal.endings,
  });
  return createConfigService({ store: over, experiments, plans, endings, quotas, userRates });
}

test('tokens of a config that is changed during its deletion are revoked at their own provider', async () => {
  await ensureBootstrapAdmin(store);
  const admin = adminOf(BOOTSTRAP_ADMIN_ID);
  const input = {
    ...configColumns(),
    authType: 'oauth2',
    oauth2ClientId: 'client',
    oauth2AuthUrl: 'https://former.example.com/authorize',
    oauth2TokenUrl: 'https://former.example.com/token',
  } as const;
  const plain = createConfigs(store);
  const { id } = await plain.create(admin, input);
  // Between lookup and deletion: another provider, and a user who connects to it.
  const change = async () => {
    await plain.update(admin, { id, patch: { oauth2TokenUrl: 'https://latter.example.com/token' } });
    const user = await createUser(sealed.prisma);
    const data = { mcpServerConfigId: id, userId: user.id, ...tokenColumns('access', 'refresh') };
    await sealed.prisma.mcpServerUserToken.create({ data });
  };
  const revoked: [tokenUrl: string | undefined, count: number][] = [];
  let isChanged = false;
  const configs = createConfigs(store, (endings) => ({
    async loadProvider(config) {
      const provider = await endings.loadProvider(config);
      if (!isChanged) await change();
      isChanged = true;
      return provider;
    },
    revokeLater: (provider, tokens) => void revoked.push([provider?.tokenUrl, tokens.length]),
  }));
  await configs.delete(admin, id);
  expect(revoked).toEqual([['https://latter.example.com/token', 1]]);
  expect(await configs.find(admin, { id })).toBeNull();
});

test('an admin who is deleted during their write is unauthenticated, and nothing is written', async () => {
  const configs = createConfigs(store);
  const gone = adminOf(randomUUID());
  const input = configColumns();
  await expect(configs.create(gone, input)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await sealed.prisma.mcpServerConfig.count({ where: { slug: input.slug } })).toBe(0);

  await ensureBootstrapAdmin(store);
  const { id } = await configs.create(adminOf(BOOTSTRAP_ADMIN_ID), input);
  const change = configs.update(gone, { id, patch: { displayName: 'Changed' } });
  await expect(change).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(await configs.find(adminOf(BOOTSTRAP_ADMIN_ID), { id })).toMatchObject({ ...input, version: 1 });
});

test('the bootstrap admin is created once and not changed afterwards', async () => {
  await ensureBootstrapAdmin(store);
  await sealed.prisma.user.update({
    where: { id: BOOTSTRAP_ADMIN_ID },
    data: { status: 'suspended', email: 'me@example.com' },
  });
  await ensureBootstrapAdmin(store);
  const rows = await sealed.prisma.user.findMany({ where: { id: BOOTSTRAP_ADMIN_ID } });
  expect(rows).toMatchObject([{ role: 'admin', status: 'suspended', email: 'me@example.com' }]);
});

test('the bootstrap admin is created even if another user has the address', async () => {
  await sealed.reset();
  await sealed.prisma.user.create({ data: { email: 'ADMIN@gatehouse.localhost' } });
  await ensureBootstrapAdmin(store);
  const made = await sealed.prisma.user.findUniqueOrThrow({ where: { id: BOOTSTRAP_ADMIN_ID } });
  expect(made).toMatchObject({ role: 'admin', status: 'active' });
  expect(made.email).toMatch(/@gatehouse\.localhost$/);
});
