import { randomBytes } from 'node:crypto';
import { generateMasterKey } from '../src/crypto/master-key.ts';
import { openServerDatabase } from '../src/data/database/server-database.ts';
import { openBenchDatabase, openEmbeddedFolder } from './bench-database.ts';
import { buildGateway, readRestingMb, startBuilt } from './built-gateway.ts';
import { askForServers, fillServers } from './fill.ts';

// Resident memory at rest. `npm run bench -- memory`

const CONFIGS = 5_000;
const CONNECTIONS = 10_000;

/** Measures a gateway at rest on both databases, and with many configs and connections in its memory. */
export async function benchMemory(): Promise<string> {
  buildGateway();
  const adminToken = randomBytes(24).toString('base64url');
  const secrets = { GATEHOUSE_ADMIN_TOKEN: adminToken, GATEHOUSE_ENCRYPTION_KEYS: generateMasterKey() };
  const lines = ['| | resident memory |', '|---|--:|'];
  const measure = async (name: string, env: Record<string, string>, use?: (url: string) => Promise<unknown>) => {
    const gateway = await startBuilt({ ...secrets, ...env });
    try {
      await use?.(gateway.url);
      const mb = await readRestingMb(gateway);
      lines.push(`| ${name} | ${mb} MB |`);
    } finally {
      await gateway.stop();
    }
  };

  const embedded = await openEmbeddedFolder();
  try {
    await measure('embedded database, first start', { GATEHOUSE_DATA_DIR: embedded.folder });
    await measure('embedded database, opened again', { GATEHOUSE_DATA_DIR: embedded.folder });
  } finally {
    await embedded.remove();
  }
  const database = await openBenchDatabase();
  try {
    const { url } = database;
    if (url === undefined) return `${lines.join('\n')}\n\nThe other rows need PostgreSQL.`;
    const env = { DATABASE_URL: url, GATEHOUSE_DATA_DIR: database.folder };
    await measure('PostgreSQL', env);
    const filled = await openServerDatabase(url, { poolSize: 1 });
    try {
      await fillServers(filled, { configs: CONFIGS, connections: CONNECTIONS });
    } finally {
      await filled.close();
    }
    await measure(
      `PostgreSQL, ${CONFIGS.toLocaleString('en')} configs and ${CONNECTIONS.toLocaleString('en')} connections, after reading all`,
      env,
      (gatewayUrl) => askForServers(gatewayUrl, adminToken, CONFIGS),
    );
  } finally {
    await database.remove();
  }
  return lines.join('\n');
}
