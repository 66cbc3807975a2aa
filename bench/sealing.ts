import { randomBytes, randomUUID } from 'node:crypto';
import path from 'node:path';
import { openEnvelope, type SealedPlace, sealEnvelope } from '../src/crypto/envelope.ts';
import { Keyring } from '../src/crypto/keyring.ts';
import { MasterKey } from '../src/crypto/master-key.ts';
import type { Database } from '../src/data/database/database.ts';
import { openEmbeddedDatabase } from '../src/data/database/embedded-database.ts';
import { createPrisma, type GatehousePrisma } from '../src/data/database/prisma.ts';
import { openServerDatabase } from '../src/data/database/server-database.ts';
import { registerKeys } from '../src/data/keys/key-registry.ts';
import { rotateValues } from '../src/data/keys/key-rotation.ts';
import { applyMigrations } from '../src/data/migrations/migrations.ts';
import { sealFor } from '../src/data/sealing/seal-for.ts';
import { SEALING_KEY } from '../src/data/sealing/seal-row.ts';
import { type BenchDatabase, openBenchDatabase } from './bench-database.ts';

const CRYPTO_MS = 1_000;
/** The length of an API key or a short token. */
const VALUE_BYTES = 64;
const VALUES_PER_CONFIG = 5;
const CONFIGS = 2_000;
const ORIGINS = ['https://mcp.example.com'];

/** Measures encryption alone on one core, and a rotation of 10,000 values end to end. @returns lines to print */
export async function measureSealing(): Promise<string> {
  const seal = measureCrypto((key, place, text) => sealEnvelope(key, { text, origins: ORIGINS }, place));
  const sealed = new Map<MasterKey, string>();
  const open = measureCrypto((key, place, text) => {
    const envelope = sealed.get(key) ?? sealEnvelope(key, { text, origins: ORIGINS }, place);
    sealed.set(key, envelope);
    openEnvelope(key, envelope, place);
  });
  const bench = await openBenchDatabase();
  try {
    const { valuesPerSecond, total } = await measureRotation(bench);
    return [
      `Sealing, values of ${VALUE_BYTES} bytes, one core: ${format(seal)} sealed/s, ${format(open)} opened/s`,
      `Rotation end to end, ${format(total)} values, ${bench.label}: ${format(valuesPerSecond)} values/s`,
    ].join('\n');
  } finally {
    await bench.remove();
  }
}

/** How often `work` runs per second. */
function measureCrypto(work: (key: MasterKey, place: SealedPlace, text: string) => void): number {
  const key = new MasterKey(randomBytes(32));
  const text = randomBytes(VALUE_BYTES / 2).toString('hex');
  const place = { table: 'mcp_server_configs', column: 'api_key_value', rowId: randomUUID(), ownerId: undefined };
  const run = (durationMs: number): number => {
    const start = performance.now();
    let count = 0;
    for (; performance.now() - start < durationMs; count += 1) work(key, place, text);
    return (count * 1_000) / (performance.now() - start);
  };
  run(CRYPTO_MS / 5);
  return run(CRYPTO_MS);
}

async function measureRotation({ url, folder }: BenchDatabase) {
  const database: Database =
    url === undefined
      ? await openEmbeddedDatabase(path.join(folder, 'sealing'))
      : await openServerDatabase(url, { poolSize: 2 });
  try {
    await applyMigrations(database);
    const [former, next] = [new MasterKey(randomBytes(32)), new MasterKey(randomBytes(32))];
    const keyring = new Keyring([former, next]);
    const prisma = createPrisma(database, keyring);
    await registerKeys(prisma, keyring);
    await createSecrets(prisma);
    keyring.promote(next.digest);
    const start = performance.now();
    const { resealed, remaining, failures } = await rotateValues(prisma, keyring);
    const seconds = (performance.now() - start) / 1_000;
    await prisma.$disconnect();
    const total = CONFIGS * VALUES_PER_CONFIG;
    if (resealed !== total || remaining > 0 || failures.length > 0) throw new Error('the rotation was not complete');
    return { valuesPerSecond: total / seconds, total };
  } finally {
    await database.close();
  }
}

/** Creates configs with three secrets each, and two tokens of one user for each. */
async function createSecrets(prisma: GatehousePrisma): Promise<void> {
  const seal = () => sealFor(randomBytes(VALUE_BYTES / 2).toString('hex'), ORIGINS);
  const user = await prisma.user.create({ data: { email: 'bench@example.com' } });
  const configs = Array.from({ length: CONFIGS }, (_, index) => ({
    id: randomUUID(),
    slug: `bench-${index}`,
    displayName: `Bench ${index}`,
    url: 'https://mcp.example.com/',
    oauth2ClientSecret: seal(),
    apiKeyValue: seal(),
    customHeaders: seal(),
  }));
  await prisma.mcpServerConfig.createMany({ data: configs });
  await prisma.mcpServerUserToken.createMany({
    data: configs.map(({ id }) => ({
      userId: user.id,
      mcpServerConfigId: id,
      accessToken: seal(),
      accessTokenKeyId: SEALING_KEY,
      refreshToken: seal(),
    })),
  });
}

function format(rate: number): string {
  return Math.round(rate).toLocaleString('en');
}
