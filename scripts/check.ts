import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { listWorkspaces } from './workspaces.ts';

// All CI checks except the tests. Makes the generated files again; if that changes one that is in git, it was stale.

type Step = [name: string, command: string[]];

const root = fileURLToPath(new URL('..', import.meta.url));
/** The generated files that are in git. */
const GENERATED = ['schema.graphql', 'docs/limits.md'];
const before = GENERATED.map(read);
const steps: Step[] = [
  ['generated files', ['npm', 'run', '--silent', 'generate']],
  ['lint and format', ['npx', '--no-install', 'biome', 'check', '.']],
  ['types', ['npx', '--no-install', 'tsc', '--noEmit']],
  ...listWorkspaces(root).map(
    (folder): Step => [`types in ${folder}`, ['npx', '--no-install', 'tsc', '--noEmit', '--project', folder]],
  ),
  ['size of the console', ['npx', '--no-install', 'tsx', 'scripts/measure-console.ts']],
  ['unused code', ['npx', '--no-install', 'knip']],
];

const failed: string[] = [];
for (const [name, [command = '', ...args]] of steps) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  const stale = name === 'generated files' ? GENERATED.filter((file, index) => read(file) !== before[index]) : [];
  const isGood = status === 0 && stale.length === 0;
  console.log(`${isGood ? 'ok    ' : 'FAILED'} ${name}`);
  if (isGood) continue;
  failed.push(name);
  console.log(`${stdout}${stderr}`.trim());
  for (const file of stale) console.log(`${file} was stale. It has been regenerated; commit it.`);
}
if (failed.length > 0) process.exit(1);

function read(file: string): string {
  const url = new URL(`../${file}`, import.meta.url);
  return existsSync(url) ? readFileSync(url, 'utf8') : '';
}
