import type { Secret } from '../../crypto/secret.ts';
import { OUTBOUND_LIMITS } from '../../limits/outbound-limits.ts';
import type { PrismaStore } from '../database/prisma.ts';
import type { OAuthDiscoveryRecord } from '../records.ts';
import { sealFor } from '../sealing/seal-for.ts';
import type { SealedValue } from '../sealing/sealed-value.ts';
import { guarded } from './guarded.ts';

/** A client of the gateway that was replaced, with its secret still sealed. */
export interface FormerClientRecord {
  clientId: string;
  clientSecret: SealedValue | null;
  clientAuthMethod: OAuthDiscoveryRecord['clientAuthMethod'];
}

/** A client that is about to be replaced. */
export interface FormerClientValues {
  clientId: string;
  clientSecret: Secret | null;
  /** The URLs that the secret may be sent to. Empty ones count as absent. */
  urls: readonly string[];
  clientAuthMethod: OAuthDiscoveryRecord['clientAuthMethod'];
}

/** Former clients per config. The tokens of older ones have had many chances to be renewed. */
const MAX_FORMER_CLIENTS = OUTBOUND_LIMITS.formerClients.value;

/** The clients of the gateway that were replaced by newer registrations. */
export function createFormerClientRepository(db: PrismaStore) {
  return {
    list: guarded('mcpServerConfig.openSecrets', async (args: { configId: string }): Promise<FormerClientRecord[]> => {
      const rows = await db.mcpServerFormerClient.findMany({ where: { mcpServerConfigId: args.configId } });
      return rows.map((row) => ({
        clientId: row.clientId,
        clientSecret: row.clientSecret,
        // The CHECK constraint allows only these values.
        clientAuthMethod: row.clientAuthMethod as FormerClientRecord['clientAuthMethod'],
      }));
    }),

    /** Removes the former clients of a config. Call it when all connections end: nobody needs them any more. */
    remove: guarded('mcpServerConfig.update', async (args: { configId: string }) => {
      await db.mcpServerFormerClient.deleteMany({ where: { mcpServerConfigId: args.configId } });
    }),
  };
}

/**
 * Keeps a client that is about to be replaced, if users have tokens that were issued to it. Removes those that no user
 * needs any more. Call it in the transaction that replaces the client.
 */
export async function keepFormerClient(db: PrismaStore, configId: string, client: FormerClientValues): Promise<void> {
  const users = await db.mcpServerUserToken.groupBy({ by: ['clientId'], where: { mcpServerConfigId: configId } });
  const used = users.map(({ clientId }) => clientId).filter((clientId) => clientId !== client.clientId);
  const kept = await db.mcpServerFormerClient.findMany({
    where: { mcpServerConfigId: configId, clientId: { in: used } },
    orderBy: [{ replacedAt: 'desc' }, { id: 'asc' }],
    take: MAX_FORMER_CLIENTS - 1,
    select: { id: true },
  });
  const ids = kept.map(({ id }) => id);
  await db.mcpServerFormerClient.deleteMany({ where: { mcpServerConfigId: configId, id: { notIn: ids } } });
  if (!users.some(({ clientId }) => clientId === client.clientId)) return;
  await db.mcpServerFormerClient.create({
    data: {
      mcpServerConfigId: configId,
      clientId: client.clientId,
      clientSecret: client.clientSecret === null ? null : sealFor(client.clientSecret.expose(), client.urls),
      clientAuthMethod: client.clientAuthMethod,
    },
  });
}
