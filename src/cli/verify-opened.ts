import type { Config } from '../config.ts';
import type { Database } from '../data/database/database.ts';
import { createPrisma } from '../data/database/prisma.ts';
import { isUpToDate } from '../data/migrations/migrations.ts';
import { createStore } from '../data/store.ts';
import { createAuditLog } from '../domain/audit/audit-log.ts';
import { SYSTEM } from '../policy/viewer.ts';
import { CommandError } from './failure.ts';
import { openConfiguredKeys } from './open-keys.ts';

/** The result of a verification, run in this process or by the gateway. */
export interface VerificationResult {
  checked: number;
  brokenAt: string | null;
  problem: string | null;
  head: string;
  headHash: string;
}

/** Verifies the audit log of an open database. */
export async function verifyOpened(config: Config, database: Database): Promise<VerificationResult> {
  if (!(await isUpToDate(database))) {
    throw new CommandError('The database schema does not match this version of Gatehouse. Run `gatehouse migrate`.');
  }
  const { keyring } = await openConfiguredKeys(config);
  const prisma = createPrisma(database, keyring);
  try {
    const log = createAuditLog({ store: createStore(prisma), experiments: config.experiments, now: () => new Date() });
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
}
