import { can } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';
import type { PrismaStore } from '../database/prisma.ts';
import { Prisma } from '../generated/client.ts';
import type { ListedConnectionRecord, Page } from '../records.ts';
import type { ConfigCursor } from './config-repository.ts';
import { guarded } from './guarded.ts';

interface Row {
  userId: string;
  configId: string;
  displayName: string;
  tokenId: string | null;
  version: number | null;
  keyIds: (string | null)[];
  scopes: string[];
  needsMoreScopes: boolean;
  connectedAt: Date | null;
  expiresAt: Date | null;
  blockedReason: string | null;
  endReason: string | null;
  endedAt: Date | null;
}

/** Lists of users' connections, for them to read. No function here reveals a token. */
export function createConnectionListRepository(db: PrismaStore) {
  return {
    /** A page of each user's connections, by the config's display name. The number of statements is constant. */
    list: guarded(
      'mcpServerConnection.read',
      async (
        args: { userIds: readonly string[]; first: number; after?: ConfigCursor | undefined },
        viewer,
      ): Promise<Map<string, Page<ListedConnectionRecord>>> => {
        const { first, after } = args;
        const userIds = readableIds(args.userIds, viewer);
        const isAfter =
          after === undefined
            ? Prisma.sql`TRUE`
            : Prisma.sql`(config.display_name COLLATE "C", config.id) > (${after.displayName}::text, ${after.id}::uuid)`;
        const rows = await db.$queryRaw<Row[]>`
          SELECT connection.* FROM unnest(${userIds}::uuid[]) AS person (id) CROSS JOIN LATERAL (
            SELECT person.id::text AS "userId", config.id::text AS "configId", config.display_name AS "displayName",
              token.id::text AS "tokenId", token.version,
              ARRAY[token.access_token_key_id, token.refresh_token_key_id] AS "keyIds",
              coalesce(token.scopes, '{}') AS scopes,
              coalesce(cardinality(token.wanted_scopes) > 0, FALSE) AS "needsMoreScopes",
              token.created_at AS "connectedAt",
              CASE WHEN token.refresh_token_key_id IS NULL THEN token.expires_at END AS "expiresAt",
              token.blocked_reason AS "blockedReason", ended.reason AS "endReason", ended.ended_at AS "endedAt"
            FROM (${connectedIds(Prisma.sql`person.id`)}) AS mine
            JOIN mcp_server_configs AS config ON config.id = mine.config_id
            LEFT JOIN mcp_server_user_tokens AS token
              ON token.mcp_server_config_id = config.id AND token.user_id = person.id
            LEFT JOIN mcp_server_ended_connections AS ended
              ON ended.mcp_server_config_id = config.id AND ended.user_id = person.id
            WHERE ${isAfter}
            ORDER BY config.display_name COLLATE "C", config.id LIMIT ${first + 1}
          ) AS connection
          ORDER BY connection."displayName" COLLATE "C", connection."configId"::uuid`;
        const byUser = new Map<string, ListedConnectionRecord[]>(userIds.map((id) => [id, []]));
        for (const row of rows) byUser.get(row.userId)?.push(toRecord(row));
        return new Map(
          [...byUser].map(([id, found]) => [id, { rows: found.slice(0, first), hasMore: found.length > first }]),
        );
      },
    ),

    /** The number of connections of each user. Users without any are omitted. */
    count: guarded(
      'mcpServerConnection.read',
      async (args: { userIds: readonly string[] }, viewer): Promise<Map<string, number>> => {
        const rows = await db.$queryRaw<{ userId: string; count: bigint }[]>`
          SELECT person.id::text AS "userId", count(*) AS count
          FROM unnest(${readableIds(args.userIds, viewer)}::uuid[]) AS person (id)
          CROSS JOIN LATERAL (${connectedIds(Prisma.sql`person.id`)}) AS mine
          GROUP BY person.id`;
        return new Map(rows.map(({ userId, count }) => [userId, Number(count)]));
      },
    ),
  };
}

/** The configs that a user is connected to, or was until the connection ended. Each once. */
function connectedIds(userId: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    SELECT mcp_server_config_id AS config_id FROM mcp_server_user_tokens WHERE user_id = ${userId}
    UNION SELECT mcp_server_config_id FROM mcp_server_ended_connections WHERE user_id = ${userId}`;
}

function readableIds(userIds: readonly string[], viewer: Viewer): string[] {
  return userIds.filter((ownerId) => can(viewer, 'mcpServerConnection.read', { ownerId }));
}

/** Where there are tokens, they are newer than the end of the connection before. */
function toRecord(row: Row): ListedConnectionRecord {
  const { userId, configId, displayName, scopes, connectedAt, tokenId } = row;
  const common = { userId, displayName, scopes, connectedAt };
  if (tokenId === null) {
    return { ...common, endedAt: row.endedAt, connection: { kind: 'ended', configId, reason: row.endReason ?? '' } };
  }
  return {
    ...common,
    endedAt: null,
    connection: {
      kind: 'connected',
      configId,
      tokenId,
      version: row.version ?? 0,
      secretKeyDigests: [...new Set(row.keyIds)].filter((id) => id !== null),
      needsMoreScopes: row.needsMoreScopes,
      endsAt: row.expiresAt,
      blockedReason: row.blockedReason,
    },
  };
}
