import type { PrismaStore } from '../database/prisma.ts';
import { guarded } from './guarded.ts';

/** What a server asked for with its challenges: the scopes of the next sign-in, and how often they grew. */
export interface ScopeMemory {
  /** The scopes that the last sign-in asked for. */
  requestedScopes: readonly string[];
  /** The scopes that the server has asked for since. */
  wantedScopes: readonly string[];
  stepUpRounds: number;
}

interface OwnScopes {
  configId: string;
  userId: string;
}

/** What servers asked for, for users who have no tokens. The rows of users who have tokens say it themselves. */
export function createScopeRequestRepository(db: PrismaStore) {
  return {
    find: guarded('mcpServerConnection.useTokens', async (args: OwnScopes): Promise<ScopeMemory | null> => {
      const where = { mcpServerConfigId_userId: { mcpServerConfigId: args.configId, userId: args.userId } };
      return db.mcpServerScopeRequest.findUnique({ where });
    }),

    /** Adds scopes to those that the server asked for before. Does nothing when the config or the user is gone. */
    add: guarded(
      'mcpServerConnection.useTokens',
      async (args: OwnScopes & { scopes: readonly string[]; most: number }) => {
        // One statement, because another response may write at the same time.
        await db.$executeRaw`
          INSERT INTO mcp_server_scope_requests AS r (mcp_server_config_id, user_id, wanted_scopes)
          SELECT c.id, u.id, (${[...args.scopes]}::text[])[1:${args.most}::int]
          FROM mcp_server_configs c, users u WHERE c.id = ${args.configId}::uuid AND u.id = ${args.userId}::uuid
          FOR KEY SHARE
          ON CONFLICT (mcp_server_config_id, user_id) DO UPDATE
          SET wanted_scopes = (r.wanted_scopes || ARRAY(
                SELECT scope FROM unnest(excluded.wanted_scopes) AS scope WHERE scope <> ALL (r.wanted_scopes)
              ))[1:${args.most}::int]`;
      },
    ),
  };
}

/**
 * Keeps what tokens that are about to be removed say, if the server asked for more than the first sign-in. Call it in the
 * transaction that removes them.
 */
export async function keepScopeRequests(db: PrismaStore, tokenIds: readonly string[]): Promise<void> {
  await db.$executeRaw`
    INSERT INTO mcp_server_scope_requests
      (mcp_server_config_id, user_id, requested_scopes, wanted_scopes, step_up_rounds)
    SELECT mcp_server_config_id, user_id, requested_scopes, wanted_scopes, step_up_rounds
    FROM mcp_server_user_tokens
    WHERE id = ANY (${[...tokenIds]}::uuid[]) AND (step_up_rounds > 0 OR wanted_scopes <> '{}')
    ON CONFLICT (mcp_server_config_id, user_id) DO UPDATE
    SET requested_scopes = excluded.requested_scopes, wanted_scopes = excluded.wanted_scopes,
        step_up_rounds = excluded.step_up_rounds`;
}
