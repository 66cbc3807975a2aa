import { randomBytes } from 'node:crypto';
import type { Secret } from '../../crypto/secret.ts';
import type { PrismaStore } from '../database/prisma.ts';
import { SEALING_KEY } from '../sealing/seal-row.ts';
import type { SealedValue } from '../sealing/sealed-value.ts';
import { guarded } from './guarded.ts';

/** A connection in the making, taken from the database. */
export interface OAuthFlowRecord {
  id: string;
  configId: string;
  userId: string;
  browserHash: string;
  issuer: string;
  isIssRequired: boolean;
  /** Where the code may be traded, and by which client. */
  tokenUrl: string;
  clientId: string;
  codeVerifier: SealedValue;
  scopes: string[];
  expiresAt: Date;
}

/** A new one. */
export interface NewOAuthFlow {
  configId: string;
  userId: string;
  stateHash: string;
  browserHash: string;
  issuer: string;
  isIssRequired: boolean;
  tokenUrl: string;
  clientId: string;
  codeVerifier: Secret;
  scopes: readonly string[];
  createdAt: Date;
  expiresAt: Date;
}

/** Connections in the making. */
export function createOAuthFlowRepository(db: PrismaStore) {
  return {
    /** Also sweeps what expired and what the user has beyond `maxOpen`, oldest first. Call it in a transaction. */
    create: guarded(
      'mcpServerConnection.connect',
      async ({ flow, maxOpen }: { flow: NewOAuthFlow; maxOpen: number }) => {
        const { configId: mcpServerConfigId, codeVerifier, scopes, ...columns } = flow;
        await db.mcpOAuthFlow.deleteMany({ where: { expiresAt: { lt: flow.createdAt } } });
        const surplus = await db.mcpOAuthFlow.findMany({
          where: { userId: flow.userId },
          orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
          skip: maxOpen - 1,
          select: { id: true },
        });
        await db.mcpOAuthFlow.deleteMany({ where: { id: { in: surplus.map(({ id }) => id) } } });
        await db.mcpOAuthFlow.create({
          data: {
            ...columns,
            mcpServerConfigId,
            scopes: [...scopes],
            codeVerifier: codeVerifier.expose(),
            codeVerifierKeyId: SEALING_KEY,
          },
        });
      },
      ({ flow }) => ({ ownerId: flow.userId }),
    ),

    /** Takes a flow, so that nobody gets it again: of several who try at once, one does. */
    take: guarded(
      'mcpServerConnection.useTokens',
      async (args: { stateHash: string }): Promise<OAuthFlowRecord | null> => {
        const row = await db.mcpOAuthFlow.findUnique({ where: { stateHash: args.stateHash } });
        if (row === null) return null;
        // Under another name, which nobody knows: who ends the connection meanwhile takes the row away.
        const { count } = await db.mcpOAuthFlow.updateMany({
          where: { id: row.id, stateHash: args.stateHash },
          data: { stateHash: randomBytes(32).toString('hex') },
        });
        if (count === 0) return null;
        const { mcpServerConfigId: configId, codeVerifier, ...rest } = row;
        return { ...rest, configId, codeVerifier };
      },
    ),

    /** Removes a taken flow. @returns false when the connection was ended since it was taken */
    remove: guarded('mcpServerConnection.useTokens', async (args: { id: string }) => {
      const { count } = await db.mcpOAuthFlow.deleteMany({ where: { id: args.id } });
      return count === 1;
    }),
  };
}
