import { readConfig } from '../../src/config.ts';
import { Keyring } from '../../src/crypto/keyring.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { DomainError } from '../../src/errors.ts';
import { createGateway } from '../../src/gateway.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

// A program for `fork`: a gateway on DATABASE_URL that gets tokens when its parent asks, and exits with it.

/** What the parent sends. */
export interface GetTokens {
  id: number;
  userId: string;
  configId: string;
  /** Number of concurrent callers. */
  callers: number;
}

/** What the parent receives after `ready`. */
export interface TokensGot {
  id: number;
  /** Per caller: `ready <version> <token>`, another state with its reason, or an error code. */
  outcomes: string[];
}

const config = readConfig(process.env);
const { databaseUrl, encryptionKeys, adminToken } = config;
if (databaseUrl === undefined || encryptionKeys === undefined || adminToken === undefined) {
  throw new Error('give DATABASE_URL, GATEHOUSE_ENCRYPTION_KEYS and GATEHOUSE_ADMIN_TOKEN');
}
const { accessTokens } = await createGateway({
  listsInBackground: false,
  config,
  database: await openServerDatabase(databaseUrl.expose()),
  keyring: new Keyring(encryptionKeys),
  adminToken,
  log: createLogger('silent'),
});

async function get(args: { userId: string; configId: string }): Promise<string> {
  try {
    const result = await accessTokens.get(args);
    if (result.state === 'ready') return `ready ${result.version} ${result.accessToken.expose()}`;
    return result.state === 'reconnect' ? `reconnect ${result.reason}` : result.state;
  } catch (error) {
    return error instanceof DomainError ? error.code : String(error);
  }
}

process.on('message', async ({ id, callers, ...args }: GetTokens) => {
  const outcomes = await Promise.all(Array.from({ length: callers }, () => get(args)));
  process.send?.({ id, outcomes } satisfies TokensGot);
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
