import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { type GraphQLFormattedError, print } from 'graphql';
import { type Config, readConfig } from '../../src/config.ts';
import { Keyring } from '../../src/crypto/keyring.ts';
import { generateMasterKey, MasterKey } from '../../src/crypto/master-key.ts';
import { parseMasterKeys } from '../../src/crypto/parse-master-keys.ts';
import { Secret } from '../../src/crypto/secret.ts';
import type { Database } from '../../src/data/database/database.ts';
import { createPrisma } from '../../src/data/database/prisma.ts';
import type { KeyFile } from '../../src/data/keys/key-file-changes.ts';
import { registerKeys } from '../../src/data/keys/key-registry.ts';
import type { EntryLimits } from '../../src/domain/audit/entry-rates.ts';
import type { UpstreamTools } from '../../src/domain/catalogue/upstream-tools.ts';
import type { StreamLimits } from '../../src/domain/feed/config-streams.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import type { Role } from '../../src/policy/viewer.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { openTestDatabase } from './database.ts';
import { UpdateUser } from './operations.ts';

export interface TestGateway {
  /** The HTTP app itself, for tests that put a server in front. */
  app: Gateway['app'];
  /** Sends an HTTP request. @param path relative, e.g. `/graphql` @param from the address of its connection, if any */
  fetch(path: string, init?: RequestInit, from?: string): Promise<Response>;
  /** Posts a GraphQL operation. @param token bearer token; none when absent */
  graphql(
    query: string,
    options?: { token?: string | undefined; variables?: unknown; headers?: Record<string, string>; from?: string },
  ): Promise<{ status: number; data: any; errors?: any[] }>;
  /** The same with an operation that is typed by the schema. */
  execute<Data, Variables>(
    document: TypedDocumentNode<Data, Variables>,
    options: { token?: string | undefined; variables: Variables },
  ): Promise<{ status: number; data: Data; errors?: GraphQLFormattedError[] }>;
  /** Bearer tokens of an existing user of each role. `suspended` is a member who was suspended after they got it. */
  tokens: Record<Role | 'suspended' | 'bootstrap', string>;
  userIds: Record<Role | 'suspended', string>;
  /** All log lines so far. */
  logs(): string;
  database: Database;
  keyring: Keyring;
  secrets: Gateway['secrets'];
  accessTokens: Gateway['accessTokens'];
  serverHeaders: Gateway['serverHeaders'];
  requireScopes: Gateway['requireScopes'];
  upstreamCalls: Gateway['upstreamCalls'];
  /** Resolves when all background revocations are done. */
  settle(): Promise<void>;
  expire: Gateway['expire'];
  endExpired: Gateway['endExpired'];
  endStreams: Gateway['endStreams'];
  caches: Gateway['caches'];
  /** The gateway's clock. */
  clock: { now: Date; advance(ms: number): void };
  config: Config;
  createSignInUrl(): Promise<string>;
  close(): Promise<void>;
}

export const TEST_PUBLIC_URL = 'http://localhost:4000';

const ROLE_NAMES = {
  admin: 'ADMIN',
  auditor: 'AUDITOR',
  service: 'SERVICE',
  member: 'MEMBER',
  suspended: 'MEMBER',
} as const;

/** Opens a gateway on a separate database, with a user of each role. Close it. */
export async function createTestGateway(
  options: {
    env?: Record<string, string>;
    database?: Database;
    keyFile?: KeyFile;
    streamLimits?: Partial<StreamLimits>;
    entryLimits?: EntryLimits;
    /** Lists the tools of servers instead of calling them. */
    upstreamTools?: UpstreamTools;
    /** Calls servers in the background, too. Default: only when an operation asks for it. */
    listsInBackground?: boolean;
  } = {},
): Promise<TestGateway> {
  const config = readConfig({
    GATEHOUSE_PUBLIC_URL: TEST_PUBLIC_URL,
    GATEHOUSE_GRAPHIQL: 'true',
    // The clock of a test stands still, so a minute never ends. And floods need not be long.
    GATEHOUSE_MAX_SERVER_CHECKS_PER_MINUTE: '1000000',
    GATEHOUSE_MAX_WRONG_CREDENTIALS_PER_MINUTE: '100',
    ...options.env,
  });
  const database = options.database ?? (await openTestDatabase());
  const keyring = new Keyring(parseMasterKeys(generateMasterKey()).keys);
  const bootstrap = randomBytes(24).toString('base64url');
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const log = createLogger('debug', { destination, isTraced: config.tracing !== undefined });
  const load = () => import('../../src/telemetry/open-telemetry.ts');
  const tracing = config.tracing && (await load()).openTracing(config.tracing, { version: '0.0.0', log });
  const clock = {
    now: new Date(),
    advance(ms: number) {
      clock.now = new Date(clock.now.getTime() + ms);
    },
  };
  const setup = createPrisma(database, keyring);
  await registerKeys(setup, keyring);
  await setup.$disconnect();
  const gateway = await createGateway({
    config,
    database,
    keyring,
    keyFile: options.keyFile ?? createMemoryKeyFile(),
    adminToken: new Secret(bootstrap),
    log,
    tracing,
    now: () => clock.now,
    streamLimits: options.streamLimits,
    entryLimits: options.entryLimits,
    upstreamTools: options.upstreamTools,
    listsInBackground: options.listsInBackground ?? false,
  });

  const fetch: TestGateway['fetch'] = async (path, init, from) => {
    const request = new Request(new URL(path, TEST_PUBLIC_URL), init);
    if (from === undefined) return gateway.app.fetch(request);
    // The Node server passes on the Node request, whose body can be read.
    const incoming = Object.assign(request.body ?? [], { socket: { remoteAddress: from } });
    return gateway.app.fetch(request, { incoming });
  };
  const graphql: TestGateway['graphql'] = async (query, { token, variables, headers, from } = {}) => {
    const init = {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: JSON.stringify({ query, variables }),
    };
    const response = await fetch('/graphql', init, from);
    return { status: response.status, ...((await response.json()) as { data: unknown }) };
  };

  const execute: TestGateway['execute'] = (document, options) => graphql(print(document), options);

  const tokens = { bootstrap } as TestGateway['tokens'];
  const userIds = {} as TestGateway['userIds'];
  const roles = Object.keys(ROLE_NAMES) as (keyof typeof ROLE_NAMES)[];
  /** Runs a mutation for each role in one operation, which is faster than one each. */
  const forEachRole = async (field: string, result: string, toInput: (role: keyof typeof ROLE_NAMES) => object) => {
    const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}Input!`;
    const fields = roles.map((role) => `${role}: ${field}(input: $${role}) { ${result} }`);
    const query = `mutation (${roles.map((role) => `$${role}: ${type}`).join(' ')}) { ${fields.join(' ')} }`;
    const variables = Object.fromEntries(roles.map((role) => [role, toInput(role)]));
    const { data, errors } = await graphql(query, { token: bootstrap, variables });
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
    return data;
  };
  const users = await forEachRole('createUser', 'id', (role) => ({
    email: `${role}@example.com`,
    role: ROLE_NAMES[role],
  }));
  for (const role of roles) userIds[role] = users[role].id;
  const expiresAt = new Date(clock.now.getTime() + 3_600_000).toISOString();
  const created = await forEachRole('createApiToken', 'token', (role) => ({
    userId: userIds[role],
    name: `${role} token`,
    ...(config.apiTokenMaxDays !== undefined && { expiresAt }),
  }));
  for (const role of roles) tokens[role] = created[role].token;
  await execute(UpdateUser, {
    token: bootstrap,
    variables: { id: userIds.suspended, patch: { status: 'SUSPENDED' } },
  });

  return {
    app: gateway.app,
    fetch,
    graphql,
    execute,
    tokens,
    userIds,
    logs: () => lines.join(''),
    database,
    keyring,
    secrets: gateway.secrets,
    accessTokens: gateway.accessTokens,
    serverHeaders: gateway.serverHeaders,
    requireScopes: gateway.requireScopes,
    upstreamCalls: gateway.upstreamCalls,
    settle: gateway.settle,
    expire: gateway.expire,
    endExpired: gateway.endExpired,
    endStreams: gateway.endStreams,
    caches: gateway.caches,
    clock,
    config,
    createSignInUrl: gateway.createSignInUrl,
    async close() {
      await gateway.close();
      await tracing?.close();
      if (options.database === undefined) await database.close();
    },
  };
}

/** Creates keys without a file: they are in the keyring as long as the test runs. */
function createMemoryKeyFile(): KeyFile {
  return {
    append: async () => new MasterKey(randomBytes(32)),
    promote: async () => undefined,
    remove: async () => undefined,
  };
}
