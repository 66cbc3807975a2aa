import { randomBytes, randomUUID } from 'node:crypto';
import type { SealedPlace } from '../../src/crypto/envelope.ts';
import { Keyring } from '../../src/crypto/keyring.ts';
import { MasterKey } from '../../src/crypto/master-key.ts';
import type { OpenFailure } from '../../src/crypto/open-error.ts';
import type { Database } from '../../src/data/database/database.ts';
import { createPrisma, type GatehousePrisma } from '../../src/data/database/prisma.ts';
import { registerKeys } from '../../src/data/keys/key-registry.ts';
import { SEALING_KEY } from '../../src/data/sealing/seal-row.ts';
import { listSealedColumns } from '../../src/data/sealing/sealed-columns.ts';
import { openTestDatabase } from '../setup/database.ts';
import { SERVER_URL, sealText } from '../setup/sealed-text.ts';

export function newMasterKey(): MasterKey {
  return new MasterKey(randomBytes(32));
}

/** A database with registered keys, and a record of every decrypted value. */
export interface SealedDatabase {
  database: Database;
  keyring: Keyring;
  prisma: GatehousePrisma;
  opened: SealedPlace[];
  failures: { place: SealedPlace; reason: OpenFailure }[];
  /** Resets to the state after opening: no rows, one new key. Faster than another embedded database. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export async function openSealedDatabase(): Promise<SealedDatabase> {
  const database = await openTestDatabase();
  const keyring = new Keyring([newMasterKey()]);
  const register = () => registerKeys(prisma, keyring);
  const opened: SealedPlace[] = [];
  const failures: { place: SealedPlace; reason: OpenFailure }[] = [];
  const prisma = createPrisma(database, keyring, {
    onOpen: (place) => opened.push(place),
    onOpenFailure: (place, reason) => failures.push({ place, reason }),
  });
  await register();
  const reset = async () => {
    await removeRows(database);
    const fresh = newMasterKey();
    keyring.add(fresh);
    keyring.promote(fresh.digest);
    for (const { digest } of keyring.keys) if (digest !== fresh.digest) keyring.remove(digest);
    await register();
  };
  const close = async () => {
    await prisma.$disconnect();
    await database.close();
  };
  return { database, keyring, prisma, opened, failures, reset, close };
}

/** Empties every table that refers to users or keys. */
export async function removeRows(database: Database): Promise<void> {
  await database.query('TRUNCATE users, mcp_server_configs, encryption_keys CASCADE');
}

/** Columns of a config with unique values. */
export function configColumns() {
  const slug = `s-${randomBytes(8).toString('hex')}`;
  return { slug, displayName: slug, url: SERVER_URL };
}

export function createUser(prisma: GatehousePrisma) {
  return prisma.user.create({ data: { id: randomUUID(), email: `${randomUUID()}@example.com` } });
}

/** Columns of a user's token; the caller names user and config. */
export function tokenColumns(accessToken: string, refreshToken?: string) {
  return {
    accessToken: sealText(accessToken),
    accessTokenKeyId: SEALING_KEY,
    ...(refreshToken !== undefined && { refreshToken: sealText(refreshToken) }),
  };
}

/** A pending connection of a user to a server. */
export function createFlow(prisma: GatehousePrisma, mcpServerConfigId: string, userId: string) {
  const hash = () => randomBytes(32).toString('hex');
  return prisma.mcpOAuthFlow.create({
    data: {
      mcpServerConfigId,
      userId,
      stateHash: hash(),
      browserHash: hash(),
      issuer: '',
      isIssRequired: false,
      tokenUrl: 'https://login.example.com/token',
      clientId: 'client',
      codeVerifier: sealText('verifier', 'https://login.example.com/token'),
      codeVerifierKeyId: SEALING_KEY,
      expiresAt: new Date(),
    },
  });
}

export function createFormerClient(prisma: GatehousePrisma, mcpServerConfigId: string) {
  const data = {
    mcpServerConfigId,
    clientId: 'client',
    clientSecret: sealText('secret'),
    clientAuthMethod: 'client_secret_post',
  };
  return prisma.mcpServerFormerClient.create({ data });
}

/** The stored text of a column. */
export async function readStored(database: Database, table: string, column: string, id: string): Promise<unknown> {
  const [row] = await database.query(`SELECT "${column}" AS stored FROM "${table}" WHERE id = $1::uuid`, [id]);
  return row?.['stored'];
}

/** The three secrets of a config, decrypted; null where there is none. */
export async function readConfigSecrets(prisma: GatehousePrisma, id: string): Promise<(string | null)[]> {
  const row = await prisma.mcpServerConfig.findUniqueOrThrow({ where: { id } });
  const { oauth2ClientSecret, apiKeyValue, customHeaders } = row;
  return [oauth2ClientSecret, apiKeyValue, customHeaders].map((value) => value?.openFor(SERVER_URL).expose() ?? null);
}

/** Whether a text occurs anywhere in the tables with encrypted columns. */
export async function isStored(database: Database, text: string): Promise<boolean> {
  for (const { model } of listSealedColumns()) {
    const rows = await database.query(`SELECT 1 FROM "${model.table}" t WHERE strpos(t::text, $1) > 0`, [text]);
    if (rows.length > 0) return true;
  }
  return false;
}
