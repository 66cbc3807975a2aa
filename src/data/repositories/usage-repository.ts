import type { PrismaStore } from '../database/prisma.ts';
import { guarded } from './guarded.ts';

/** What a user's chats take up. Triggers keep it. */
export interface ChatUsage {
  chats: number;
  /** The bytes of all messages, with `MESSAGE_OVERHEAD_BYTES` for each. */
  messageBytes: number;
}

/** The number is arbitrary, but all replicas must use the same one. */
const CONFIG_COUNT_LOCK = 7_305_112_884;

/**
 * What is used of quotas. Each function also takes a lock that its caller keeps until the transaction ends, so that
 * parallel requests count one after the other.
 */
export function createUsageRepository(db: PrismaStore) {
  const lockRow = async (ownerId: string): Promise<ChatUsage | null> => {
    const [row] = await db.$queryRaw<{ chats: number; messageBytes: bigint }[]>`
      SELECT chats, message_bytes AS "messageBytes" FROM user_usage WHERE user_id = ${ownerId}::uuid FOR UPDATE`;
    return row === undefined ? null : { chats: row.chats, messageBytes: Number(row.messageBytes) };
  };

  return {
    /** Before a new chat. Null when the user was deleted. */
    lockForChat: guarded(
      'chat.create',
      async (args: { ownerId: string }): Promise<ChatUsage | null> => {
        // The order in which a deletion locks: first the user, then what they have.
        await db.$queryRaw`SELECT id FROM users WHERE id = ${args.ownerId}::uuid FOR KEY SHARE`;
        return lockRow(args.ownerId);
      },
      (args) => ({ ownerId: args.ownerId }),
    ),

    /** Before a new message. Lock its chat first. Null when the user was deleted. */
    lockForMessage: guarded(
      'chat.write',
      (args: { ownerId: string }) => lockRow(args.ownerId),
      (args) => ({ ownerId: args.ownerId }),
    ),

    /** Before a new API token: how many of the user's tokens are neither revoked nor expired. */
    countTokens: guarded(
      'apiToken.create',
      async (args: { userId: string; now: Date }): Promise<number> => {
        await lockUser(db, args.userId);
        const [row] = await db.$queryRaw<{ count: bigint }[]>`
          SELECT count(*) FROM api_tokens WHERE user_id = ${args.userId}::uuid AND revoked_at IS NULL
            AND (expires_at IS NULL OR expires_at > ${args.now}::timestamptz)`;
        return Number(row?.count ?? 0);
      },
      (args) => ({ ownerId: args.userId }),
    ),

    /** Before a new session: ends the user's sessions that were not used for longest, so that at most `keep` are left. */
    endOldSessions: guarded('session.create', async (args: { userId: string; keep: number }): Promise<void> => {
      await lockUser(db, args.userId);
      await db.$executeRaw`
        DELETE FROM sessions WHERE id IN (
          SELECT id FROM sessions WHERE user_id = ${args.userId}::uuid
          ORDER BY last_seen_at DESC, created_at DESC, id OFFSET ${args.keep})`;
    }),

    /** Before a new config: how many there are. The quota itself keeps this count small. */
    countConfigs: guarded('mcpServerConfig.create', async (): Promise<number> => {
      await db.$executeRaw`SELECT pg_advisory_xact_lock(${CONFIG_COUNT_LOCK}::bigint)`;
      return db.mcpServerConfig.count();
    }),
  };
}

/** One creation of a user's tokens or sessions at a time. Requests that only name the user go on. */
async function lockUser(db: PrismaStore, userId: string): Promise<void> {
  await db.$queryRaw`SELECT id FROM users WHERE id = ${userId}::uuid FOR NO KEY UPDATE`;
}
