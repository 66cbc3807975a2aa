import { describeUses } from '../data/keys/key-usage.ts';
import type { UnopenedValue } from '../data/sealing/sealed-rows.ts';
import { createProgress } from './progress.ts';
import { withKeys } from './with-keys.ts';

const DIGEST_LENGTH = 12;

/** Prints every key that there ever was, a line each. */
export async function listKeys(): Promise<void> {
  const keys = await withKeys((access) => access.list());
  for (const { number, digest, status, isConfigured, uses } of keys) {
    const state = isConfigured || status === 'revoked' ? status : `${status}, not configured`;
    print(`${number}  ${digest.slice(0, DIGEST_LENGTH)}…  ${state}  ${describeUses(uses)}`);
  }
}

/**
 * Seals every value anew that another key than the first one sealed. Ends with 1 when a value does not open, or when
 * another key still seals something.
 */
export async function rotateKeys(options: { dryRun?: boolean; newKey?: boolean }): Promise<void> {
  await withKeys(async (access) => {
    if (options.newKey === true && options.dryRun !== true) {
      const { number } = await access.add();
      print(`Key ${number} is new and seals from now on. Back up the key file.`);
    }
    const progress = createProgress(process.stderr, 'Sealed anew');
    const report = await access
      .rotate({ dryRun: options.dryRun === true, onProgress: progress.show })
      .finally(progress.end);
    if (options.dryRun === true) {
      print(`${countOf(report.total)} to seal anew. Nothing was changed.`);
      return;
    }
    print(`${countOf(report.resealed)} sealed anew; another key still seals ${report.remaining}.`);
    printFailures(report.failures);
    if (report.remaining > 0) process.exitCode = 1;
    else for (const key of await access.list()) if (key.status === 'decrypt_only') print(adviseOn(key.number));
  });
}

/** Opens every value and prints each that does not open. Ends with 1 when there is one. */
export async function verifyKeys(): Promise<void> {
  const progress = createProgress(process.stderr, 'Opened');
  const { checked, failures } = await withKeys((access) => access.verify(progress.show).finally(progress.end));
  printFailures(failures);
  print(`${countOf(checked)} checked, ${failures.length} of them not to be opened.`);
  if (failures.length > 0) process.exitCode = 1;
}

/** Ends a key for good; refused while it seals anything. */
export async function revokeKey(number: number): Promise<void> {
  await withKeys((access) => access.revoke(number));
  print(`Key ${number} is revoked.`);
}

function printFailures(failures: readonly UnopenedValue[]): void {
  for (const { table, column, id, reason } of failures) print(`does not open: ${table}.${column} ${id} (${reason})`);
}

function adviseOn(number: number): string {
  return `Key ${number} seals nothing any more: \`gatehouse keys revoke ${number}\` ends it.`;
}

function countOf(count: number): string {
  return `${count} ${count === 1 ? 'value' : 'values'}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
