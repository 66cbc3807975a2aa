import type { Secret } from '../../crypto/secret.ts';
import type { PrismaStore } from '../database/prisma.ts';
import type { Prisma } from '../generated/client.ts';
import { sealFor } from '../sealing/seal-for.ts';
import { SEALING_KEY } from '../sealing/seal-row.ts';
import type { SealedValue } from '../sealing/sealed-value.ts';
import { guarded } from './guarded.ts';
import { keepScopeRequests } from './scope-request-repository.ts';

/** A user's tokens for one server, still sealed. */
export interface UserTokenRecord {
  id: string;
  configId: string;
  userId: string;
  accessToken: SealedValue;
  refreshToken: SealedValue | null;
  scopes: string[];
  requestedScopes: string[];
  wantedScopes: string[];
  stepUpRounds: number;
  obtainedAt: Date;
  expiresAt: Date | null;
  refreshFailures: number;
  /** No request is sent to the authorization server before this time. */
  retryAt: Date | null;
  /** How often the authorization server refused since the last success, and the first time. */
  refreshRefusals: number;
  refusedSince: Date | null;
  /** Why the connection cannot be used for now. Null when it can. */
  blockedReason: string | null;
  /** The gateway's client that the tokens were issued to. Empty when unknown. */
  clientId: string;
  /** The number of tokens that the row has had. */
  version: number;
}

/** Tokens received from an authorization server. */
export interface NewTokens {
  accessToken: Secret;
  /** Absent: the stored one is kept. */
  refreshToken?: Secret | null | undefined;
  scopes: readonly string[];
  obtainedAt: Date;
  expiresAt: Date | null;
  /** The URLs that the tokens may be sent to. Empty ones count as absent. */
  urls: readonly string[];
}

/** The next refresh, and what is known about the refusals so far. */
export interface RefreshDelay {
  retryAt: Date;
  refreshRefusals: number;
  refusedSince: Date | null;
  blockedReason: string | null;
}

/** A connection that ended because its access token expired. */
export interface ExpiredConnection {
  configId: string;
  /** Of the config. */
  slug: string;
  userId: string;
}

/** Identifies one state of one row. A write with it does nothing once another process has written. */
export interface TokenLease {
  id: string;
  userId: string;
  version: number;
  leaseId: string;
}

/** The columns of a `UserTokenRecord`. */
export const USER_TOKEN_SELECT = {
  id: true,
  mcpServerConfigId: true,
  userId: true,
  accessToken: true,
  refreshToken: true,
  scopes: true,
  requestedScopes: true,
  wantedScopes: true,
  stepUpRounds: true,
  obtainedAt: true,
  expiresAt: true,
  refreshFailures: true,
  retryAt: true,
  refreshRefusals: true,
  refusedSince: true,
  blockedReason: true,
  clientId: true,
  version: true,
} as const;

const NO_LEASE = { refreshLeaseId: null, refreshLeaseUntil: null };
/** After a refresh that succeeded. */
const NO_FAILURE = { refreshFailures: 0, retryAt: null, refreshRefusals: 0, refusedSince: null, blockedReason: null };

/** The users' tokens. For the gateway itself, when it calls a server or an authorization server. */
export function createUserTokenRepository(db: PrismaStore) {
  return {
    find: guarded('mcpServerConnection.useTokens', async (args: { configId: string; userId: string }) => {
      const where = { mcpServerConfigId_userId: { mcpServerConfigId: args.configId, userId: args.userId } };
      const row = await db.mcpServerUserToken.findUnique({ where, select: USER_TOKEN_SELECT });
      return row === null ? null : toUserToken(row);
    }),

    /** Why the authorization server ended the connection, if it did. */
    findEndReason: guarded('mcpServerConnection.useTokens', async (args: { configId: string; userId: string }) => {
      const where = { mcpServerConfigId_userId: { mcpServerConfigId: args.configId, userId: args.userId } };
      return (await db.mcpServerEndedConnection.findUnique({ where }))?.reason ?? null;
    }),

    /** Stores a user's tokens in place of any previous connection. Call it in a transaction. */
    replace: guarded(
      'mcpServerConnection.useTokens',
      async (args: {
        configId: string;
        userId: string;
        clientId: string;
        tokens: NewTokens;
        requestedScopes: readonly string[];
        wantedScopes: readonly string[];
        stepUpRounds: number;
      }) => {
        const {
          configId: mcpServerConfigId,
          userId,
          clientId,
          tokens,
          requestedScopes,
          wantedScopes,
          stepUpRounds,
        } = args;
        const where = { mcpServerConfigId, userId };
        const before = await db.mcpServerUserToken.findFirst({ where, select: { version: true } });
        await db.mcpServerUserToken.deleteMany({ where });
        await db.mcpServerEndedConnection.deleteMany({ where });
        await db.mcpServerScopeRequest.deleteMany({ where });
        await db.mcpServerUserToken.create({
          data: {
            ...where,
            clientId,
            ...toColumns(tokens),
            accessTokenKeyId: SEALING_KEY,
            requestedScopes: [...requestedScopes],
            wantedScopes: [...wantedScopes],
            stepUpRounds,
            version: (before?.version ?? 0) + 1,
          },
        });
      },
    ),

    /**
     * Takes the refresh lease, if it is free and the tokens still have this version. The database's clock decides,
     * because all replicas share it.
     */
    takeLease: guarded('mcpServerConnection.useTokens', async (args: TokenLease & { leaseMs: number; now: Date }) => {
      const count = await db.$executeRaw`
        UPDATE mcp_server_user_tokens
        SET refresh_lease_id = ${args.leaseId}::uuid,
            refresh_lease_until = clock_timestamp() + ${args.leaseMs}::double precision * interval '1 millisecond'
        WHERE id = ${args.id}::uuid AND version = ${args.version}
          AND (retry_at IS NULL OR retry_at <= ${args.now})
          AND (refresh_lease_until IS NULL OR refresh_lease_until < clock_timestamp())`;
      return count === 1;
    }),

    /** Stores refreshed tokens. @returns false when the row was deleted or replaced */
    saveRefreshed: guarded('mcpServerConnection.useTokens', async (args: TokenLease & { tokens: NewTokens }) => {
      const { count } = await db.mcpServerUserToken.updateMany({
        // The lease is not checked: even if it expired, these are the newest tokens, and the previous ones are used up.
        where: { id: args.id, userId: args.userId, version: args.version },
        data: {
          ...toColumns(args.tokens),
          ...NO_LEASE,
          ...NO_FAILURE,
          version: { increment: 1 },
        },
      });
      return count === 1;
    }),

    /** Keeps the tokens and delays the next refresh. @returns false as `saveRefreshed` */
    deferRefresh: guarded('mcpServerConnection.useTokens', async (args: TokenLease & { delay: RefreshDelay }) => {
      const { count } = await db.mcpServerUserToken.updateMany({
        where: toLeaseWhere(args),
        data: { ...NO_LEASE, ...args.delay, refreshFailures: { increment: 1 } },
      });
      return count === 1;
    }),

    /** Removes dead tokens and records why. Call it in a transaction. @returns false as `saveRefreshed` */
    end: guarded('mcpServerConnection.useTokens', async (args: TokenLease & { configId: string; reason: string }) => {
      await keepScopeRequests(db, [args.id]);
      const { count } = await db.mcpServerUserToken.deleteMany({ where: toLeaseWhere(args) });
      if (count === 0) return false;
      const key = { mcpServerConfigId: args.configId, userId: args.userId };
      await db.mcpServerEndedConnection.createMany({ data: { ...key, reason: args.reason }, skipDuplicates: true });
      return true;
    }),

    /**
     * Removes all tokens and sign-ins of a config and records why. Call it in a transaction that holds the config.
     *
     * @returns the removed tokens, still sealed, so that they can be revoked
     */
    endAll: guarded('mcpServerConnection.useTokens', async (args: { configId: string; reason: string }) => {
      const where = { mcpServerConfigId: args.configId };
      await db.$queryRaw`
        SELECT id FROM mcp_server_user_tokens WHERE mcp_server_config_id = ${args.configId}::uuid
        ORDER BY id FOR UPDATE`;
      const rows = await db.mcpServerUserToken.findMany({ where, select: USER_TOKEN_SELECT });
      await keepScopeRequests(
        db,
        rows.map(({ id }) => id),
      );
      await db.mcpServerUserToken.deleteMany({ where });
      await db.mcpOAuthFlow.deleteMany({ where });
      const data = rows.map(({ userId }) => ({ ...where, userId, reason: args.reason }));
      await db.mcpServerEndedConnection.createMany({ data, skipDuplicates: true });
      return rows.map(toUserToken);
    }),

    /**
     * Removes some of the connections whose access token expired and that have no refresh token, and records why. Call
     * it in a transaction. @returns the removed connections
     */
    endExpired: guarded(
      'mcpServerConnection.useTokens',
      async (args: { now: Date; reason: string; most: number }): Promise<ExpiredConnection[]> => {
        const rows = await db.$queryRaw<{ id: string; config_id: string; slug: string; user_id: string }[]>`
          SELECT t.id, t.mcp_server_config_id AS config_id, c.slug, t.user_id
          FROM mcp_server_user_tokens t JOIN mcp_server_configs c ON c.id = t.mcp_server_config_id
          WHERE t.refresh_token IS NULL AND t.expires_at <= ${args.now}
          ORDER BY t.id LIMIT ${args.most}::int FOR UPDATE OF t SKIP LOCKED`;
        const ids = rows.map(({ id }) => id);
        await keepScopeRequests(db, ids);
        await db.mcpServerUserToken.deleteMany({ where: { id: { in: ids } } });
        const { reason } = args;
        const data = rows.map((row) => ({ mcpServerConfigId: row.config_id, userId: row.user_id, reason }));
        await db.mcpServerEndedConnection.createMany({ data, skipDuplicates: true });
        return rows.map((row) => ({ configId: row.config_id, slug: row.slug, userId: row.user_id }));
      },
    ),

    /** Adds the scopes that the server asks for beyond the tokens' scopes to those it asked for before. */
    wantScopes: guarded(
      'mcpServerConnection.useTokens',
      async (args: { id: string; scopes: readonly string[]; most: number }) => {
        // One statement, because another response or a refresh may write at the same time.
        const count = await db.$executeRaw`
          UPDATE mcp_server_user_tokens AS t
          SET wanted_scopes = (t.wanted_scopes || ARRAY(
                SELECT scope FROM unnest(${[...args.scopes]}::text[]) AS scope WHERE scope <> ALL (t.wanted_scopes)
              ))[1:${args.most}::int]
          WHERE id = ${args.id}::uuid`;
        return count === 1;
      },
    ),
  };
}

type UserTokenRow = Prisma.McpServerUserTokenGetPayload<{
  select: Omit<typeof USER_TOKEN_SELECT, 'accessToken' | 'refreshToken'>;
}> & { accessToken: SealedValue; refreshToken: SealedValue | null };

/** Converts a row to the record that the gateway passes around. */
export function toUserToken({ mcpServerConfigId: configId, ...row }: UserTokenRow): UserTokenRecord {
  // Read the sealed values now, while the row's own columns are available. They are opened on demand.
  return { ...row, configId, accessToken: row.accessToken, refreshToken: row.refreshToken };
}

function toLeaseWhere({ id, userId, version, leaseId }: TokenLease) {
  return { id, userId, version, refreshLeaseId: leaseId };
}

function toColumns({ accessToken, refreshToken, scopes, obtainedAt, expiresAt, urls }: NewTokens) {
  return {
    accessToken: sealFor(accessToken.expose(), urls),
    ...(refreshToken !== undefined && {
      refreshToken: refreshToken === null ? null : sealFor(refreshToken.expose(), urls),
    }),
    scopes: [...scopes],
    obtainedAt,
    expiresAt,
  };
}
