import { randomInt } from 'node:crypto';
import { expect } from 'vitest';
import { Keyring } from '../../src/crypto/keyring.ts';
import { generateMasterKey } from '../../src/crypto/master-key.ts';
import { parseMasterKeys } from '../../src/crypto/parse-master-keys.ts';
import type { Database } from '../../src/data/database/database.ts';
import { createPrisma, type GatehousePrisma } from '../../src/data/database/prisma.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { registerKeys } from '../../src/data/keys/key-registry.ts';
import { applyMigrations } from '../../src/data/migrations/migrations.ts';
import { createSecrets, readAllSecrets } from '../data/key-rotation-setup.ts';
import { createOwnDatabase } from '../setup/own-database.ts';
import { makeFolder, type RunningCommand, startCommand } from '../setup/process.ts';
import { sealText } from '../setup/sealed-text.ts';

/** Values per config: three of its own, two of a user's token. */
const VALUES_PER_CONFIG = 5;
const WRITERS = 8;

/**
 * Runs the real rotation command and kills it repeatedly at random points while writers continue, then lets it finish.
 * Checks that every value is what was last written, and that the old key can be revoked.
 *
 * @param options.kills how often
 */
export async function rotateUnderKills(
  serverUrl: string,
  { values, kills }: { values: number; kills: number },
): Promise<void> {
  const own = await createOwnDatabase(serverUrl);
  const { folder, remove } = await makeFolder();
  const database = await openServerDatabase(own.url, { poolSize: WRITERS + 2 });
  const started: RunningCommand[] = [];
  try {
    await applyMigrations(database);
    const [formerText, newText] = [generateMasterKey(), generateMasterKey()];
    const { keys } = parseMasterKeys(`${formerText},${newText}`);
    const keyring = new Keyring(keys);
    const prisma = createPrisma(database, keyring);
    await registerKeys(prisma, keyring);
    const configs = await createSecrets(prisma, values / VALUES_PER_CONFIG);
    const expected = await readAllSecrets(prisma);
    const [former, next] = keys;
    if (former === undefined || next === undefined) throw new Error('there are two keys');
    keyring.promote(next.digest);

    const run = (...args: string[]) => {
      const env = { DATABASE_URL: own.url, GATEHOUSE_ENCRYPTION_KEYS: `${newText},${formerText}` };
      const command = startCommand(['keys', ...args], { cwd: folder, env });
      started.push(command);
      return command;
    };
    const writers = startWriters(prisma, configs, expected);
    const points: number[] = [];
    try {
      for (let kill = 0; kill < kills; kill += 1) {
        const left = await countSealedWith(database, former.digest);
        // On a slow machine, it goes on for a while before it is killed.
        if (left < values / 10) break;
        // In the upper quarter, so that something is left for the next run.
        const point = randomInt(Math.floor((left * 3) / 4), left);
        points.push(point);
        const rotation = run('rotate');
        await waitUntilLeft(database, former.digest, point, rotation);
        rotation.child.kill('SIGKILL');
        await rotation.exit;
      }
    } finally {
      await writers.stop();
    }
    expect(points.length).toBeGreaterThan(kills / 2);
    const last = run('rotate');
    expect(await last.exit, last.output()).toBe(0);
    const revocation = run('revoke', '1');
    expect(await revocation.exit, revocation.output()).toBe(0);
    keyring.remove(former.digest);
    expect(await readAllSecrets(prisma)).toEqual(expected);
    expect(writers.count()).toBeGreaterThan(0);
    const verification = run('verify');
    expect(await verification.exit, verification.output()).toBe(0);
    await prisma.$disconnect();
    console.log(`Killed when ${points.join(', ')} of ${values} values were left; ${writers.count()} writes meanwhile.`);
  } finally {
    for (const { child } of started) child.kill('SIGKILL');
    await database.close();
    await own.drop();
    await remove();
  }
}

/** Each writer changes its own rows, so that the last value of each is known; an error of one fails `stop`. */
function startWriters(
  prisma: GatehousePrisma,
  configs: readonly { id: string }[],
  expected: Record<string, string | undefined>,
) {
  let isStopped = false;
  let count = 0;
  const write = async (writer: number): Promise<void> => {
    const mine = configs.filter((_, index) => index % WRITERS === writer);
    for (let round = 0; !isStopped; round += 1) {
      const { id } = mine[randomInt(mine.length)] ?? { id: '' };
      const value = `writer ${writer} round ${round}`;
      await prisma.mcpServerConfig.update({
        where: { id },
        data: { apiKeyValue: sealText(value), version: { increment: 1 } },
      });
      expected[`${id} key`] = value;
      count += 1;
    }
  };
  const running = Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
  // Handled by `stop`; prevents an unhandled rejection until then.
  running.catch(() => undefined);
  return {
    count: () => count,
    async stop(): Promise<void> {
      isStopped = true;
      await running;
    },
  };
}

/** Resolves once the old key encrypts at most this many values, or the rotation is done. */
async function waitUntilLeft(database: Database, digest: string, left: number, rotation: RunningCommand) {
  let hasEnded = false;
  void rotation.exit.then(() => {
    hasEnded = true;
  });
  while (!hasEnded) {
    if ((await countSealedWith(database, digest)) <= left) return;
  }
}

async function countSealedWith(database: Database, digest: string): Promise<number> {
  const [row] = await database.query(
    `SELECT (SELECT count(*) FROM mcp_server_configs WHERE oauth2_client_secret_key_id = $1)
            + (SELECT count(*) FROM mcp_server_configs WHERE api_key_value_key_id = $1)
            + (SELECT count(*) FROM mcp_server_configs WHERE custom_headers_key_id = $1)
            + (SELECT count(*) FROM mcp_server_user_tokens WHERE access_token_key_id = $1)
            + (SELECT count(*) FROM mcp_server_user_tokens WHERE refresh_token_key_id = $1) AS count`,
    [digest],
  );
  return Number(row?.['count']);
}
