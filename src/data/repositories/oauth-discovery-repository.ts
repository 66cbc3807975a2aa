import type { Secret } from '../../crypto/secret.ts';
import type { PrismaStore } from '../database/prisma.ts';
import type { Prisma } from '../generated/client.ts';
import type { OAuthDiscoveryRecord } from '../records.ts';
import { sealFor } from '../sealing/seal-for.ts';
import type { ConfigColumns } from './config-repository.ts';
import { BOUND_SELECT, sealChangedSecrets } from './config-secrets.ts';
import { type FormerClientValues, keepFormerClient } from './former-client-repository.ts';
import { guarded } from './guarded.ts';

/** The columns of discovered settings for writing. */
export type OAuthDiscoveryColumns = Omit<OAuthDiscoveryRecord, 'mcpServerConfigId' | 'clientIsUnknown'>;

/** A newly registered client at an authorization server. */
export interface RenewedClient {
  clientId: string;
  clientSecret: Secret | null;
  /** The URLs that the secret may be sent to. Empty ones count as absent. */
  urls: readonly string[];
  clientAuthMethod: OAuthDiscoveryRecord['clientAuthMethod'];
  clientSecretExpiresAt: Date | null;
}

/** The settings of another authorization server. */
export interface SavedMove {
  configId: string;
  leaseId: string;
  /** The version of the config that they were discovered for. */
  version: number;
  discovery: OAuthDiscoveryColumns;
  config: Partial<ConfigColumns>;
}

/** Discovered settings of authorization servers, for configs without settings of their own. */
export function createOAuthDiscoveryRepository(db: PrismaStore) {
  return {
    find: guarded(
      'mcpServerConfig.openSecrets',
      async (args: { configId: string }): Promise<OAuthDiscoveryRecord | null> => {
        const row = await db.mcpServerOAuthDiscovery.findUnique({ where: { mcpServerConfigId: args.configId } });
        return row === null ? null : toRecord(row);
      },
    ),

    /** The discovered scopes by config. Configs with their own settings are omitted. */
    listScopes: guarded('mcpServerConfig.export', async (): Promise<Map<string, string[]>> => {
      const rows = await db.mcpServerOAuthDiscovery.findMany({ select: { mcpServerConfigId: true, scopes: true } });
      return new Map(rows.map((row) => [row.mcpServerConfigId, row.scopes]));
    }),

    save: guarded(
      'mcpServerConfig.update',
      async ({ configId, columns }: { configId: string; columns: OAuthDiscoveryColumns }) => {
        const data = { ...columns, clientIsUnknown: false, registrationLeaseId: null, registrationLeaseUntil: null };
        await db.mcpServerOAuthDiscovery.upsert({
          where: { mcpServerConfigId: configId },
          create: { mcpServerConfigId: configId, ...data },
          update: data,
        });
      },
    ),

    /** Forgets the discovered settings: from now on the config's settings are the admin's own. */
    remove: guarded('mcpServerConfig.update', async (args: { configId: string }) => {
      await db.mcpServerOAuthDiscovery.deleteMany({ where: { mcpServerConfigId: args.configId } });
    }),

    /** Records that the authorization server did not accept this client. It is checked before it is replaced. */
    markClientUnknown: guarded('mcpServerConfig.openSecrets', async (args: { configId: string; clientId: string }) => {
      await db.mcpServerOAuthDiscovery.updateMany({
        where: {
          mcpServerConfigId: args.configId,
          clientMode: 'registered',
          config: { oauth2ClientId: args.clientId },
        },
        data: { clientIsUnknown: true },
      });
    }),

    /** Records that the authorization server accepts this client after all. */
    markClientKnown: guarded('mcpServerConfig.openSecrets', async (args: { configId: string; clientId: string }) => {
      await db.mcpServerOAuthDiscovery.updateMany({
        where: { mcpServerConfigId: args.configId, config: { oauth2ClientId: args.clientId } },
        data: { clientIsUnknown: false },
      });
    }),

    /** Takes the lease for registering a client, unless another process holds it. The database's clock decides. */
    takeRegistrationLease: guarded(
      'mcpServerConfig.openSecrets',
      async (args: { configId: string; leaseId: string; leaseMs: number }) => {
        const count = await db.$executeRaw`
          UPDATE mcp_server_oauth_discoveries
          SET registration_lease_id = ${args.leaseId}::uuid,
              registration_lease_until = clock_timestamp() + ${args.leaseMs}::double precision * interval '1 millisecond'
          WHERE mcp_server_config_id = ${args.configId}::uuid
            AND (registration_lease_until IS NULL OR registration_lease_until < clock_timestamp())`;
        return count === 1;
      },
    ),

    releaseRegistrationLease: guarded(
      'mcpServerConfig.openSecrets',
      async (args: { configId: string; leaseId: string }) => {
        await db.mcpServerOAuthDiscovery.updateMany({
          where: { mcpServerConfigId: args.configId, registrationLeaseId: args.leaseId },
          data: { registrationLeaseId: null, registrationLeaseUntil: null },
        });
      },
    ),

    /**
     * Replaces all discovered settings with those of another authorization server, and ends the lease. Nothing of the old
     * server is kept. Call it in a transaction.
     *
     * @returns false when another process holds the lease by now, or the config changed
     */
    saveMove: guarded('mcpServerConfig.openSecrets', async (args: SavedMove) => {
      const { configId, leaseId, version, discovery, config } = args;
      // The config first: a change by an admin locks in the same order.
      const held = await db.$queryRaw<object[]>`
        SELECT id FROM mcp_server_configs WHERE id = ${configId}::uuid AND version = ${version} FOR UPDATE`;
      if (held.length === 0) return false;
      const { count } = await db.mcpServerOAuthDiscovery.updateMany({
        where: { mcpServerConfigId: configId, registrationLeaseId: leaseId },
        data: { ...discovery, clientIsUnknown: false, registrationLeaseId: null, registrationLeaseUntil: null },
      });
      if (count === 0) return false;
      await db.mcpServerFormerClient.deleteMany({ where: { mcpServerConfigId: configId } });
      const before = await db.mcpServerConfig.findUniqueOrThrow({ where: { id: configId }, select: BOUND_SELECT });
      const secrets = sealChangedSecrets(config, before, { ...before, ...config });
      const data = { ...config, ...secrets, version: { increment: 1 } };
      await db.mcpServerConfig.update({ where: { id: configId }, data });
      return true;
    }),

    /**
     * Stores the new client in the discovered settings and in the config, and ends the lease. The former client is kept
     * as long as tokens that were issued to it are in use. Call it in a transaction.
     *
     * @returns false when another process holds the lease by now, or the config's settings changed
     */
    saveClient: guarded(
      'mcpServerConfig.openSecrets',
      async (args: { configId: string; leaseId: string; client: RenewedClient; former: FormerClientValues | null }) => {
        const { configId, leaseId, client, former } = args;
        const { count } = await db.mcpServerOAuthDiscovery.updateMany({
          where: { mcpServerConfigId: configId, registrationLeaseId: leaseId },
          data: {
            clientAuthMethod: client.clientAuthMethod,
            clientSecretExpiresAt: client.clientSecretExpiresAt,
            clientIsUnknown: false,
            registrationLeaseId: null,
            registrationLeaseUntil: null,
          },
        });
        if (count === 0) return false;
        if (former !== null) await keepFormerClient(db, configId, former);
        await db.mcpServerConfig.update({
          where: { id: configId },
          data: {
            oauth2ClientId: client.clientId,
            oauth2ClientSecret:
              client.clientSecret === null ? null : sealFor(client.clientSecret.expose(), client.urls),
            version: { increment: 1 },
          },
        });
        return true;
      },
    ),
  };
}

function toRecord(row: Prisma.McpServerOAuthDiscoveryGetPayload<object>): OAuthDiscoveryRecord {
  const { registrationLeaseId: _id, registrationLeaseUntil: _until, clientMode, clientAuthMethod, ...rest } = row;
  return {
    ...rest,
    // The CHECK constraints allow only these values.
    clientMode: clientMode as OAuthDiscoveryRecord['clientMode'],
    clientAuthMethod: clientAuthMethod as OAuthDiscoveryRecord['clientAuthMethod'],
  };
}
