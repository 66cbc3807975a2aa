import type { SealedPlace } from '../../crypto/envelope.ts';
import { sealEnvelope } from '../../crypto/envelope.ts';
import type { Keyring } from '../../crypto/keyring.ts';
import { OpenError, type OpenFailure } from '../../crypto/open-error.ts';
import type { GatehousePrisma, PrismaStore } from '../database/prisma.ts';
import type { EncryptionKey } from '../generated/client.ts';
import { openValue } from '../sealing/sealed-value.ts';
import { countKeyUses, describeUses } from './key-usage.ts';

/** What every canary says. */
const CANARY_TEXT = 'gatehouse canary';

/** The configured keys do not fit the registered ones: the gateway must not start, or is not ready. */
export class KeyRegistryError extends Error {
  override readonly name = 'KeyRegistryError';
  /** One sentence each; with numbers and digests of keys, never a key. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The encryption keys do not fit this database: ${problems.join('; ')}.`);
    this.problems = problems;
  }
}

/**
 * Registers the keys that are new to the database and checks all of them. Any number of replicas may do so at once.
 *
 * @param inTransaction what else is kept together with the registration
 * @returns the numbers of the keys that were registered now, and what an operator should know
 * @throws KeyRegistryError with all problems; then nothing is registered
 */
export async function registerKeys(
  prisma: GatehousePrisma,
  keyring: Keyring,
  inTransaction: (tx: PrismaStore) => Promise<void> = async () => undefined,
): Promise<{ registered: number[]; warnings: string[] }> {
  return prisma.$transaction(async (tx) => {
    // Excludes other starts and revocations; sealed writes, which only read this table, go on.
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
    return { number, activeDigest: key.digest, canary: sealEnvelope(key, CANARY_TEXT, toCanaryPlace(number)) };
  });
  await tx.encryptionKey.createMany({ data });
  return data.map((row) => row.number);
}

/**
 * Compares the keys of this process with the registered ones: each canary must open, no key of the keyring may be
 * revoked or unknown to the registry, and each key that seals values must be in the keyring. Readiness asks this too.
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
      if (key !== undefined) problems.push(`${toTitle(row)} is revoked: take it out of the configuration`);
    } else if (key === undefined) {
      const uses = (await countKeyUses(store)).get(row.activeDigest) ?? [];
      if (uses.length === 0) warnings.push(`${toTitle(row)} is registered but not configured; it seals nothing`);
      else problems.push(`${toTitle(row)} is not configured and still seals ${describeUses(uses)}`);
    } else if (findCanaryFailure(keyring, row) !== undefined) {
      problems.push(`${toTitle(row)} does not open its canary: the registry was changed or is of another database`);
    }
  }
  const known = new Set(rows.map(toDigest));
  for (const { digest } of keyring.keys) {
    if (!known.has(digest)) problems.push(`the key with digest ${toShort(digest)} is not registered`);
  }
  return { problems, warnings };
}

/** Why the canary of a key does not open, with the key of the keyring that has its digest; undefined when it does. */
export function findCanaryFailure(
  keyring: Keyring,
  { number, activeDigest, canary }: EncryptionKey,
): OpenFailure | undefined {
  try {
    const stored = { text: canary, keyDigest: activeDigest ?? '' };
    return openValue(keyring, stored, toCanaryPlace(number)).expose() === CANARY_TEXT ? undefined : 'tag';
  } catch (error) {
    if (error instanceof OpenError) return error.reason;
    throw error;
  }
}

function toCanaryPlace(number: number): SealedPlace {
  return { table: 'encryption_keys', column: 'canary', rowId: String(number), ownerId: undefined };
}

/** A CHECK in the database lets exactly one of the two be there. */
function toDigest({ activeDigest, revokedDigest }: EncryptionKey): string {
  return activeDigest ?? revokedDigest ?? '';
}

function toTitle(row: EncryptionKey): string {
  return `key ${row.number} (digest ${toShort(toDigest(row))})`;
}

/** Enough of a digest to tell keys apart. */
function toShort(digest: string): string {
  return `${digest.slice(0, 12)}…`;
}
