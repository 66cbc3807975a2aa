import { readConfig } from '../config.ts';
import type { Database } from '../data/database/database.ts';
import { FolderInUseError } from '../data/database/folder-lock.ts';
import { createPrisma } from '../data/database/prisma.ts';
import { isUpToDate } from '../data/migrations/migrations.ts';
import { createStore } from '../data/store.ts';
import { createAuditLog } from '../domain/audit/audit-log.ts';
import { SYSTEM } from '../policy/viewer.ts';
import { askGateway } from './admin-client.ts';
import { CommandError } from './failure.ts';
import { openConfiguredDatabase } from './open-database.ts';
import { openConfiguredKeys } from './open-keys.ts';

/** What a verification says, whoever made it. */
interface Verdict {
  checked: number;
  brokenAt: string | null;
  problem: string | null;
  head: string;
  headHash: string;
}

/** A walk over a long log takes a while. */
const TIMEOUT_MS = 600_000;

/** Hashes the whole audit log anew. Ends with 1 when an entry was changed, taken out or put in. */
export async function verifyAuditLog(): Promise<void> {
  const verdict = await verify();
  if (verdict.brokenAt !== null) {
    process.stdout.write(`The audit log is broken at entry ${verdict.brokenAt}: ${verdict.problem}\n`);
    process.exitCode = 1;
    return;
  }
  process.stdout.write(`${verdict.checked} entries are as they were written.\n`);
  process.stdout.write(`The newest is ${verdict.head}, ${verdict.headHash}: keep it elsewhere to compare with.\n`);
}

async function verify(): Promise<Verdict> {
  const config = readConfig();
  let database: Database;
  try {
    database = await openConfiguredDatabase(config);
  } catch (error) {
    if (!(error instanceof FolderInUseError)) throw error;
    process.stderr.write(`A gateway runs on ${config.dataDir}: going through it at ${config.publicUrl}.\n`);
    const query = '{ verifyAuditLog { checked brokenAt problem head headHash } }';
    return (await askGateway<{ verifyAuditLog: Verdict }>(query, {}, TIMEOUT_MS)).verifyAuditLog;
  }
  try {
    if (!(await isUpToDate(database))) {
      throw new CommandError("The database is not at this build's schema; run `gatehouse migrate`.");
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
