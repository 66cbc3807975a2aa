import type { Keyring } from '../crypto/keyring.ts';
import type { Database } from './database/database.ts';
import type { GatehousePrisma } from './database/prisma.ts';
import { checkKeys } from './keys/key-registry.ts';
import { removeRevokedKeys } from './keys/key-revocation.ts';
import type { FeedReader } from './memory/feed-reader.ts';
import { isUpToDate } from './migrations/migrations.ts';

/** Whether the data can be used: the checks behind `/readyz`, and numbers beside them. */
export interface DataHealth {
  /** Each rejects with the reason when it fails. */
  checks: Readonly<Record<string, () => Promise<void>>>;
  /** Numbers for operators. No secrets, no names. */
  details(): Record<string, unknown>;
}

/** Creates the checks of the database, its schema, the change feed and the keys. */
export function createDataHealth(options: {
  database: Database;
  prisma: GatehousePrisma;
  keyring: Keyring;
  reader: FeedReader;
}): DataHealth {
  const { database, prisma, keyring, reader } = options;
  return {
    checks: {
      database: async () => void (await database.query('SELECT 1')),
      migrations: async () => {
        if (!(await isUpToDate(database))) throw new Error('the database is not at the schema of this build');
      },
      change_feed: async () => reader.assertFresh(),
      encryption_keys: async () => {
        await removeRevokedKeys(prisma, keyring);
        const { problems } = await checkKeys(prisma, keyring);
        if (problems.length > 0) throw new Error(problems.join('; '));
      },
    },
    details: () => {
      const { rev, databaseRev, isListening, verifiedMsAgo } = reader.status();
      const unread = Math.max(Number(databaseRev - rev), 0);
      const verified = Number.isFinite(verifiedMsAgo) ? Math.round(verifiedMsAgo) : null;
      return { change_feed: { revision: Number(rev), unread, listening: isListening, verified_ms_ago: verified } };
    },
  };
}
