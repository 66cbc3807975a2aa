import type { Keyring } from '../../crypto/keyring.ts';
import { Secret } from '../../crypto/secret.ts';
import type { PrismaStore } from '../database/prisma.ts';
import { listSealedColumns } from '../sealing/sealed-columns.ts';
import { tryOpen, type UnopenedValue, walkSealedRows } from '../sealing/sealed-rows.ts';
import { findCanaryFailure } from './key-registry.ts';
import { countKeyUses } from './key-usage.ts';
import { sumUses } from './key-use.ts';

/** Rows read and opened per batch. */
const BATCH_SIZE = 500;

/** The result of a verification. */
export interface VerificationReport {
  /** Values that were tried, including canaries. */
  checked: number;
  failures: UnopenedValue[];
}

/**
 * Tries to open every sealed value, and the canary of every key this process has. Canaries of missing keys are skipped;
 * values sealed with a missing key are reported with `unknown_key`.
 *
 * @param options.onProgress called after each batch with the number of values tried and the total at the start
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
