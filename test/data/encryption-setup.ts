import { randomBytes, randomUUID } from 'node:crypto';
import type { SealedPlace } from '../../src/crypto/envelope.ts';
import { Keyring } from '../../src/crypto/keyring.ts';
import { MasterKey } from '../../src/crypto/master-key.ts';
import type { OpenFailure } from '../../src/crypto/open-error.ts';
import type { Database } from '../../src/data/database.ts';
import { SEALING_KEY } from '../../src/data/encryption-row.ts';
import { registerKeys } from '../../src/data/key-registry.ts';
import { createPrisma, type GatehousePrisma } from '../../src/data/prisma.ts';
import { openTestDatabase } from '../setup/database.ts';

export function newMasterKey(): MasterKey {
  return new MasterKey(randomBytes(32));
}

/** A database with registered keys, and a record of every value that was opened. */
export interface SealedDatabase {
  database: Database;
  keyring: Keyring;
  prisma: GatehousePrisma;
  opened: SealedPlace[];
  failures: { place: SealedPlace; reason: OpenFailure }[];
  close(): Promise<void>;
}

export async function openSealedDatabase(): Promise<SealedDatabase> {
  const database = await openTestDatabase();
  const keyring = new Keyring([newMasterKey()]);
  const opened: SealedPlace[] = [];
  const failures: { place: SealedPlace; reason: OpenFailure }[] = [];
  const prisma = createPrisma(database, keyring, {
    onOpen: (place) => opened.push(place),
    onOpenFailure: (place, reason) => failures.push({ place, reason }),
  });
  await registerKeys(prisma, keyring);
  const close = async () => {
    await prisma.$disconnect();
    await database.close();
  };
  return { database, keyring, prisma, opened, failures, close };
}

/** Columns of a config that nothing else has. */
export function configColumns() {
  const slug = `s-${randomBytes(8).toString('hex')}`;
  return { slug, displayName: slug, url: 'https://mcp.example.com/' };
}

export function createUser(prisma: GatehousePrisma) {
  return prisma.user.create({ data: { id: randomUUID(), email: `${randomUUID()}@example.com` } });
}

/** Columns of a user's token; the caller names user and config. */
export function tokenColumns(accessToken: string, refreshToken?: string) {
  return { accessToken, accessTokenKeyId: SEALING_KEY, ...(refreshToken !== undefined && { refreshToken }) };
}

/** What is really stored in a column of a row. */
export async function readStored(database: Database, table: string, column: string, id: string): Promise<unknown> {
  const [row] = await database.query(`SELECT "${column}" AS stored FROM "${table}" WHERE id = $1::uuid`, [id]);
  return row?.['stored'];
}
