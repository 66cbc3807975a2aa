import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

// Runs a benchmark on another revision and on this tree, in turns: `npm run bench:compare REVISION [NAME…] [--seconds 5]`.
// Both run the benchmark of this tree, so that only the gateway differs.

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ROUNDS = 3;

const [revision, ...rest] = process.argv.slice(2);
if (revision === undefined || revision.startsWith('-')) {
  console.error('Usage: npm run bench:compare REVISION [NAME…] [-- --seconds N]');
  process.exit(1);
}

/** Runs a command and shows what it prints. @throws if it fails */
function run(folder: string, command: string, args: readonly string[]): void {
  const { status, error } = spawnSync(command, args, { cwd: folder, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`, { cause: error });
}

const parent = mkdtempSync(path.join(tmpdir(), 'gatehouse-compare-'));
const other = path.join(parent, 'tree');
try {
  run(ROOT, 'git', ['worktree', 'add', '--quiet', '--detach', other, revision]);
  const [ownLock, otherLock] = [ROOT, other].map((folder) =>
    readFileSync(path.join(folder, 'package-lock.json'), 'utf8'),
  );
  if (ownLock === otherLock) symlinkSync(path.join(ROOT, 'node_modules'), path.join(other, 'node_modules'));
  else run(other, 'npm', ['ci', '--no-audit', '--no-fund']);
  rmSync(path.join(other, 'bench'), { recursive: true, force: true });
  cpSync(path.join(ROOT, 'bench'), path.join(other, 'bench'), { recursive: true });
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const [name, folder] of [
      [revision, other],
      ['this tree', ROOT],
    ] as const) {
      console.log(`\n# Round ${round} of ${ROUNDS}: ${name}\n`);
      run(folder, process.execPath, ['scripts/generate.js', 'client', 'operations', 'console', 'packages']);
      run(folder, process.execPath, ['--import', 'tsx', 'bench/run.ts', ...rest]);
    }
  }
} finally {
  spawnSync('git', ['worktree', 'remove', '--force', other], { cwd: ROOT, stdio: 'ignore' });
  rmSync(parent, { recursive: true, force: true });
}
