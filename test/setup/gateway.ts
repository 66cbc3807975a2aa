import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { type GraphQLFormattedError, print } from 'graphql';
import { type Config, readConfig } from '../../src/config.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { MasterKey } from '../../src/crypto/master-key.ts';
import { Secret } from '../../src/crypto/secret.ts';
import type { Database } from '../../src/data/database/database.ts';
import { createPrisma, type GatehousePrisma } from '../../src/data/database/prisma.ts';
import type { KeyFile } from '../../src/data/keys/key-file-changes.ts';
import type { EntryLimits } from '../../src/domain/audit/entry-rates.ts';
import type { UpstreamTools } from '../../src/domain/catalogue/upstream-tools.ts';
import type { StreamLimits } from '../../src/domain/feed/config-streams.ts';
import { createGateway, type Gateway } from '../../src/gateway.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { openTestDatabase } from './database.ts';
import { type GatewayStart, startEmpty, startWithPeople } from './gateway-start.ts';
import { createPeople, type People } from './people.ts';

export interface TestGateway extends People {
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
  /** All log lines so far. */
  logs(): string;
  database: Database;
  keyring: Keyring;
  /** What is stored, decrypted, and what may be stored, bypassing the gateway. Making a client takes long: tests share one. */
  prisma(): GatehousePrisma;
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

/** How a gateway of a test differs from the usual one. */
interface TestGatewayOptions {
  env?: Record<string, string>;
  database?: Database;
  keyFile?: KeyFile;
  streamLimits?: Partial<StreamLimits>;
  entryLimits?: EntryLimits;
  /** Lists the tools of servers instead of calling them. */
  upstreamTools?: UpstreamTools;
  /** Calls servers in the background, too. Default: only when an operation asks for it. */
  listsInBackground?: boolean;
}

/** Opens a gateway on a separate database, with a user of each role. Close it. */
export async function createTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const config = readTestConfig(options.env);
  if (options.database !== undefined) return openTestGateway(config, await startEmpty(options.database), options);
  const start =
    config.apiTokenMaxDays === undefined
      ? await startWithPeople(createUsualPeople)
      : // The tokens of the usual people do not expire.
        await startEmpty(await openTestDatabase());
  const gateway = await openTestGateway(config, start, options);
  return {
    ...gateway,
    async close() {
      await gateway.close();
      await start.database.close();
    },
  };
}

async function createUsualPeople(start: GatewayStart): Promise<People> {
  const { tokens, userIds, close } = await openTestGateway(readTestConfig(), start);
  await close();
  return { tokens, userIds };
}

function readTestConfig(env?: Record<string, string>): Config {
  return readConfig({
    GATEHOUSE_PUBLIC_URL: TEST_PUBLIC_URL,
    GATEHOUSE_GRAPHIQL: 'true',
    // The clock of a test stands still, so a minute never ends. And floods need not be long.
    GATEHOUSE_MAX_SERVER_CHECKS_PER_MINUTE: '1000000',
    GATEHOUSE_MAX_WRONG_CREDENTIALS_PER_MINUTE: '100',
    ...env,
  });
}

/** Opens a gateway that does not close its database. */
async function openTestGateway(
  config: Config,
  { database, keyring, bootstrap, people }: GatewayStart,
  options: TestGatewayOptions = {},
): Promise<TestGateway> {
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

  const { tokens, userIds } =
    people ??
    (await createPeople({
      bootstrap,
      post: (query, variables) => graphql(query, { token: bootstrap, variables }),
      ...(config.apiTokenMaxDays !== undefined && { expiresAt: new Date(clock.now.getTime() + 3_600_000) }),
    }));

  let prisma: GatehousePrisma | undefined;

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
    prisma() {
      prisma ??= createPrisma(database, keyring);
      return prisma;
    },
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
      await prisma?.$disconnect();
      await gateway.close();
      await tracing?.close();
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
