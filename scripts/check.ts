import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { listWorkspaces } from './workspaces.ts';

// All CI checks except the tests. Prints `schema.graphql` again; if that changes it, the file was stale.

type Step = [name: string, command: string[]];

const root = fileURLToPath(new URL('..', import.meta.url));
const before = readSchema();
const steps: Step[] = [
  ['generated files', ['npm', 'run', '--silent', 'generate']],
  ['lint and format', ['npx', '--no-install', 'biome', 'check', '.']],
  ['types', ['npx', '--no-install', 'tsc', '--noEmit']],
  ...listWorkspaces(root).map(
    (folder): Step => [`types in ${folder}`, ['npx', '--no-install', 'tsc', '--noEmit', '--project', folder]],
  ),
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
