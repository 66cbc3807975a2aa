import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { listWorkspaces } from './workspaces.ts';

// All CI checks except the tests, or those whose names are the arguments. Makes the generated files again; if that
// changes one that is in git, it was stale.

type Step = [name: string, command: string[]];

const root = fileURLToPath(new URL('..', import.meta.url));
/** The generated files that are in git. */
const GENERATED = ['schema.graphql', 'docs/limits.md'];
const before = GENERATED.map(read);
const generate: Step = ['generated files', ['npm', 'run', '--silent', 'generate']];
/** Reads none of the generated files, so that it need not wait for them. */
const lint: Step = ['lint and format', ['npx', '--no-install', 'biome', 'check', '.']];
/** One thread each: as many steps run at once as there are processors, and more threads take more processor time. */
const types = (name: string, ...args: string[]): Step => [
  name,
  ['npx', '--no-install', 'tsc', '--noEmit', '--singleThreaded', ...args],
];
/** The longest first. */
const others: Step[] = [
  types('types'),
  ['unused code', ['npx', '--no-install', 'knip']],
  ...listWorkspaces(root).map((folder) => types(`types in ${folder}`, '--project', folder)),
  ['size of the console', ['npx', '--no-install', 'tsx', 'scripts/measure-console.ts']],
];

const names = [generate, lint, ...others].map(([name]) => name);
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`There is no check named "${unknown.join('", "')}". The checks are: ${names.join(', ')}.`);
  process.exit(1);
}
const isWanted = ([name]: Step): boolean => wanted.length === 0 || wanted.includes(name);

const failed: string[] = [];
const linting = isWanted(lint) ? run(lint) : Promise.resolve();
if (isWanted(generate)) await run(generate);
const waiting = others.filter(isWanted);
const work = async (): Promise<void> => {
  for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) await run(step);
};
await Promise.all([linting.then(work), ...Array.from({ length: Math.max(availableParallelism() - 1, 1) }, work)]);
if (failed.length > 0) process.exit(1);

async function run([name, [command = '', ...args]]: Step): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const stale = name === 'generated files' ? GENERATED.filter((file, index) => read(file) !== before[index]) : [];
  const isGood = status === 0 && stale.length === 0;
  console.log(`${isGood ? 'ok    ' : 'FAILED'} ${name}`);
  if (isGood) return;
  failed.push(name);
  console.log(output.trim());
  for (const file of stale) console.log(`${file} was stale. It has been regenerated; commit it.`);
}

function read(file: string): string {
  const url = new URL(`../${file}`, import.meta.url);
  return existsSync(url) ? readFileSync(url, 'utf8') : '';
}
