/** What bounds a part of the process's memory. */
export interface CacheLimit {
  /** Its name in metrics and in docs/limits.md. */
  readonly name: string;
  readonly maxEntries: number;
  /** The limit of all entries together, by an estimate. */
  readonly maxBytes: number;
  /** What is kept. */
  readonly keeps: string;
  /** What happens when it is full. */
  readonly whenFull: string;
}

const MEGABYTE = 1_000_000;
const EVICTS = 'what was not used for longest goes';
const CREDENTIALS = { maxEntries: 10_000, maxBytes: 8 * MEGABYTE, whenFull: EVICTS };

/** Everything that a process keeps in memory beyond one request, except what belongs to an open connection. */
export const CACHE_BOUNDS = {
  answers: {
    name: 'answers',
    maxEntries: 10_000,
    maxBytes: 16 * MEGABYTE,
    keeps: 'answers about configs, until anything changes',
    whenFull: EVICTS,
  },
  encodedAnswers: {
    name: 'encoded answers',
    maxEntries: 10_000,
    maxBytes: 8 * MEGABYTE,
    keeps: 'answers that were sent more than once, compressed',
    whenFull: EVICTS,
  },
  repeats: {
    name: 'repeats',
    maxEntries: 10_000,
    maxBytes: 32 * MEGABYTE,
    keeps: 'answers to whole requests that were sent twice, until anything changes',
    whenFull: EVICTS,
  },
  repeatedHeads: {
    name: 'repeated heads',
    maxEntries: 20_000,
    maxBytes: 4 * MEGABYTE,
    keeps: 'hashes of the requests with such answers, without their bodies',
    whenFull: EVICTS,
  },
  events: {
    name: 'events',
    maxEntries: 100,
    maxBytes: 8 * MEGABYTE,
    keeps: 'the newest events, made once for all subscribers of a role',
    whenFull: EVICTS,
  },
  documents: {
    name: 'documents',
    maxEntries: 1_000,
    maxBytes: 16 * MEGABYTE,
    keeps: 'valid documents, parsed',
    whenFull: EVICTS,
  },
  subscriptionDocuments: {
    name: 'subscription documents',
    maxEntries: 2_000,
    maxBytes: 32 * MEGABYTE,
    keeps: 'the documents of open subscriptions',
    whenFull: '`RATE_LIMITED` for a subscription with another document',
  },
  trustedDocuments: {
    name: 'trusted documents',
    maxEntries: 5_000,
    maxBytes: 16 * MEGABYTE,
    keeps: "the texts of the console's documents, and of `GATEHOUSE_TRUSTED_DOCUMENTS`",
    whenFull: 'the gateway does not start',
  },
  registeredDocuments: {
    name: 'registered documents',
    maxEntries: 2_000,
    maxBytes: 8 * MEGABYTE,
    keeps: 'the texts of valid documents that clients sent with their hash',
    whenFull: `${EVICTS}; its clients get \`PERSISTED_QUERY_NOT_FOUND\` and send it again`,
  },
  changes: {
    name: 'changes',
    maxEntries: 5_000,
    maxBytes: 32 * MEGABYTE,
    keeps: 'the newest changes, for streams',
    whenFull: 'the oldest go; streams further behind read from the database',
  },
  configs: {
    name: 'configs',
    maxEntries: Number.POSITIVE_INFINITY,
    maxBytes: Number.POSITIVE_INFINITY,
    keeps: 'all server configs, without secrets',
    whenFull: 'the quota of server configs bounds it',
  },
  connections: {
    name: 'connections of users',
    maxEntries: 10_000,
    maxBytes: 16 * MEGABYTE,
    keeps: "users' connections",
    whenFull: EVICTS,
  },
  tools: {
    name: 'tools of servers',
    maxEntries: 20_000,
    maxBytes: 64 * MEGABYTE,
    keeps: 'lists of tools, each shared or of one user',
    whenFull: EVICTS,
  },
  items: {
    name: 'resources and prompts of servers',
    maxEntries: 5_000,
    maxBytes: 32 * MEGABYTE,
    keeps: 'lists of resources, templates and prompts, for seconds',
    whenFull: EVICTS,
  },
  listedTools: {
    name: 'listed tools',
    maxEntries: 5_000,
    maxBytes: 32 * MEGABYTE,
    keeps: 'tools of servers as doors list them, until anything about them changes; none of one user only',
    whenFull: EVICTS,
  },
  doorLists: {
    name: 'lists of doors',
    maxEntries: 1_000,
    maxBytes: 16 * MEGABYTE,
    keeps: 'whole lists of tools as doors send them, of the same parts as listed tools',
    whenFull: EVICTS,
  },
  freshTools: {
    name: 'fresh lists of tools',
    maxEntries: 20_000,
    maxBytes: 4 * MEGABYTE,
    keeps: 'which lists of tools need not be listed again yet',
    whenFull: EVICTS,
  },
  unheard: {
    name: 'unheard servers',
    maxEntries: 5_000,
    maxBytes: 1 * MEGABYTE,
    keeps: 'which servers do not tell that their tools changed, or ended that',
    whenFull: 'what was not used for longest goes, and is asked again',
  },
  reachability: {
    name: 'reachability of servers',
    maxEntries: 5_000,
    maxBytes: 16 * MEGABYTE,
    keeps: 'whether servers answered',
    whenFull: EVICTS,
  },
  apiTokens: { name: 'API tokens', keeps: 'valid API tokens', ...CREDENTIALS },
  users: { name: 'users', keeps: 'roles and states of users', ...CREDENTIALS },
  identities: { name: 'OpenID Connect identities', keeps: 'users of identities', ...CREDENTIALS },
  goodCredentials: {
    name: 'good credentials',
    maxEntries: 20_000,
    maxBytes: 8 * MEGABYTE,
    keeps: 'hashes of valid credentials with their networks, which guesses of others do not block',
    whenFull: EVICTS,
  },
  guessingNetworks: {
    name: 'guessing networks',
    maxEntries: 10_000,
    maxBytes: 5 * MEGABYTE,
    keeps: 'how many wrong credentials came from each network',
    whenFull: 'further networks share one limit',
  },
  wrongCredentials: {
    name: 'wrong credentials',
    maxEntries: 10_000,
    maxBytes: 5 * MEGABYTE,
    keeps: 'which of them are counted in the database',
    whenFull: 'the oldest go',
  },
  denials: {
    name: 'denials',
    maxEntries: 50_000,
    maxBytes: 40 * MEGABYTE,
    keeps: 'refusals that are counted for the audit log, by caller, operation and code',
    whenFull: 'further ones are counted together, by operation and code',
  },
  shares: {
    name: 'shares',
    maxEntries: 10_000,
    maxBytes: 10 * MEGABYTE,
    keeps: 'the processor time of callers who are active',
    whenFull: 'further callers have one share together',
  },
  operationRates: {
    name: 'operation rates',
    maxEntries: 20_000,
    maxBytes: 8 * MEGABYTE,
    keeps: 'how many operations each user had',
    whenFull: 'the oldest go',
  },
  serverCheckRates: {
    name: 'server check rates',
    maxEntries: 20_000,
    maxBytes: 8 * MEGABYTE,
    keeps: 'how many tests, discoveries, refreshes and connects each user had',
    whenFull: 'the oldest go',
  },
  toolCallRates: {
    name: 'tool call rates',
    maxEntries: 20_000,
    maxBytes: 8 * MEGABYTE,
    keeps: 'how many tools were called for each user',
    whenFull: 'the oldest go',
  },
  serverCallRates: {
    name: 'server call rates',
    maxEntries: 5_000,
    maxBytes: 2 * MEGABYTE,
    keeps: 'how many tools of each MCP server were called',
    whenFull: 'the oldest go',
  },
  entryRates: {
    name: 'audit entry rates',
    maxEntries: 20_000,
    maxBytes: 8 * MEGABYTE,
    keeps: 'how many audit entries each user caused',
    whenFull: EVICTS,
  },
  strangers: {
    name: 'unidentified connections',
    maxEntries: 2_000,
    maxBytes: 1 * MEGABYTE,
    keeps: 'WebSocket connections before `connection_init`',
    whenFull: 'the oldest silent one of the largest network ends',
  },
  hosts: {
    name: 'host addresses',
    maxEntries: 1_000,
    maxBytes: 1 * MEGABYTE,
    keeps: 'whether names lead to private addresses that the operator allows',
    whenFull: EVICTS,
  },
  issuerHosts: {
    name: 'host addresses of the issuer',
    maxEntries: 1_000,
    maxBytes: 1 * MEGABYTE,
    keeps: 'the same for names in documents of the OpenID Connect issuer',
    whenFull: EVICTS,
  },
  icons: {
    name: 'icons',
    maxEntries: 2_000,
    maxBytes: 32 * MEGABYTE,
    keeps: 'icons of servers, and where there is none',
    whenFull: EVICTS,
  },
  authorizationServers: {
    name: 'authorization servers',
    maxEntries: 1_000,
    maxBytes: 4 * MEGABYTE,
    keeps: 'metadata of authorization servers',
    whenFull: EVICTS,
  },
  clientMethods: {
    name: 'client authentication methods',
    maxEntries: 1_000,
    maxBytes: 1 * MEGABYTE,
    keeps: 'how token endpoints accept the gateway',
    whenFull: EVICTS,
  },
  unfollowedServers: {
    name: 'servers that are not followed',
    maxEntries: 1_000,
    maxBytes: 200_000,
    keeps: 'servers that did not say which authorization server they use, or named one that could not be used',
    whenFull: EVICTS,
  },
  unopenedSecrets: {
    name: 'secrets that do not open',
    maxEntries: 1_000,
    maxBytes: 400_000,
    keeps: 'which stored secrets did not open',
    whenFull: 'the oldest go, and are found again at the next use',
  },
} as const satisfies Record<string, CacheLimit>;
