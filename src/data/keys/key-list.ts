import type { Keyring } from '../../crypto/keyring.ts';
import type { PrismaStore } from '../database/prisma.ts';
import type { EncryptionKey } from '../generated/client.ts';
import { countKeyUses } from './key-usage.ts';
import { type KeyUse, sumUses } from './key-use.ts';

/** `active` seals new values. `decrypt_only` opens the values it sealed. `revoked` is never used again. */
export type KeyStatus = 'active' | 'decrypt_only' | 'revoked';

/** A master key as the registry knows it. */
export interface KeyRecord {
  number: number;
  /** The digest that identifies the key, in lower-case hexadecimal. */
  digest: string;
  status: KeyStatus;
  /** Whether this process has the key. */
  isConfigured: boolean;
  /** How many values the key currently seals, and in which columns. */
  sealedValueCount: number;
  uses: readonly KeyUse[];
  createdAt: Date;
  revokedAt: Date | null;
}

/** Lists all keys ever registered, oldest first, with their status in this process. */
export async function listKeys(store: PrismaStore, keyring: Keyring): Promise<KeyRecord[]> {
  const usesByDigest = await countKeyUses(store);
  const rows = await store.encryptionKey.findMany({ orderBy: { number: 'asc' } });
  return rows.map((row) => {
    const { number, createdAt, revokedAt } = row;
    const digest = row.activeDigest ?? row.revokedDigest ?? '';
    const uses = usesByDigest.get(digest) ?? [];
    const isConfigured = keyring.find(digest) !== undefined;
    const status = toStatus(row, keyring);
    return { number, digest, status, isConfigured, sealedValueCount: sumUses(uses), uses, createdAt, revokedAt };
  });
}

function toStatus({ activeDigest }: EncryptionKey, keyring: Keyring): KeyStatus {
  if (activeDigest === null) return 'revoked';
  return activeDigest === keyring.active.digest ? 'active' : 'decrypt_only';
}
