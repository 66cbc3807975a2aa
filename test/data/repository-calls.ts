import { randomUUID } from 'node:crypto';
import { Secret } from '../../src/crypto/secret.ts';
import { API_TOKEN_ORDERS, API_TOKEN_STATES, toTokenPlace } from '../../src/data/repositories/api-token-list.ts';
import { CONFIG_ORDERS, toPlaceOf } from '../../src/data/repositories/config-repository.ts';
import { USER_ORDERS } from '../../src/data/repositories/user-repository.ts';
import type { Repositories } from '../../src/data/store.ts';
import { ROLES } from '../../src/policy/viewer.ts';
import { CONFIGS, hashOf, idOf, MANY, timeOf } from './large-rows.ts';

/** Admins are every 5,000th user. This one has half of all chats. */
export const OWNER_ID = idOf('user', 5_000);

/** How each function of each repository is called. A missing one is a type error. */
type Calls = {
  [Group in keyof Repositories]: {
    [Name in keyof Repositories[Group]]: Repositories[Group][Name] extends (viewer: never, args: infer Args) => unknown
      ? readonly Args[]
      : never;
  };
};

const MIDDLE = MANY / 2;
const [userId, configId, chatId] = [idOf('user', MIDDLE), idOf('config', 2_500), idOf('chat', 2)];
const now = timeOf(MANY);
/** Nothing is older than this but a few rows. */
const early = timeOf(50);
const own = { configId, userId };
const hash = hashOf(MIDDLE);
const ids = [userId, idOf('user', 7)];
const configIds = [configId, idOf('config', 9)];
const chat = { id: chatId, ownerId: OWNER_ID };
const place = { createdAt: timeOf(MIDDLE), id: idOf('chat', MIDDLE) };
const lease = { id: idOf('userToken', MIDDLE), userId, version: 1, leaseId: randomUUID() };
const toolList = { configId, userId, leaseId: randomUUID() };
const later = { createdAt: timeOf(MIDDLE), updatedAt: timeOf(MIDDLE), displayName: 'Config 1250', id: configId };
const tokens = {
  accessToken: new Secret('a'),
  scopes: [],
  obtainedAt: now,
  expiresAt: null,
  urls: ['https://mcp.example.com/'],
};
const columns = {
  ...({ displayName: 'New', slug: 'new', iconUrl: '', transport: 'streamable_http', authType: 'none' } as const),
  description: '',
  ...{ url: 'https://mcp.example.com/', oauth2ClientId: '', oauth2AuthUrl: '', oauth2TokenUrl: '', oauth2Issuer: '' },
  ...({ oauth2RevocationUrl: '', oauth2ResourceMode: 'auto', oauth2CallbackMode: 'own' } as const),
  oauth2Scopes: [],
  ...{ oauth2ClientSecret: null, apiKeyHeader: '', apiKeyValue: null, customHeaders: null, toolAllowList: [] },
  ...({ toolApproval: 'auto', availability: 'default_off', enabled: true } as const),
  toolDenyList: [],
  exposeResources: false,
  exposePrompts: false,
};
const discovery = {
  ...{ resource: 'https://mcp.example.com/', issParameterSupported: true, scopes: [], registrationUrl: '' },
  ...({ clientMode: 'registered', clientAuthMethod: 'none', clientSecretExpiresAt: null } as const),
  ...{ tokenAuthMethods: [], isPinned: false, movedAt: null, discoveredAt: now },
};
const identity = { issuer: 'https://id.example.com', subject: `s${MIDDLE}` };
const page = { first: 50 };

const apiTokens: Calls['apiTokens'] = {
  list: [
    ...API_TOKEN_ORDERS.flatMap((order) => {
      const token = { id: idOf('apiToken', MIDDLE), name: `token ${MIDDLE}`, createdAt: now, lastUsedAt: now };
      const after = toTokenPlace(token as Parameters<typeof toTokenPlace>[0], order);
      return [
        { ...page, order, now },
        { ...page, order, now, after },
        { ...page, order, now, filter: { userId } },
        ...API_TOKEN_STATES.map((state) => ({ ...page, order, now, filter: { state } })),
      ];
    }),
    { ...page, order: 'created_asc', now, filter: { scope: 'graph' } },
    { ...page, order: 'created_asc', now, filter: { search: 'none' } },
  ],
  count: [{ now }, { now, filter: { userId } }],
  listByUserIds: [{ userIds: ids }],
  create: [{ userId, name: 'n', scopes: ['mcp'], mcpServerIds: null, expiresAt: null, tokenHash: 'new' }],
  removeEnded: [{ userId, now, keep: 1 }],
  revoke: [{ id: idOf('apiToken', MIDDLE), revokedAt: now }],
  findByHash: [{ tokenHash: hash }],
  recordUse: [{ id: idOf('apiToken', MIDDLE), now, staleBefore: now }],
};

const sessions: Calls['sessions'] = {
  create: [
    {
      ...{ tokenHash: 'new', userId, apiTokenId: null, bootstrapDigest: null, oidcIssuer: null, oidcSessionId: null },
      ...{ createdAt: now, expiresAt: now },
    },
  ],
  findByHash: [{ tokenHash: hash }],
  recordUse: [{ id: idOf('session', MIDDLE), now, staleBefore: now }],
  listByUserIds: [{ userIds: ids, now, idleBefore: early }],
  end: [{ id: idOf('session', MIDDLE) }],
  endOidc: [
    { issuer: identity.issuer, sessionId: 'sid-7', subject: undefined },
    { issuer: identity.issuer, sessionId: undefined, subject: identity.subject },
    { issuer: identity.issuer, sessionId: 'sid-7', subject: identity.subject },
  ],
  useOnce: [{ digest: 'new', expiresAt: now, now: early }],
  lockSignIns: [
    { issuer: 'i', isLogout: true },
    { issuer: 'i', isLogout: false },
  ],
  rememberLogout: [{ digests: ['new', hash], issuedAt: now, receivedAt: early, expiresAt: now }],
  findLogouts: [{ digests: [hash], now }],
  sweep: [{ now: early, idleBefore: early }],
  removeSignInLinks: [{ userId }],
  createSignInLink: [{ tokenHash: 'new', userId, expiresAt: now }],
  takeSignInLink: [{ tokenHash: hash }],
  findUser: [{ id: userId }],
};

const users: Calls['users'] = {
  list: USER_ORDERS.flatMap((order) => {
    const after = { key: order.startsWith('email') ? 'user-5@example.com' : now.toISOString(), id: userId };
    return [
      { ...page, order },
      { ...page, order, after },
      ...ROLES.map((role) => ({ ...page, order, filter: { role } })),
      { ...page, order, filter: { status: 'suspended' as const } },
      { ...page, order, filter: { search: 'nobody' } },
      { ...page, order, filter: { status: 'suspended' as const, role: 'admin' as const } },
    ];
  }),
  count: [{}, { filter: { role: 'admin' } }, { filter: { status: 'suspended' } }],
  findByIds: [{ ids }],
  lockWithAdmins: [{ id: userId }],
  create: [{ columns: { email: 'new@example.com', role: 'member', status: 'active' } }],
  update: [{ id: userId, columns: { role: 'auditor' }, now }],
  delete: [{ id: userId }],
  ensure: [
    { id: userId, columns: { email: 'n@example.com', role: 'admin', status: 'active' }, otherEmail: 'o@example.com' },
  ],
  findOidc: [{ ...identity, issuedAt: now }],
  createOidc: [{ ...identity, subject: 'new', emails: ['new@example.com'], role: 'member', issuedAt: now }],
  readOidcRoleAt: [{ id: userId }],
  setOidcRole: [{ id: userId, role: 'auditor', issuedAt: now }],
  hasOidcSession: [{ id: userId, now, idleBefore: early }],
};

const chats: Calls['chats'] = {
  findById: [{ id: chatId }],
  findByIds: [{ ids: [chatId, idOf('chat', 3)] }],
  list: [page, { ...page, after: place }],
  count: [{}],
  create: [{ ownerId: OWNER_ID, title: '', mcpServerIds: [] }],
  lockOwn: [{ id: chatId }],
  createMessage: [{ chatId, ownerId: OWNER_ID, content: 'x', mcpServerIds: [] }],
  update: [{ ...chat, title: 'x', mcpServerIds: [] }],
  delete: [{ id: idOf('chat', 4), ownerId: OWNER_ID }],
  listMessages: [
    ...(['start', 'end'] as const).flatMap((from) => [
      { chats: [chat], place: { from, size: page.first } },
      { chats: [chat], place: { from, size: page.first, beyond: place } },
    ]),
  ],
  findContents: [{ ids: [idOf('message', MIDDLE)] }],
  countMessages: [{ chats: [chat] }],
  countUses: [{ configId }],
  countAll: [undefined],
  dropServer: [{ configId }],
};

const audit: Calls['audit'] = {
  append: [{ actor: { kind: 'system' }, action: 'user.update' }],
  appendAll: [{ entries: [{ entry: { actor: { kind: 'system' }, action: 'mcpTool.call' }, request: undefined }] }],
  list: [
    page,
    { ...page, after: BigInt(MIDDLE) },
    { ...page, filter: { actorId: idOf('user', 8) } },
    { ...page, filter: { actorId: idOf('user', 8), action: 'mcpServerConfig.update' } },
    { ...page, filter: { action: 'mcpServerConfig.update' }, after: BigInt(MIDDLE) },
    { ...page, filter: { outcome: 'denied' } },
    { ...page, filter: { outcome: 'denied', action: 'mcpServerConfig.update' } },
    { ...page, filter: { targetType: 'mcp_server_config', targetId: configId } },
    { ...page, filter: { targetType: 'mcp_server_config', targetId: configId }, after: BigInt(MIDDLE) },
    { ...page, filter: { targetType: 'mcp_server_config' } },
    { ...page, filter: { targetId: configId } },
    { ...page, filter: { action: 'user.delete' } },
    { ...page, filter: { since: timeOf(MIDDLE), until: timeOf(MIDDLE + 5_000) } },
    { ...page, filter: { until: early } },
  ],
  count: [
    {},
    { filter: { actorId: idOf('user', 8) } },
    { filter: { targetType: 'mcp_server_config', targetId: configId } },
    { filter: { targetId: configId } },
  ],
  ends: [undefined],
  walk: [{ after: BigInt(MIDDLE), limit: 500 }],
  removeBefore: [{ before: early, limit: 1_000 }],
};

const tools: Calls['tools'] = {
  list: [
    { configIds, userId: null },
    { configIds, userId },
  ],
  listByConfig: [
    { configIds, userId: null },
    { configIds, userId },
  ],
  listApprovals: [{ configId }],
  listImportedApprovals: [{ configId }],
  listAllApprovals: [{ configIds }],
  importApprovals: [{ configId, approvals: [{ name: 'x', digest: hash }], approvedById: null, approvedAt: now }],
  settleImported: [{ configId }],
  listAlike: [{ skeletons: ['tool-7', 'tool-8'] }],
  apply: [
    {
      ...{ ...own, userId: null, deletes: [idOf('tool', 8)] },
      updates: [
        { id: idOf('tool', 7), ...{ definition: '', digest: '', status: 'gone', goneAt: now, changedAt: null } },
      ].map((each) => ({ ...each, status: 'gone' as const, approvedDefinition: null })),
      inserts: [
        {
          ...{ name: 'x', skeleton: 'x', definition: '{}', digest: hash, status: 'listed' as const },
        },
      ],
      insertedAt: now,
    },
  ],
  approve: [{ configId, tools: [{ name: 'tool-2499', digest: hash }], approvedById: null, approvedAt: now }],
  findLists: [{ keys: [own, { configId, userId: null }] }],
  takeLease: [{ ...toolList, seconds: 1, since: null }],
  endLease: [toolList],
  takeListener: [{ configId, listenerId: toolList.leaseId, seconds: 1 }],
  endListener: [{ configId, listenerId: toolList.leaseId }],
  lockList: [own],
  saveList: [
    { ...own, listing: { staleAt: now } },
    { configId, userId: null, listing: { staleAt: now }, ownStaleAt: now },
  ],
  listReachability: [{ configIds }],
  listUnreachable: [{ first: 100 }],
  saveReachability: [
    {
      ...{ configId, reachable: true, checkedAt: now, problem: null, latencyMs: 1, protocolVersion: null },
      ...{ serverName: null, serverVersion: null, instructions: null, version: 1 },
    },
  ],
};

const configs: Calls['configs'] = {
  list: [
    ...CONFIG_ORDERS.flatMap((order) => [
      { ...page, order },
      { ...page, order, after: toPlaceOf(later as unknown as Parameters<typeof toPlaceOf>[0], order) },
    ]),
    { ...page, filter: { search: 'Config 7', authType: 'oauth2', availability: 'default_off', enabled: true } },
  ],
  listAll: [undefined],
  count: [{}, { filter: { search: 'x' } }],
  findById: [{ id: configId }],
  findBySlug: [{ slug: 'config-7' }],
  findForConnection: [{ id: configId }],
  hold: [{ id: configId }],
  holdVersion: [{ id: configId }],
  holdForConnection: [{ id: configId, userId }],
  listForChats: [{ ids: configIds }],
  listVisible: [{}],
  holdDefaultOn: [undefined],
  holdChoosable: [{ ids: configIds }],
  findSecrets: [{ id: configId }],
  readSecretOrigins: [{ id: configId }],
  lock: [{ id: configId }],
  create: [{ id: randomUUID(), columns, createdById: userId }],
  update: [{ id: configId, columns: { url: 'https://new.example.com/' }, updatedById: userId }],
  delete: [{ id: configId }],
};

/** Arguments for every function, so that each statement runs that it can send. */
export const CALLS: Calls = {
  configs,
  users,
  apiTokens,
  sessions,
  chats,
  audit,
  tools,
  connections: {
    countByConfig: [{ configIds }],
    countAll: [undefined],
    list: [{ userId }, { userId, configIds }],
    listOfUsers: [{ userIds: ids }, { userIds: ids, configIds }],
    listConfigIds: [{ userId }],
    remove: [{ configId }, { userId }, own],
  },
  connectionLists: {
    list: [
      { ...page, userIds: ids },
      { ...page, userIds: ids, after: later },
    ],
    count: [{ userIds: ids }],
  },
  userTokens: {
    find: [own],
    findEndReason: [own],
    replace: [{ ...own, clientId: '', tokens, requestedScopes: [], wantedScopes: [], stepUpRounds: 0 }],
    takeLease: [{ ...lease, leaseMs: 1, now }],
    saveRefreshed: [{ ...lease, tokens }],
    deferRefresh: [{ ...lease, delay: { retryAt: now, refreshRefusals: 0, refusedSince: null, blockedReason: null } }],
    end: [{ ...lease, configId, reason: 'x' }],
    endAll: [{ configId, reason: 'x' }],
    endExpired: [
      { now: early, reason: 'x', most: 100 },
      { now, reason: 'x', most: 100 },
    ],
    wantScopes: [{ id: lease.id, scopes: ['a'], most: 5 }],
  },
  formerClients: { list: [{ configId }], remove: [{ configId }] },
  scopeRequests: { find: [own], add: [{ ...own, scopes: ['a'], most: 5 }] },
  oauthFlows: {
    create: [
      {
        maxOpen: 3,
        flow: {
          ...{ configId, userId: OWNER_ID, stateHash: 'new', browserHash: 'b', issuer: '', isIssRequired: false },
          ...{ tokenUrl: 'https://login.example.com/token', clientId: 'c', codeVerifier: new Secret('v'), scopes: [] },
          ...{ createdAt: early, expiresAt: now },
        },
      },
    ],
    take: [{ stateHash: hash }],
    remove: [{ id: idOf('other', MIDDLE) }],
  },
  oauthDiscoveries: {
    find: [{ configId }],
    listScopes: [undefined],
    save: [{ configId, columns: discovery }],
    remove: [{ configId }],
    markClientUnknown: [{ configId, clientId: 'c' }],
    markClientKnown: [{ configId, clientId: 'c' }],
    takeRegistrationLease: [{ configId, leaseId: lease.leaseId, leaseMs: 1 }],
    releaseRegistrationLease: [{ configId, leaseId: lease.leaseId }],
    saveMove: [{ configId, leaseId: lease.leaseId, version: 1, discovery, config: {} }],
    saveClient: [
      {
        ...{ configId, leaseId: lease.leaseId, former: null },
        client: { clientId: 'c', clientSecret: null, urls: [], clientAuthMethod: 'none', clientSecretExpiresAt: null },
      },
    ],
  },
  feed: {
    position: [{ withHistory: true }, { withHistory: false }],
    listAfter: [{ rev: BigInt(MIDDLE), limit: 100 }],
    removeBefore: [{ before: early }],
  },
  principals: {
    findUsers: [{ ids }],
    findGoodTokens: [{ ids: [idOf('apiToken', 7)], at: now }],
    findGoodSessions: [{ ids: [idOf('session', 7)], at: now, idleBefore: early }],
  },
  usage: {
    lockForChat: [{ ownerId: OWNER_ID }],
    lockForMessage: [{ ownerId: OWNER_ID }],
    countTokens: [{ userId, now }],
    endOldSessions: [{ userId, keep: 1 }],
    countConfigs: [undefined],
  },
  callCounts: {
    add: [
      {
        hours: [{ configId, hour: now, calls: 1, errors: 0, denied: 0, durations: [1] }],
        callers: [{ configId, userId, hour: now }],
      },
    ],
    read: [{ configIds, day: timeOf(MANY - 100), week: timeOf(MANY - 700) }],
    removeBefore: [{ hour: early }],
  },
  rateCounts: { add: [{ name: 'new', points: 1, now, endsAt: now }], sweep: [{ now: early }] },
};

/** The number of configs that a repository may read at once: all. */
export const MOST_ROWS = 2 * CONFIGS;
