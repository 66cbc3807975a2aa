import { randomBytes } from 'node:crypto';
import { Keyring } from '../../src/crypto/keyring.ts';
import { generateMasterKey } from '../../src/crypto/master-key.ts';
import { parseMasterKeys } from '../../src/crypto/parse-master-keys.ts';
import type { Database } from '../../src/data/database/database.ts';
import { createPrisma } from '../../src/data/database/prisma.ts';
import { registerKeys } from '../../src/data/keys/key-registry.ts';
import { makeTemplate } from './database.ts';
import type { People } from './people.ts';

/** What a test gateway starts with. */
export interface GatewayStart {
  database: Database;
  keyring: Keyring;
  /** The bootstrap token. */
  bootstrap: string;
  /** The users who are in the database already. Undefined: it has none. */
  people: People | undefined;
}

/** Starts with new keys, on a database without rows. */
export async function startEmpty(database: Database): Promise<GatewayStart> {
  const keyring = new Keyring(parseMasterKeys(generateMasterKey()).keys);
  const prisma = createPrisma(database, keyring);
  await registerKeys(prisma, keyring);
  await prisma.$disconnect();
  return { database, keyring, bootstrap: randomBytes(24).toString('base64url'), people: undefined };
}

let usual: Promise<() => Promise<GatewayStart>> | undefined;

/**
 * Starts with people, on a database of its own. Each worker makes these people once, and copies the database that they
 * are in: that takes half of the time. So gateways of one worker have the same keys, users and tokens.
 *
 * @param create creates the people through a gateway, and closes it
 */
export async function startWithPeople(create: (start: GatewayStart) => Promise<People>): Promise<GatewayStart> {
  usual ??= makeUsual(create);
  return (await usual)();
}

async function makeUsual(create: (start: GatewayStart) => Promise<People>): Promise<() => Promise<GatewayStart>> {
  const { result, openCopy } = await makeTemplate(async (database) => {
    const start = await startEmpty(database);
    const keys = [...start.keyring.keys];
    return { people: await create(start), bootstrap: start.bootstrap, keys };
  });
  const { people, bootstrap, keys } = result;
  return async () => ({ database: await openCopy(), keyring: new Keyring(keys), bootstrap, people });
}
