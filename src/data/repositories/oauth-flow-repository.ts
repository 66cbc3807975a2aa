import { randomBytes } from 'node:crypto';
import type { Secret } from '../../crypto/secret.ts';
import type { PrismaStore } from '../database/prisma.ts';
import { sealFor } from '../sealing/seal-for.ts';
import { SEALING_KEY } from '../sealing/seal-row.ts';
import type { SealedValue } from '../sealing/sealed-value.ts';
import { guarded } from './guarded.ts';

/** A sign-in flow, taken from the database. */
export interface OAuthFlowRecord {
  id: string;
  configId: string;
  userId: string;
  browserHash: string;
  issuer: string;
  isIssRequired: boolean;
  /** Where the code may be exchanged, and by which client. */
  tokenUrl: string;
  clientId: string;
  codeVerifier: SealedValue;
  scopes: string[];
  expiresAt: Date;
}

/** A new flow. */
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

/** Sign-in flows in progress. */
export function createOAuthFlowRepository(db: PrismaStore) {
  return {
    /**
     * Creates a flow. Also removes expired flows, and the user's oldest flows beyond `maxOpen`. Call it in a
     * transaction.
     */
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
            codeVerifier: sealFor(codeVerifier.expose(), [flow.tokenUrl]),
            codeVerifierKeyId: SEALING_KEY,
          },
        });
      },
      ({ flow }) => ({ ownerId: flow.userId }),
    ),

    /** Takes a flow so that it cannot be used again. Only one of several concurrent attempts succeeds. */
    take: guarded(
      'mcpServerConnection.useTokens',
      async (args: { stateHash: string }): Promise<OAuthFlowRecord | null> => {
        const row = await db.mcpOAuthFlow.findUnique({ where: { stateHash: args.stateHash } });
        if (row === null) return null;
        // Rename the row to a hash that nobody knows. It stays, so that ending the connection meanwhile can delete it.
        const { count } = await db.mcpOAuthFlow.updateMany({
          where: { id: row.id, stateHash: args.stateHash },
          data: { stateHash: randomBytes(32).toString('hex') },
        });
        if (count === 0) return null;
        const { mcpServerConfigId: configId, codeVerifier, ...rest } = row;
        return { ...rest, configId, codeVerifier };
      },
    ),

    /** Removes a taken flow. @returns false when the connection was ended after the flow was taken */
    remove: guarded('mcpServerConnection.useTokens', async (args: { id: string }) => {
      const { count } = await db.mcpOAuthFlow.deleteMany({ where: { id: args.id } });
      return count === 1;
    }),
  };
}
