import { can } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';
import type { PrismaStore } from '../database/prisma.ts';
import type { Prisma } from '../generated/client.ts';
import type {
  McpAuthType,
  McpAvailability,
  McpServerConfigRecord,
  McpToolApproval,
  McpTransport,
  OAuthCallbackMode,
  OAuthResourceMode,
  Page,
} from '../records.ts';
import type { SealedValue } from '../sealing/sealed-value.ts';
import {
  BOUND_SELECT,
  type ConfigSecret,
  DESTINATIONS_OF_SECRET,
  sealChangedSecrets,
  sealNewSecrets,
} from './config-secrets.ts';
import { guarded } from './guarded.ts';

/** How a list of configs may be sorted. Configs with the same value are sorted by id, in the same direction. */
export const CONFIG_ORDERS = [
  'name_asc',
  'name_desc',
  'created_asc',
  'created_desc',
  'updated_asc',
  'updated_desc',
] as const;
/** An order of configs. */
export type ConfigOrder = (typeof CONFIG_ORDERS)[number];

/** A position in a list that is sorted by name: after the config with this name and id. */
export interface ConfigCursor {
  displayName: string;
  id: string;
}

/** A position in a list with any order: after the config with this value of what the list is sorted by, and this id. */
export interface ConfigPlace {
  key: string | Date;
  id: string;
}

/** A page of configs. By name if no order is given. */
export interface ConfigPageArgs {
  first: number;
  after?: ConfigCursor | ConfigPlace | undefined;
  filter?: ConfigFilter | undefined;
  order?: ConfigOrder | undefined;
}

/** What an order compares, and in which direction. */
export const CONFIG_SORTS = {
  name_asc: { field: 'displayName', isDescending: false },
  name_desc: { field: 'displayName', isDescending: true },
  created_asc: { field: 'createdAt', isDescending: false },
  created_desc: { field: 'createdAt', isDescending: true },
  updated_asc: { field: 'updatedAt', isDescending: false },
  updated_desc: { field: 'updatedAt', isDescending: true },
} as const satisfies Record<ConfigOrder, object>;

/** The place in the form of all orders. */
export function toPlace(after: ConfigCursor | ConfigPlace): ConfigPlace {
  return 'key' in after ? after : { key: after.displayName, id: after.id };
}

/** The place after a config, in this order. */
export function toPlaceOf(config: McpServerConfigRecord, order: ConfigOrder): ConfigPlace {
  return { key: config[CONFIG_SORTS[order].field], id: config.id };
}

/** All conditions must hold. */
export interface ConfigFilter {
  enabled?: boolean | undefined;
  authType?: McpAuthType | undefined;
  availability?: McpAvailability | undefined;
  /** Part of the display name or slug, case-insensitive. */
  search?: string | undefined;
}

/** The columns of a config for writing. Secrets are plain text here; they are sealed for the config's URLs. */
export interface ConfigColumns {
  displayName: string;
  slug: string;
  description: string;
  iconUrl: string;
  transport: McpTransport;
  url: string;
  authType: McpAuthType;
  oauth2ClientId: string;
  oauth2ClientSecret: string | null;
  oauth2AuthUrl: string;
  oauth2TokenUrl: string;
  oauth2RevocationUrl: string;
  oauth2Issuer: string;
  oauth2Scopes: string[];
  oauth2ResourceMode: OAuthResourceMode;
  oauth2CallbackMode: OAuthCallbackMode;
  apiKeyHeader: string;
  apiKeyValue: string | null;
  /** A JSON object of names and values. */
  customHeaders: string | null;
  toolAllowList: string[];
  toolDenyList: string[];
  toolApproval: McpToolApproval;
  exposeResources: boolean;
  exposePrompts: boolean;
  availability: McpAvailability;
  enabled: boolean;
}

/** The secrets of a config. Each one is opened on demand. */
export interface ConfigSecrets {
  id: string;
  version: number;
  oauth2ClientSecret: SealedValue | null;
  apiKeyValue: SealedValue | null;
  customHeaders: SealedValue | null;
}

/** The origins that secrets were sealed for, as far as they are known. */
export type SecretOrigins = Readonly<Partial<Record<ConfigSecret, readonly string[] | undefined>>>;

/** A change of one of these may change what secrets are sealed for. */
const BOUND_FIELDS = Object.keys(BOUND_SELECT) as (keyof typeof BOUND_SELECT)[];

/** Lists and single reads do not load the sealed texts. The key columns tell whether a secret is stored. */
const WITHOUT_SECRETS = { oauth2ClientSecret: true, apiKeyValue: true, customHeaders: true } as const;

/** MCP server configs. Configs that the viewer may not see are not found. */
export function createConfigRepository(db: PrismaStore) {
  const find = async (where: Prisma.McpServerConfigWhereUniqueInput, viewer: Viewer) => {
    const row = await db.mcpServerConfig.findUnique({ where, omit: WITHOUT_SECRETS });
    if (row === null || !can(viewer, 'mcpServerConfig.read', { enabled: row.enabled })) return null;
    return toRecord(row);
  };

  return {
    list: guarded(
      'mcpServerConfig.list',
      async (args: ConfigPageArgs, viewer): Promise<Page<McpServerConfigRecord>> => {
        const { field, isDescending } = CONFIG_SORTS[args.order ?? 'name_asc'];
        const direction = isDescending ? 'desc' : 'asc';
        const rows = await db.mcpServerConfig.findMany({
          where: { AND: [visibleTo(viewer), toWhere(args.filter), isAfter(args)] },
          orderBy: [{ [field]: direction }, { id: direction }],
          take: args.first + 1,
          omit: WITHOUT_SECRETS,
        });
        return { rows: rows.slice(0, args.first).map(toRecord), hasMore: rows.length > args.first };
      },
    ),

    /** Every config, unordered, for a cache that applies the access policy itself. */
    listAll: guarded('feed.read', async (): Promise<McpServerConfigRecord[]> => {
      const rows = await db.mcpServerConfig.findMany({ omit: WITHOUT_SECRETS });
      return rows.map(toRecord);
    }),

    count: guarded('mcpServerConfig.list', (args: { filter?: ConfigFilter | undefined }, viewer) =>
      db.mcpServerConfig.count({ where: { AND: [visibleTo(viewer), toWhere(args.filter)] } }),
    ),

    findById: guarded('mcpServerConfig.read', (args: { id: string }, viewer) => find({ id: args.id }, viewer)),

    findBySlug: guarded('mcpServerConfig.read', (args: { slug: string }, viewer) => find({ slug: args.slug }, viewer)),

    /** A config regardless of who may see it. For the gateway itself, when it ends or refreshes a connection. */
    findForConnection: guarded('mcpServerConnection.useTokens', (args: { id: string }, viewer) =>
      find({ id: args.id }, viewer),
    ),

    /** Reads a config and takes a shared lock on its row until the transaction ends. */
    hold: guarded('mcpServerConnection.useTokens', async (args: { id: string }, viewer) => {
      await db.$queryRaw`SELECT id FROM mcp_server_configs WHERE id = ${args.id}::uuid FOR SHARE`;
      return find({ id: args.id }, viewer);
    }),

    /** Reads a config's version and takes the same lock. */
    holdVersion: guarded('mcpServerConnection.useTokens', async (args: { id: string }): Promise<number | null> => {
      const [row] = await db.$queryRaw<{ version: number }[]>`
        SELECT version FROM mcp_server_configs WHERE id = ${args.id}::uuid FOR SHARE`;
      return row?.version ?? null;
    }),

    /**
     * Reads a config and takes shared locks on it and on an active user until the transaction ends. Null when either is
     * missing.
     */
    holdForConnection: guarded(
      'mcpServerConnection.useTokens',
      async (args: { id: string; userId: string }, viewer): Promise<McpServerConfigRecord | null> => {
        const users = await db.$queryRaw<object[]>`
          SELECT id FROM users WHERE id = ${args.userId}::uuid AND status = 'active' FOR SHARE`;
        await db.$queryRaw`SELECT id FROM mcp_server_configs WHERE id = ${args.id}::uuid FOR SHARE`;
        return users.length === 0 ? null : find({ id: args.id }, viewer);
      },
    ),

    /** Enabled configs that are forced on or listed in the ids: the candidates for chats. Sorted by display name. */
    listForChats: guarded(
      'mcpServerConfig.list',
      async (args: { ids: readonly string[] }): Promise<McpServerConfigRecord[]> => {
        const rows = await db.mcpServerConfig.findMany({
          where: { enabled: true, OR: [{ availability: 'force_on' }, { id: { in: [...args.ids] } }] },
          orderBy: [{ displayName: 'asc' }, { id: 'asc' }],
          omit: WITHOUT_SECRETS,
        });
        return rows.map(toRecord);
      },
    ),

    /** Every config that the viewer may see, sorted by display name. */
    listVisible: guarded('mcpServerConfig.list', async (_args: Record<never, never>, viewer) => {
      const rows = await db.mcpServerConfig.findMany({
        where: visibleTo(viewer),
        orderBy: [{ displayName: 'asc' }, { id: 'asc' }],
        omit: WITHOUT_SECRETS,
      });
      return rows.map(toRecord);
    }),

    /** The enabled configs that a new chat gets by default. Locked, so that none can be deleted meanwhile. */
    holdDefaultOn: guarded('mcpServerConfig.list', async (): Promise<string[]> => {
      const rows = await db.$queryRaw<{ id: string }[]>`
        SELECT id::text FROM mcp_server_configs WHERE enabled AND availability = 'default_on'
        ORDER BY display_name, id FOR KEY SHARE`;
      return rows.map(({ id }) => id);
    }),

    /** The given ids that are enabled and visible to the viewer. Locked, so that none can be deleted meanwhile. */
    holdChoosable: guarded('mcpServerConfig.list', async (args: { ids: readonly string[] }): Promise<Set<string>> => {
      const rows = await db.$queryRaw<{ id: string }[]>`
        SELECT id::text FROM mcp_server_configs WHERE enabled AND id = ANY(${[...args.ids]}::uuid[])
        ORDER BY id FOR KEY SHARE`;
      return new Set(rows.map(({ id }) => id));
    }),

    /** The only access to secrets. For the gateway itself, when it calls a server. */
    findSecrets: guarded(
      'mcpServerConfig.openSecrets',
      (args: { id: string }): Promise<ConfigSecrets | null> =>
        db.mcpServerConfig.findUnique({
          where: { id: args.id },
          select: { id: true, version: true, oauth2ClientSecret: true, apiKeyValue: true, customHeaders: true },
        }),
    ),

    /**
     * The origins that the stored secrets were sealed for. Absent are secrets that are not stored, do not open, or have
     * none because they are old. Reveals no secret.
     */
    readSecretOrigins: guarded('mcpServerConfig.openSecrets', async (args: { id: string }): Promise<SecretOrigins> => {
      const row = await db.mcpServerConfig.findUnique({ where: { id: args.id }, select: BOUND_SELECT });
      const origins = Object.keys(DESTINATIONS_OF_SECRET).map((secret) => {
        return [secret, row?.[secret as ConfigSecret]?.readOrigins() ?? undefined];
      });
      return Object.fromEntries(origins) as SecretOrigins;
    }),

    /** Reads a config and locks its row until the transaction ends. */
    lock: guarded('mcpServerConfig.update', async (args: { id: string }, viewer) => {
      await db.$queryRaw`SELECT id FROM mcp_server_configs WHERE id = ${args.id}::uuid FOR UPDATE`;
      return find({ id: args.id }, viewer);
    }),

    create: guarded(
      'mcpServerConfig.create',
      async (args: { id: string; columns: ConfigColumns; createdById: string | null }) =>
        toRecord(
          await db.mcpServerConfig.create({
            data: {
              ...args.columns,
              ...sealNewSecrets(args.columns, args.columns),
              id: args.id,
              createdById: args.createdById,
              updatedById: args.createdById,
            },
            omit: WITHOUT_SECRETS,
          }),
        ),
    ),

    /**
     * Writes the changed columns and increments the version. Secrets that stay are sealed for the new URLs. Lock the row
     * first.
     */
    update: guarded(
      'mcpServerConfig.update',
      async ({
        id,
        columns,
        updatedById,
      }: {
        id: string;
        columns: Partial<ConfigColumns>;
        updatedById: string | null;
      }) => {
        const touchesSecrets = BOUND_FIELDS.some((field) => columns[field] !== undefined);
        const before = touchesSecrets
          ? await db.mcpServerConfig.findUniqueOrThrow({ where: { id }, select: BOUND_SELECT })
          : null;
        const secrets = before === null ? {} : sealChangedSecrets(columns, before, { ...before, ...columns });
        return toRecord(
          await db.mcpServerConfig.update({
            where: { id },
            data: { ...columns, ...secrets, updatedById, version: { increment: 1 } },
            omit: WITHOUT_SECRETS,
          }),
        );
      },
    ),

    /** @returns whether the config existed */
    delete: guarded('mcpServerConfig.delete', async (args: { id: string }) => {
      const { count } = await db.mcpServerConfig.deleteMany({ where: { id: args.id } });
      return count > 0;
    }),
  };
}

function visibleTo(viewer: Viewer): Prisma.McpServerConfigWhereInput {
  return can(viewer, 'mcpServerConfig.read', { enabled: false }) ? {} : { enabled: true };
}

function toWhere(filter: ConfigFilter = {}): Prisma.McpServerConfigWhereInput {
  const { enabled, authType, availability, search } = filter;
  return {
    ...(enabled !== undefined && { enabled }),
    ...(authType !== undefined && { authType }),
    ...(availability !== undefined && { availability }),
    ...(search !== undefined && toSearch(search)),
  };
}

function toSearch(search: string): Prisma.McpServerConfigWhereInput {
  // Prisma passes the text to LIKE as a pattern.
  const contains = search.replace(/[\\%_]/g, '\\$&');
  return {
    OR: [{ displayName: { contains, mode: 'insensitive' } }, { slug: { contains, mode: 'insensitive' } }],
  };
}

function isAfter({ after, order = 'name_asc' }: ConfigPageArgs): Prisma.McpServerConfigWhereInput {
  if (after === undefined) return {};
  const { key, id } = toPlace(after);
  const { field, isDescending } = CONFIG_SORTS[order];
  const beyond = isDescending ? 'lt' : 'gt';
  return { [field]: { [`${beyond}e`]: key }, OR: [{ [field]: { [beyond]: key } }, { id: { [beyond]: id } }] };
}

/** A row without its sealed values. */
export type ConfigRow = Prisma.McpServerConfigGetPayload<{ omit: typeof WITHOUT_SECRETS }>;

/** Converts a row to the record that the gateway passes around. */
export function toRecord(row: ConfigRow): McpServerConfigRecord {
  const { oauth2ClientSecretKeyId, apiKeyValueKeyId, customHeadersKeyId, ...plain } = row;
  const { transport, authType, availability, oauth2ResourceMode, oauth2CallbackMode, toolApproval, ...others } = plain;
  const { exposeResources, exposePrompts, ...rest } = others;
  const digests = [oauth2ClientSecretKeyId, apiKeyValueKeyId, customHeadersKeyId].filter((digest) => digest !== null);
  return {
    ...rest,
    // The CHECK constraints allow only these values.
    transport: transport as McpTransport,
    authType: authType as McpAuthType,
    availability: availability as McpAvailability,
    oauth2ResourceMode: oauth2ResourceMode as OAuthResourceMode,
    oauth2CallbackMode: oauth2CallbackMode as OAuthCallbackMode,
    // Changes that were recorded before there were approvals, or other things to expose than tools, lack these.
    toolApproval: (toolApproval ?? 'auto') as McpToolApproval,
    exposeResources: exposeResources ?? false,
    exposePrompts: exposePrompts ?? false,
    hasOAuth2Secret: oauth2ClientSecretKeyId !== null,
    hasApiKey: apiKeyValueKeyId !== null,
    hasCustomHeaders: customHeadersKeyId !== null,
    secretKeyDigests: [...new Set(digests)],
  };
}
