import { describeUses } from '../data/keys/key-use.ts';
import type { UnopenedValue } from '../data/sealing/sealed-rows.ts';
import { createProgress } from './progress.ts';
import { withKeys } from './with-keys.ts';

const DIGEST_LENGTH = 12;

/** Prints all keys, including revoked ones, one per line. */
export async function listKeys(): Promise<void> {
  const keys = await withKeys((access) => access.list());
  for (const { number, digest, status, isConfigured, uses } of keys) {
    const state = isConfigured || status === 'revoked' ? status : `${status}, not configured`;
    print(`${number}  ${digest.slice(0, DIGEST_LENGTH)}…  ${state}  ${describeUses(uses)}`);
  }
}

/**
 * Re-encrypts every value that is not sealed with the first key. Exits with 1 if a value does not open, or if another key
 * still seals a value.
 */
export async function rotateKeys(options: { dryRun?: boolean; newKey?: boolean }): Promise<void> {
  await withKeys(async (access) => {
    if (options.newKey === true && options.dryRun !== true) {
      const { number } = await access.add();
      print(`Key ${number} was created and now seals new values. Back up the key file.`);
    }
    const progress = createProgress(process.stderr, 'Re-encrypted');
    const report = await access
      .rotate({ dryRun: options.dryRun === true, onProgress: progress.show })
      .finally(progress.end);
    if (options.dryRun === true) {
      print(`${formatCount(report.total)} to re-encrypt. Nothing was changed.`);
      return;
    }
    print(`${formatCount(report.resealed)} re-encrypted; other keys still seal ${report.remaining}.`);
    printFailures(report.failures);
    if (report.remaining > 0) process.exitCode = 1;
    else
      for (const key of await access.list()) if (key.status === 'decrypt_only') print(describeRevocation(key.number));
  });
}

/** Opens every value and prints each that fails to open. Exits with 1 if there are any. */
export async function verifyKeys(): Promise<void> {
  const progress = createProgress(process.stderr, 'Opened');
  const { checked, failures } = await withKeys((access) => access.verify(progress.show).finally(progress.end));
  printFailures(failures);
  print(`${formatCount(checked)} checked, ${failures.length} failed to open.`);
  if (failures.length > 0) process.exitCode = 1;
}

/** Permanently revokes a key. Refused while the key seals any value. */
export async function revokeKey(number: number): Promise<void> {
  await withKeys((access) => access.revoke(number));
  print(`Key ${number} was revoked.`);
}

function printFailures(failures: readonly UnopenedValue[]): void {
  for (const { table, column, id, reason } of failures) print(`failed to open: ${table}.${column} ${id} (${reason})`);
}

function describeRevocation(number: number): string {
  return `Key ${number} no longer seals any value. Revoke it with \`gatehouse keys revoke ${number}\`.`;
}

function formatCount(count: number): string {
  return `${count} ${count === 1 ? 'value' : 'values'}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
