import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCaches } from '../../src/cache/caches.ts';
import { Keyring } from '../../src/crypto/keyring.ts';
import type { GatehousePrisma } from '../../src/data/database/prisma.ts';
import { createMemory } from '../../src/data/memory/memory.ts';
import type { Guarded } from '../../src/data/repositories/guarded.ts';
import { createKeyRepository } from '../../src/data/repositories/key-repository.ts';
import { createStore, type Repositories, type Store } from '../../src/data/store.ts';
import { type Action, can, POLICY } from '../../src/policy/policy.ts';
import { NOBODY, ROLES, type Role, SYSTEM, type Viewer } from '../../src/policy/viewer.ts';
import {
  configColumns,
  createUser,
  newMasterKey,
  openSealedDatabase,
  type SealedDatabase,
  tokenColumns,
} from './encryption-setup.ts';

/** The policy action of each function. A function that is not listed here would be an unchecked way to the data. */
const ACTIONS: Readonly<Record<string, Action>> = {
  'configs.list': 'mcpServerConfig.list',
  'configs.listAll': 'feed.read',
  'configs.count': 'mcpServerConfig.list',
  'configs.findById': 'mcpServerConfig.read',
  'configs.findBySlug': 'mcpServerConfig.read',
  'configs.findForConnection': 'mcpServerConnection.useTokens',
  'configs.hold': 'mcpServerConnection.useTokens',
  'configs.holdVersion': 'mcpServerConnection.useTokens',
  'configs.holdForConnection': 'mcpServerConnection.useTokens',
  'configs.findSecrets': 'mcpServerConfig.openSecrets',
  'configs.readSecretOrigins': 'mcpServerConfig.openSecrets',
  'configs.lock': 'mcpServerConfig.update',
  'configs.create': 'mcpServerConfig.create',
  'configs.update': 'mcpServerConfig.update',
  'configs.delete': 'mcpServerConfig.delete',
  'connections.countByConfig': 'mcpServerConfig.readAdminFields',
  'connections.list': 'mcpServerConnection.read',
  'connections.listConfigIds': 'mcpServerConnection.remove',
  'connections.remove': 'mcpServerConnection.remove',
  'connectionLists.list': 'mcpServerConnection.read',
  'connectionLists.count': 'mcpServerConnection.read',
  'userTokens.find': 'mcpServerConnection.useTokens',
  'userTokens.findEndReason': 'mcpServerConnection.useTokens',
  'userTokens.replace': 'mcpServerConnection.useTokens',
  'userTokens.takeLease': 'mcpServerConnection.useTokens',
  'userTokens.saveRefreshed': 'mcpServerConnection.useTokens',
  'userTokens.deferRefresh': 'mcpServerConnection.useTokens',
  'userTokens.end': 'mcpServerConnection.useTokens',
  'userTokens.endAll': 'mcpServerConnection.useTokens',
  'userTokens.endExpired': 'mcpServerConnection.useTokens',
  'userTokens.wantScopes': 'mcpServerConnection.useTokens',
  'oauthFlows.create': 'mcpServerConnection.connect',
  'oauthFlows.take': 'mcpServerConnection.useTokens',
  'oauthFlows.remove': 'mcpServerConnection.useTokens',
  'formerClients.list': 'mcpServerConfig.openSecrets',
  'formerClients.remove': 'mcpServerConfig.update',
  'oauthDiscoveries.find': 'mcpServerConfig.openSecrets',
  'oauthDiscoveries.save': 'mcpServerConfig.update',
  'oauthDiscoveries.remove': 'mcpServerConfig.update',
  'oauthDiscoveries.markClientKnown': 'mcpServerConfig.openSecrets',
  'oauthDiscoveries.markClientUnknown': 'mcpServerConfig.openSecrets',
  'oauthDiscoveries.takeRegistrationLease': 'mcpServerConfig.openSecrets',
  'oauthDiscoveries.releaseRegistrationLease': 'mcpServerConfig.openSecrets',
  'oauthDiscoveries.saveMove': 'mcpServerConfig.openSecrets',
  'oauthDiscoveries.saveClient': 'mcpServerConfig.openSecrets',
  'configs.listForChats': 'mcpServerConfig.list',
  'configs.listVisible': 'mcpServerConfig.list',
  'configs.holdDefaultOn': 'mcpServerConfig.list',
  'configs.holdChoosable': 'mcpServerConfig.list',
  'connections.listOfUsers': 'mcpServerConnection.readAny',
  'oauthDiscoveries.listScopes': 'mcpServerConfig.export',
  'audit.append': 'auditLog.append',
  'audit.appendAll': 'auditLog.append',
  'audit.list': 'auditLog.read',
  'audit.count': 'auditLog.read',
  'audit.ends': 'auditLog.verify',
  'audit.walk': 'auditLog.verify',
  'audit.removeBefore': 'auditLog.expire',
  'usage.lockForChat': 'chat.create',
  'usage.lockForMessage': 'chat.write',
  'usage.countTokens': 'apiToken.create',
  'usage.endOldSessions': 'session.create',
  'usage.countConfigs': 'mcpServerConfig.create',
  'principals.findUsers': 'credential.verify',
  'principals.findGoodTokens': 'credential.verify',
  'principals.findGoodSessions': 'credential.verify',
  'feed.position': 'feed.read',
  'feed.listAfter': 'feed.read',
  'feed.removeBefore': 'feed.expire',
  'chats.findById': 'chat.read',
  'chats.findByIds': 'chat.read',
  'chats.list': 'chat.list',
  'chats.count': 'chat.list',
  'chats.create': 'chat.create',
  'chats.lockOwn': 'chat.write',
  'chats.createMessage': 'chat.write',
  'chats.update': 'chat.write',
  'chats.delete': 'chat.delete',
  'chats.listMessages': 'chat.read',
  'chats.findContents': 'chat.read',
  'chats.countMessages': 'chat.read',
  'chats.countUses': 'mcpServerConfig.readImpact',
  'chats.countAll': 'mcpServerConfig.readImpact',
  'chats.dropServer': 'mcpServerConfig.delete',
  'tools.list': 'mcpServerTool.readAny',
  'tools.listApprovals': 'mcpServerTool.readAny',
  'tools.listImportedApprovals': 'mcpServerTool.readAny',
  'tools.listAllApprovals': 'mcpServerConfig.export',
  'tools.importApprovals': 'mcpServerTool.approve',
  'tools.settleImported': 'mcpServerTool.write',
  'tools.listAlike': 'mcpServerTool.readAny',
  'tools.apply': 'mcpServerTool.write',
  'tools.approve': 'mcpServerTool.approve',
  'tools.listByConfig': 'mcpServerTool.readAny',
  'tools.findLists': 'mcpServerTool.readAny',
  'tools.takeLease': 'mcpServerTool.write',
  'tools.endLease': 'mcpServerTool.write',
  'tools.endListener': 'mcpServerTool.write',
  'tools.takeListener': 'mcpServerTool.write',
  'tools.lockList': 'mcpServerTool.write',
  'tools.saveList': 'mcpServerTool.write',
  'tools.listReachability': 'mcpServerTool.readAny',
  'tools.saveReachability': 'mcpServerTool.write',
  'users.list': 'user.list',
  'users.count': 'user.list',
  'users.findByIds': 'user.read',
  'users.lockWithAdmins': 'user.update',
  'users.create': 'user.create',
  'users.update': 'user.update',
  'users.delete': 'user.delete',
  'users.ensure': 'user.provision',
  'users.findOidc': 'user.provision',
  'users.createOidc': 'user.provision',
  'users.readOidcRoleAt': 'user.provision',
  'users.setOidcRole': 'user.provision',
  'users.hasOidcSession': 'user.provision',
  'apiTokens.list': 'apiToken.list',
  'apiTokens.count': 'apiToken.list',
  'apiTokens.listByUserIds': 'apiToken.list',
  'apiTokens.create': 'apiToken.create',
  'apiTokens.removeEnded': 'apiToken.create',
  'apiTokens.revoke': 'apiToken.revoke',
  'apiTokens.findByHash': 'credential.verify',
  'apiTokens.recordUse': 'credential.verify',
  'scopeRequests.add': 'mcpServerConnection.useTokens',
  'scopeRequests.find': 'mcpServerConnection.useTokens',
  'sessions.create': 'session.create',
  'sessions.findByHash': 'credential.verify',
  'sessions.recordUse': 'credential.verify',
  'sessions.listByUserIds': 'session.list',
  'sessions.end': 'session.end',
  'sessions.endOidc': 'session.create',
  'sessions.useOnce': 'session.create',
  'sessions.lockSignIns': 'session.create',
  'sessions.rememberLogout': 'session.create',
  'sessions.findLogouts': 'session.create',
  'sessions.sweep': 'session.create',
  'sessions.removeSignInLinks': 'signInLink.create',
  'sessions.createSignInLink': 'signInLink.create',
  'sessions.takeSignInLink': 'credential.verify',
  'sessions.findUser': 'credential.verify',
  'rateCounts.add': 'credential.verify',
  'rateCounts.sweep': 'credential.verify',
  'callCounts.add': 'mcpServerUsage.write',
  'callCounts.read': 'mcpServerUsage.read',
  'callCounts.removeBefore': 'mcpServerUsage.write',
  'connections.countAll': 'gatewayStatus.read',
  'tools.listUnreachable': 'gatewayStatus.read',
  'keys.list': 'encryptionKey.list',
  'keys.add': 'encryptionKey.manage',
  'keys.rotate': 'encryptionKey.manage',
  'keys.verify': 'encryptionKey.manage',
  'keys.revoke': 'encryptionKey.manage',
};

const VIEWERS: Readonly<Record<string, Viewer>> = {
  nobody: NOBODY,
  system: SYSTEM,
  ...Object.fromEntries(ROLES.map((role) => [role, userOf(role)])),
};

function userOf(role: Role, userId: string = randomUUID()): Viewer {
  return { kind: 'user', userId, role, credential: { kind: 'bootstrap' } };
}

/** A database that records every query. */
const touched = new Error('the database was asked');
const untouchable = new Proxy({} as GatehousePrisma, {
  get() {
    throw touched;
  },
});

type AnyFunction = Guarded<unknown, unknown>;

function listFunctions(repositories: Repositories): [string, AnyFunction][] {
  const { configs, connections, userTokens, oauthFlows, oauthDiscoveries, users, apiTokens, ...others } = repositories;
  const {
    sessions,
    audit,
    chats,
    feed,
    principals,
    scopeRequests,
    formerClients,
    usage,
    rateCounts,
    callCounts,
    tools,
    connectionLists,
    ...rest
  } = others;
  const oauth = { formerClients, scopeRequests, userTokens, oauthFlows, oauthDiscoveries };
  const more = { audit, chats, feed, principals, usage, rateCounts, callCounts, tools, connectionLists };
  const groups = { configs, connections, ...oauth, users, apiTokens, sessions, ...more };
  const unknown = Object.entries(rest).filter(([name]) => !['transaction', 'atOneMoment'].includes(name));
  expect(unknown, 'repositories that this walk does not know').toEqual([]);
  return Object.entries(groups).flatMap(([group, functions]) =>
    Object.entries(functions).map(([name, run]): [string, AnyFunction] => [`${group}.${name}`, run as AnyFunction]),
  );
}

/** The key repository is not part of the store. */
const keys = createKeyRepository({ prisma: untouchable, keyring: new Keyring([newMasterKey()]) });
const inStore = listFunctions(createStore(untouchable));
/** The in-memory repositories that answer instead of it. */
const inMemory = listFunctions(
  createMemory({
    caches: createCaches(),
    store: createStore(untouchable),
    database: { listen: () => Promise.reject(touched), writeCount: () => 0 },
    onError: () => undefined,
  }).store,
);
const functions = [
  ...inStore,
  ...Object.entries(keys).map(([name, run]): [string, AnyFunction] => [`keys.${name}`, run as unknown as AnyFunction]),
];

test('the table lists every function of each repository with its action, and no other', () => {
  const actual = Object.fromEntries(functions.map(([name, run]) => [name, run.action]));
  expect(actual).toEqual(ACTIONS);
  for (const action of Object.values(actual)) expect(Object.keys(POLICY)).toContain(action);
});

test('the repositories inside a transaction are the same', async () => {
  const prisma = { $transaction: (work: (tx: GatehousePrisma) => unknown) => work(untouchable) };
  const inside = await createStore(prisma as unknown as GatehousePrisma).transaction(async (tx) => listFunctions(tx));
  expect(inside.map(([name, run]) => [name, run.action])).toEqual(inStore.map(([name, run]) => [name, run.action]));
});

test('the in-memory repositories check the same actions', () => {
  expect(inMemory.map(([name, run]) => [name, run.action])).toEqual(inStore.map(([name, run]) => [name, run.action]));
});

const answeredByMemory = inMemory.map(([name, run]): [string, AnyFunction] => [`${name} with memory`, run]);

describe.each([...functions, ...answeredByMemory])('%s', (_name, run) => {
  /** Arguments of which the first ones are valid: a refusal must not depend on them. */
  const ARGUMENTS = [undefined, {}, { id: randomUUID(), userId: randomUUID() }];

  test.each(Object.entries(VIEWERS))('checks the policy before the database, as %s', async (name, viewer) => {
    for (const args of ARGUMENTS) {
      const outcome = await run(viewer, args).then(
        () => 'done',
        (error: unknown) => error,
      );
      if (name === 'nobody') expect(outcome).toMatchObject({ code: 'UNAUTHENTICATED' });
      else if (!can(viewer, run.action)) expect(outcome).toMatchObject({ code: 'FORBIDDEN' });
      else expect(outcome).not.toMatchObject({ code: 'UNAUTHENTICATED' });
    }
  });
});

describe('a member', () => {
  let sealed: SealedDatabase;
  let store: Store;
  let me: Viewer;
  let myId: string;
  let otherId: string;

  beforeAll(async () => {
    sealed = await openSealedDatabase();
    store = createStore(sealed.prisma);
    myId = (await createUser(sealed.prisma)).id;
    otherId = (await createUser(sealed.prisma)).id;
    me = userOf('member', myId);
  });
  afterAll(() => sealed.close());

  const createConfig = (enabled: boolean) =>
    sealed.prisma.mcpServerConfig.create({ data: { ...configColumns(), enabled } });

  test('finds only enabled configs, through every function', async () => {
    const shown = await createConfig(true);
    const hidden = await createConfig(false);
    expect(await store.configs.findById(me, { id: shown.id })).toMatchObject({ id: shown.id });
    expect(await store.configs.findById(me, { id: hidden.id })).toBeNull();
    expect(await store.configs.findBySlug(me, { slug: hidden.slug })).toBeNull();
    const { rows } = await store.configs.list(me, { first: 500, filter: { search: hidden.slug } });
    expect(rows).toEqual([]);
    expect(await store.configs.count(me, { filter: { search: hidden.slug } })).toBe(0);
    expect(await store.configs.count(me, { filter: { enabled: false } })).toBe(0);
    expect((await store.configs.list(me, { first: 500 })).rows.map((row) => row.id)).toEqual([shown.id]);
    const admin = userOf('admin');
    expect((await store.configs.list(admin, { first: 500 })).rows).toHaveLength(2);
  });

  test('finds themselves and no other user', async () => {
    const found = await store.users.findByIds(me, { ids: [myId, otherId] });
    expect(found.map((user) => user.id)).toEqual([myId]);
  });

  test('can neither see nor remove connections of others', async () => {
    const { id } = await createConfig(true);
    for (const userId of [myId, otherId]) {
      await sealed.prisma.mcpServerUserToken.create({
        data: { mcpServerConfigId: id, userId, ...tokenColumns('access') },
      });
    }
    expect(await store.connections.list(me, { userId: myId, configIds: [id] })).toMatchObject([{ configId: id }]);
    const forbidden = { code: 'FORBIDDEN' };
    await expect(store.connections.list(me, { userId: otherId, configIds: [id] })).rejects.toMatchObject(forbidden);
    await expect(store.connections.remove(me, { configId: id, userId: otherId })).rejects.toMatchObject(forbidden);
    await expect(store.connections.remove(me, { configId: id })).rejects.toMatchObject(forbidden);
    expect(await store.connections.remove(me, { configId: id, userId: myId })).toHaveLength(1);
    expect(await sealed.prisma.mcpServerUserToken.count({ where: { mcpServerConfigId: id } })).toBe(1);
  });

  test('can list, create and revoke only their own tokens', async () => {
    const columns = { name: 't', scopes: ['mcp' as const], mcpServerIds: null, expiresAt: null };
    const newHash = () => randomUUID().replaceAll('-', '').repeat(2);
    const theirs = await store.apiTokens.create(userOf('admin'), { ...columns, userId: otherId, tokenHash: newHash() });
    const mine = await store.apiTokens.create(me, { ...columns, userId: myId, tokenHash: newHash() });
    expect(await store.apiTokens.listByUserIds(me, { userIds: [myId, otherId] })).toEqual([mine]);
    const forbidden = { code: 'FORBIDDEN' };
    const wrong = { ...columns, userId: otherId, tokenHash: newHash() };
    await expect(store.apiTokens.create(me, wrong)).rejects.toMatchObject(forbidden);
    for (const id of [theirs.id, randomUUID()]) {
      await expect(store.apiTokens.revoke(me, { id, revokedAt: new Date() })).rejects.toMatchObject(forbidden);
    }
    expect(await store.apiTokens.revoke(me, { id: mine.id, revokedAt: new Date() })).toMatchObject({ isChanged: true });
    expect(await store.apiTokens.listByUserIds(userOf('admin'), { userIds: [otherId] })).toMatchObject([
      { id: theirs.id, revokedAt: null },
    ]);
  });

  test('can end only their own sessions', async () => {
    const createdAt = new Date();
    const tokenHash = randomUUID().replaceAll('-', '').repeat(2);
    const columns = {
      tokenHash,
      userId: otherId,
      apiTokenId: null,
      bootstrapDigest: null,
      oidcIssuer: null,
      oidcSessionId: null,
      createdAt,
      expiresAt: createdAt,
    };
    const theirs = await store.sessions.create(SYSTEM, columns);
    for (const id of [theirs.id, randomUUID()]) {
      await expect(store.sessions.end(me, { id })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    expect(await store.sessions.findByHash(SYSTEM, { tokenHash })).not.toBeNull();
    const from = new Date(0);
    const asked = { userIds: [myId, otherId], now: from, idleBefore: from };
    expect(await store.sessions.listByUserIds(me, asked)).toEqual([]);
    expect(await store.sessions.listByUserIds(userOf('auditor'), asked)).toMatchObject([{ id: theirs.id }]);
  });
});
