import type { Keyring } from '../../crypto/keyring.ts';
import { Secret } from '../../crypto/secret.ts';
import type { PrismaStore } from '../database/prisma.ts';
import { listSealedColumns } from '../sealing/sealed-columns.ts';
import { tryOpen, type UnopenedValue, walkSealedRows } from '../sealing/sealed-rows.ts';
import { findCanaryFailure } from './key-registry.ts';
import { countKeyUses, sumUses } from './key-usage.ts';

/** Rows that are read and opened in one go. */
const BATCH_SIZE = 500;

/** What a verification found. */
export interface VerificationReport {
  /** Values that were opened or tried, canaries included. */
  checked: number;
  failures: UnopenedValue[];
}

/**
 * Opens every sealed value and the canary of every key that this process has. Canaries of keys that it does not have
 * say nothing; values sealed with such a key fail themselves, with `unknown_key`.
 *
 * @param options.onProgress after each batch: values opened or tried, of how many that there were at the start
 */
export async function verifyValues(
  store: PrismaStore,
  keyring: Keyring,
  options: { onProgress?: ((done: number, total: number) => void) | undefined } = {},
): Promise<VerificationReport> {
  const failures: UnopenedValue[] = [];
  const keys = await store.encryptionKey.findMany({ orderBy: { number: 'asc' } });
  const configured = keys.filter(({ activeDigest }) => activeDigest !== null && keyring.find(activeDigest));
  for (const key of configured) {
    const reason = findCanaryFailure(keyring, key);
    if (reason === undefined) continue;
    failures.push({ table: 'encryption_keys', column: 'canary', id: String(key.number), reason });
  }
  const total =
    configured.length + [...(await countKeyUses(store)).values()].reduce((sum, use) => sum + sumUses(use), 0);
  let checked = configured.length;
  for (const place of listSealedColumns()) {
    for await (const rows of walkSealedRows(store, place, { batchSize: BATCH_SIZE })) {
      for (const row of rows) {
        const opened = tryOpen(keyring, row);
        if (!(opened instanceof Secret)) failures.push(opened);
      }
      checked += rows.length;
      options.onProgress?.(Math.min(checked, total), total);
    }
  }
  return { checked, failures };
}
