import { Writable } from 'node:stream';
import type { Config } from '../../src/config.ts';
import type { Keyring } from '../../src/crypto/keyring.ts';
import { Secret } from '../../src/crypto/secret.ts';
import type { Database } from '../../src/data/database/database.ts';
import { createGateway, type Gateway, type GatewayOptions } from '../../src/gateway.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { TEST_PUBLIC_URL, type TestGateway } from './gateway.ts';

/** Another gateway over the same database, as in a second process. */
export interface Replica {
  graphql(query: string, token: string): Promise<{ data: any; errors?: any[] }>;
  gateway: Gateway;
  close(): Promise<void>;
}

/** @param database a separate connection: replicas share only the server */
export async function createReplica(
  of: TestGateway,
  database: Database,
  options: { keyring?: Keyring; config?: Partial<Config> } & Pick<
    GatewayOptions,
    'upstreamTools' | 'streamLimits' | 'listsInBackground' | 'trustedDocuments'
  > = {},
): Promise<Replica> {
  const gateway = await createGateway({
    listsInBackground: options.listsInBackground ?? false,
    upstreamTools: options.upstreamTools,
    trustedDocuments: options.trustedDocuments,
    streamLimits: options.streamLimits,
    config: { ...of.config, ...options.config },
    database,
    keyring: options.keyring ?? of.keyring,
    adminToken: new Secret(of.tokens.bootstrap),
    log: createLogger('fatal', { destination: new Writable({ write: (_chunk, _encoding, done) => done() }) }),
    now: () => of.clock.now,
  });
  return {
    gateway,
    async graphql(query, token) {
      const response = await gateway.app.fetch(
        new Request(new URL('/graphql', TEST_PUBLIC_URL), {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          body: JSON.stringify({ query }),
        }),
      );
      return (await response.json()) as { data: any; errors?: any[] };
    },
    close: () => gateway.close(),
  };
}
