import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

// All CI checks except the tests. Prints `schema.graphql` again; if that changes it, the file was stale.

const before = readSchema();
const steps: [name: string, command: string[]][] = [
  ['generated files', ['npm', 'run', '--silent', 'generate']],
  ['lint and format', ['npm', 'run', '--silent', 'lint']],
  ['types', ['npx', '--no-install', 'tsc', '--noEmit']],
  ['unused code', ['npx', '--no-install', 'knip']],
];

const failed: string[] = [];
for (const [name, [command = '', ...args]] of steps) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  const isStale = name === 'generated files' && readSchema() !== before;
  const isGood = status === 0 && !isStale;
  console.log(`${isGood ? 'ok    ' : 'FAILED'} ${name}`);
  if (isGood) continue;
  failed.push(name);
  console.log(`${stdout}${stderr}`.trim());
  if (isStale) console.log('schema.graphql was stale. It has been regenerated; commit it.');
}
if (failed.length > 0) process.exit(1);

function readSchema(): string {
  return readFileSync(new URL('../schema.graphql', import.meta.url), 'utf8');
}
