import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { type Config, readConfig } from '../../src/config.ts';
import { Keyring } from '../../src/crypto/keyring.ts';
import { generateMasterKey } from '../../src/crypto/master-key.ts';
import { parseMasterKeys } from '../../src/crypto/parse-master-keys.ts';
import { Secret } from '../../src/crypto/secret.ts';
import type { Database } from '../../src/data/database.ts';
import { createPrisma } from '../../src/data/prisma.ts';
import { registerKeys } from '../../src/data/key-registry.ts';
import { createGateway } from '../../src/gateway.ts';
import type { Role } from '../../src/policy/viewer.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { openTestDatabase } from './database.ts';

export interface TestGateway {
  /** Sends a request through the public door. @param path relative, e.g. `/graphql` */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Posts a GraphQL operation. @param token bearer token; none when absent */
  graphql(
    query: string,
    options?: { token?: string | undefined; variables?: unknown; headers?: Record<string, string> },
  ): Promise<{ status: number; data: any; errors?: any[] }>;
  /** Bearer tokens of a ready user of each role. `suspended` is a member who was suspended after he got it. */
  tokens: Record<Role | 'suspended' | 'bootstrap', string>;
  userIds: Record<Role | 'suspended', string>;
  /** All log lines so far. */
  logs(): string;
  database: Database;
  keyring: Keyring;
  /** The clock that the gateway lives by. */
  clock: { now: Date; advance(ms: number): void };
  config: Config;
  createSignInUrl(): Promise<string>;
  close(): Promise<void>;
}

export const TEST_PUBLIC_URL = 'http://localhost:4000';

/** A gateway on a database of the calling test's own, with a user of each role. Close it. */
export async function createTestGateway(
  options: { env?: Record<string, string>; database?: Database } = {},
): Promise<TestGateway> {
  const config = readConfig({ GATEHOUSE_PUBLIC_URL: TEST_PUBLIC_URL, GATEHOUSE_GRAPHIQL: 'true', ...options.env });
  const database = options.database ?? (await openTestDatabase());
  const keyring = new Keyring(parseMasterKeys(generateMasterKey()).keys);
  const bootstrap = randomBytes(24).toString('base64url');
  const lines: string[] = [];
  const log = createLogger(
    'debug',
    new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    }),
  );
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
    adminToken: new Secret(bootstrap),
    log,
    now: () => clock.now,
  });

  const fetch: TestGateway['fetch'] = async (path, init) =>
    gateway.app.fetch(new Request(new URL(path, TEST_PUBLIC_URL), init));
  const graphql: TestGateway['graphql'] = async (query, { token, variables, headers } = {}) => {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: JSON.stringify({ query, variables }),
    });
    return { status: response.status, ...((await response.json()) as { data: unknown }) };
  };

  const tokens = { bootstrap } as TestGateway['tokens'];
  const userIds = {} as TestGateway['userIds'];
  for (const role of ['admin', 'auditor', 'service', 'member', 'suspended'] as const) {
    const { data } = await graphql('mutation ($input: CreateUserInput!) { createUser(input: $input) { id } }', {
      token: bootstrap,
      variables: {
        input: { email: `${role}@example.com`, role: role === 'suspended' ? 'MEMBER' : role.toUpperCase() },
      },
    });
    userIds[role] = data.createUser.id;
    const created = await graphql(
      'mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }',
      { token: bootstrap, variables: { input: { userId: userIds[role], name: `${role} token` } } },
    );
    tokens[role] = created.data.createApiToken.token;
  }
  await graphql('mutation ($id: UUID!) { updateUser(id: $id, patch: { status: SUSPENDED }) { id } }', {
    token: bootstrap,
    variables: { id: userIds.suspended },
  });

  return {
    fetch,
    graphql,
    tokens,
    userIds,
    logs: () => lines.join(''),
    database,
    keyring,
    clock,
    config,
    createSignInUrl: gateway.createSignInUrl,
    async close() {
      await gateway.close();
      if (options.database === undefined) await database.close();
    },
  };
}
