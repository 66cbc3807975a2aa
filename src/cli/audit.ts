import { readConfig } from '../config.ts';
import type { Database } from '../data/database/database.ts';
import { FolderInUseError } from '../data/database/folder-lock.ts';
import { createPrisma } from '../data/database/prisma.ts';
import { isUpToDate } from '../data/migrations/migrations.ts';
import { createStore } from '../data/store.ts';
import { createAuditLog } from '../domain/audit/audit-log.ts';
import { SYSTEM } from '../policy/viewer.ts';
import { requestGateway } from './admin-client.ts';
import { CommandError } from './failure.ts';
import { openConfiguredDatabase } from './open-database.ts';
import { openConfiguredKeys } from './open-keys.ts';

/** The result of a verification, run in this process or by the gateway. */
interface VerificationResult {
  checked: number;
  brokenAt: string | null;
  problem: string | null;
  head: string;
  headHash: string;
}

/** Verifying a long log takes a while. */
const TIMEOUT_MS = 600_000;

/** Verifies the hashes of the whole audit log. Exits with 1 if an entry was changed, removed or inserted. */
export async function verifyAuditLog(): Promise<void> {
  const result = await verify();
  if (result.brokenAt !== null) {
    const where =
      result.brokenAt === '0' ? 'The audit log is lost' : `The audit log is broken at entry ${result.brokenAt}`;
    process.stdout.write(`${where}: ${result.problem}\n`);
    process.exitCode = 1;
    return;
  }
  process.stdout.write(`${result.checked} entries verified: none was changed.\n`);
  process.stdout.write(
    `Latest entry: ${result.head}, hash ${result.headHash}. Keep a copy elsewhere to compare later.\n`,
  );
}

async function verify(): Promise<VerificationResult> {
  const config = readConfig();
  let database: Database;
  try {
    database = await openConfiguredDatabase(config);
  } catch (error) {
    if (!(error instanceof FolderInUseError)) throw error;
    process.stderr.write(`A gateway is using ${config.dataDir}: sending the command to ${config.publicUrl}.\n`);
    type Answer = { verifyAuditLog: { verification: VerificationResult } };
    return (await requestGateway<Answer>('verifyAuditLog', {}, TIMEOUT_MS)).verifyAuditLog.verification;
  }
  try {
    if (!(await isUpToDate(database))) {
      throw new CommandError('The database schema does not match this version of Gatehouse. Run `gatehouse migrate`.');
    }
    const { keyring } = await openConfiguredKeys(config);
    const prisma = createPrisma(database, keyring);
    try {
      const log = createAuditLog({
        store: createStore(prisma),
        experiments: config.experiments,
        now: () => new Date(),
      });
      const { checked, broken, head } = await log.verify(SYSTEM);
      return {
        checked,
        brokenAt: broken?.seq.toString() ?? null,
        problem: broken?.problem ?? null,
        head: head.seq.toString(),
        headHash: head.hash,
      };
    } finally {
      await prisma.$disconnect();
    }
  } finally {
    await database.close();
  }
}
