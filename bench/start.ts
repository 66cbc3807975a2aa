import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { generateMasterKey } from '../src/crypto/master-key.ts';
import { openBenchDatabase, openEmbeddedFolder } from './bench-database.ts';
import { buildGateway, startBuilt } from './built-gateway.ts';

// The time from the start of the process until /readyz answers. `npm run bench -- start`

const ROUNDS = 5;

async function timeNode(): Promise<number> {
  const begun = performance.now();
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
  return performance.now() - begun;
}

async function timeGateway(env: Record<string, string>): Promise<number> {
  const begun = performance.now();
  const gateway = await startBuilt({ GATEHOUSE_ENCRYPTION_KEYS: KEYS, ...env });
  const ms = performance.now() - begun;
  await gateway.stop();
  return ms;
}

const KEYS = generateMasterKey();

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Measures starts on both databases, beside that of Node itself. */
export async function benchStart(): Promise<string> {
  buildGateway();
  const node = median(await inTurn(() => timeNode()));
  const rows: [string, number][] = [];
  const first = await inTurn(async () => {
    const embedded = await openEmbeddedFolder();
    try {
      return await timeGateway({ GATEHOUSE_DATA_DIR: embedded.folder });
    } finally {
      await embedded.remove();
    }
  });
  rows.push(['embedded database, first start', median(first)]);
  const embedded = await openEmbeddedFolder();
  try {
    await timeGateway({ GATEHOUSE_DATA_DIR: embedded.folder });
    const again = await inTurn(() => timeGateway({ GATEHOUSE_DATA_DIR: embedded.folder }));
    rows.push(['embedded database, opened again', median(again)]);
  } finally {
    await embedded.remove();
  }
  const database = await openBenchDatabase();
  try {
    const { url } = database;
    if (url !== undefined) {
      const env = { DATABASE_URL: url, GATEHOUSE_DATA_DIR: database.folder };
      await timeGateway(env);
      rows.push(['PostgreSQL', median(await inTurn(() => timeGateway(env)))]);
    }
  } finally {
    await database.remove();
  }
  const lines = rows.map(([name, ms]) => `| ${name} | ${Math.round(ms)} ms | ${(ms / node).toFixed(1)} × |`);
  return `Median of ${ROUNDS}; \`node -e 0\`: ${Math.round(node)} ms\n\n| | until ready | against \`node -e 0\` |\n|---|--:|--:|\n${lines.join('\n')}`;
}

async function inTurn(work: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) values.push(await work());
  return values;
}
