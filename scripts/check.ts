import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';

// Everything that CI checks but the tests. Generated files are made anew; when that changes them they were stale.

const GENERATED = ['schema.graphql', 'src/data/generated', 'test/graphql/generated'];

const before = hashGenerated();
const steps: [name: string, command: string[]][] = [
  ['generated files', ['npm', 'run', '--silent', 'generate']],
  ['lint and format', ['npm', 'run', '--silent', 'lint']],
  ['types', ['npx', '--no-install', 'tsc', '--noEmit']],
  ['unused code', ['npx', '--no-install', 'knip']],
];

const failed: string[] = [];
for (const [name, [command = '', ...args]] of steps) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  const isStale = name === 'generated files' && hashGenerated() !== before;
  const isGood = status === 0 && !isStale;
  console.log(`${isGood ? 'ok    ' : 'FAILED'} ${name}`);
  if (isGood) continue;
  failed.push(name);
  console.log(`${stdout}${stderr}`.trim());
  if (isStale) console.log(`Stale: ${GENERATED.join(', ')} were made anew; commit the result.`);
}
if (failed.length > 0) process.exit(1);

function hashGenerated(): string {
  const hash = createHash('sha256');
  for (const file of GENERATED.flatMap(listFiles)) hash.update(file).update('\0').update(readFileSync(file));
  return hash.digest('hex');
}

function listFiles(entry: string): string[] {
  if (!existsSync(entry)) return [];
  if (statSync(entry).isFile()) return [entry];
  return readdirSync(entry)
    .sort()
    .flatMap((name) => listFiles(path.join(entry, name)));
}
