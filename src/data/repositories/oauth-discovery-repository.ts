import type { PrismaStore } from '../database/prisma.ts';
import type { Prisma } from '../generated/client.ts';
import type { OAuthDiscoveryRecord } from '../records.ts';
import { guarded } from './guarded.ts';

/** What discovery found, as it is written. */
export type OAuthDiscoveryColumns = Omit<OAuthDiscoveryRecord, 'mcpServerConfigId' | 'clientIsUnknown'>;

/** The gateway's client at an authorization server, registered anew. */
export interface RenewedClient {
  clientId: string;
  clientSecret: string | null;
  clientAuthMethod: OAuthDiscoveryRecord['clientAuthMethod'];
  clientSecretExpiresAt: Date | null;
}

/** What was found out about the authorization servers of configs whose settings were not given. */
export function createOAuthDiscoveryRepository(db: PrismaStore) {
  return {
    find: guarded(
      'mcpServerConfig.openSecrets',
      async (args: { configId: string }): Promise<OAuthDiscoveryRecord | null> => {
        const row = await db.mcpServerOAuthDiscovery.findUnique({ where: { mcpServerConfigId: args.configId } });
        return row === null ? null : toRecord(row);
      },
    ),

    /** The scopes that were discovered, by config; configs whose settings were given are left out. */
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

    /** From now on the config's settings are the admin's own. */
    remove: guarded('mcpServerConfig.update', async (args: { configId: string }) => {
      await db.mcpServerOAuthDiscovery.deleteMany({ where: { mcpServerConfigId: args.configId } });
    }),

    /** The authorization server does not know this client. */
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

    /** Takes the right to register a client anew, unless somebody has it. The database's clock decides. */
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
     * Writes the new client, in the discovery and in the config, and ends the lease. Call it in a transaction.
     *
     * @returns false when the lease is another's by now, or the config has other settings
     */
    saveClient: guarded(
      'mcpServerConfig.openSecrets',
      async (args: { configId: string; leaseId: string; client: RenewedClient }) => {
        const { configId, leaseId, client } = args;
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
        await db.mcpServerConfig.update({
          where: { id: configId },
          data: {
            oauth2ClientId: client.clientId,
            oauth2ClientSecret: client.clientSecret,
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
    // The CHECK constraints allow no other values.
    clientMode: clientMode as OAuthDiscoveryRecord['clientMode'],
    clientAuthMethod: clientAuthMethod as OAuthDiscoveryRecord['clientAuthMethod'],
  };
}
