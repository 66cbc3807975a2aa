import type { SealedPlace } from '../../crypto/envelope.ts';
import { sealEnvelope } from '../../crypto/envelope.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import { OpenError, type OpenFailure } from '../../crypto/open-error.ts';
import { type GatehousePrisma, type PrismaStore, runTransaction } from '../database/prisma.ts';
import type { EncryptionKey } from '../generated/client.ts';
import { readValue } from '../sealing/sealed-value.ts';
import { KeyRegistryError } from './key-registry-error.ts';
import { countKeyUses } from './key-usage.ts';
import { describeUses } from './key-use.ts';

/** The content of every canary. It is no secret and goes nowhere, so it has no origins. */
const CANARY = { text: 'gatehouse canary', origins: [] };

/**
 * Registers the keys that are new to the database and checks all keys. Replicas may do this concurrently.
 *
 * @param inTransaction further work to commit together with the registration
 * @returns the numbers of the newly registered keys, and warnings for the operator
 * @throws KeyRegistryError with all problems; then nothing is registered
 */
export async function registerKeys(
  prisma: GatehousePrisma,
  keyring: Keyring,
  inTransaction: (tx: PrismaStore) => Promise<void> = async () => undefined,
): Promise<{ registered: number[]; warnings: string[] }> {
  return runTransaction(prisma, async (tx) => {
    // Blocks concurrent starts and revocations. Writes of sealed values only read this table, so they continue.
    await tx.$executeRaw`LOCK TABLE encryption_keys IN SHARE ROW EXCLUSIVE MODE`;
    const registered = await insertMissingKeys(tx, keyring);
    const { problems, warnings } = await checkKeys(tx, keyring);
    if (problems.length > 0) throw new KeyRegistryError(problems);
    await inTransaction(tx);
    return { registered, warnings };
  });
}

async function insertMissingKeys(tx: PrismaStore, keyring: Keyring): Promise<number[]> {
  const rows = await tx.encryptionKey.findMany();
  const known = new Set(rows.map(toDigest));
  const missing = keyring.keys.filter((key) => !known.has(key.digest));
  const highest = Math.max(0, ...rows.map((row) => row.number));
  const data = missing.map((key, index) => {
    const number = highest + 1 + index;
    return { number, activeDigest: key.digest, canary: sealEnvelope(key, CANARY, toCanaryPlace(number)) };
  });
  await tx.encryptionKey.createMany({ data });
  return data.map((row) => row.number);
}

/**
 * Compares this process's keys with the registered keys. Every canary must open, no key of the keyring may be revoked
 * or unregistered, and every key that still seals values must be in the keyring. The readiness check uses this too.
 */
export async function checkKeys(
  store: PrismaStore,
  keyring: Keyring,
): Promise<{ problems: string[]; warnings: string[] }> {
  const problems: string[] = [];
  const warnings: string[] = [];
  const rows = await store.encryptionKey.findMany({ orderBy: { number: 'asc' } });
  for (const row of rows) {
    const key = keyring.find(toDigest(row));
    if (row.activeDigest === null) {
      if (key !== undefined) problems.push(`${toTitle(row)} is revoked: remove it from the configuration`);
    } else if (key === undefined) {
      const uses = (await countKeyUses(store)).get(row.activeDigest) ?? [];
      if (uses.length === 0) warnings.push(`${toTitle(row)} is registered but not configured; it seals no values`);
      else problems.push(`${toTitle(row)} is not configured and still seals ${describeUses(uses)}`);
    } else if (findCanaryFailure(keyring, row) !== undefined) {
      problems.push(
        `${toTitle(row)} does not open its canary: the registry was modified or belongs to another database`,
      );
    }
  }
  const known = new Set(rows.map(toDigest));
  for (const { digest } of keyring.keys) {
    if (!known.has(digest)) problems.push(`the key with digest ${toShort(digest)} is not registered`);
  }
  return { problems, warnings };
}

/** Why the canary of a key does not open with the keyring's key of the same digest. Undefined when it opens. */
export function findCanaryFailure(
  keyring: Keyring,
  { number, activeDigest, canary }: EncryptionKey,
): OpenFailure | undefined {
  try {
    const stored = { text: canary, keyDigest: activeDigest ?? '' };
    return readValue(keyring, stored, toCanaryPlace(number)).text === CANARY.text ? undefined : 'tag';
  } catch (error) {
    if (error instanceof OpenError) return error.reason;
    throw error;
  }
}

function toCanaryPlace(number: number): SealedPlace {
  return { table: 'encryption_keys', column: 'canary', rowId: String(number), ownerId: undefined };
}

/** A CHECK constraint ensures that exactly one of the two is set. */
function toDigest({ activeDigest, revokedDigest }: EncryptionKey): string {
  return activeDigest ?? revokedDigest ?? '';
}

function toTitle(row: EncryptionKey): string {
  return `key ${row.number} (digest ${toShort(toDigest(row))})`;
}

/** Shortens a digest. The result is long enough to tell keys apart. */
function toShort(digest: string): string {
  return `${digest.slice(0, 12)}…`;
}
