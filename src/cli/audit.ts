import { readConfig } from '../config.ts';
import type { Database } from '../data/database/database.ts';
import { FolderInUseError } from '../data/database/folder-lock.ts';
import { requestGateway } from './admin-client.ts';
import { openConfiguredDatabase } from './open-database.ts';
import type { VerificationResult } from './verify-opened.ts';

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
    // Only now: a command that goes through a gateway needs no database client.
    const { verifyOpened } = await import('./verify-opened.ts');
    return await verifyOpened(config, database);
  } finally {
    await database.close();
  }
}
