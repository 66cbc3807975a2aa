import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from './npm.ts';

// Each exactly as given here: the tools install what they need into folders of their own, so that no library's optional
// peers appear in the repository.
const TOOLS = ['publint@0.3.25', '@arethetypeswrong/cli@0.18.5'];
const USER_PACKAGES = ['graphql@16.15.0', 'typescript@5.9.3', 'gql.tada@1.11.3', '@types/node@20.19.43'];

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const nodeFolder = path.dirname(process.execPath);

let folder: string;
let tarball: string;

async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  const { code, output } = await runProgram(command, args, { cwd, nodeFolder });
  expect(code, output).toBe(0);
  return output;
}

async function makeUser(name: string, packages: readonly string[]): Promise<string> {
  const user = path.join(folder, name);
  await mkdir(user);
  await writeFile(path.join(user, 'package.json'), '{ "type": "module" }');
  await run(user, 'npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages);
  return user;
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-'));
  await run(ROOT, process.execPath, 'scripts/generate.js', 'packages');
  await run(path.join(ROOT, 'packages/client'), 'npm', 'pack', '--pack-destination', folder);
  tarball = path.join(folder, (await readdir(folder)).find((name) => name.endsWith('.tgz')) ?? '');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the package holds the program, its types, the schema and the papers, and nothing else', async () => {
  const files = (await run(folder, 'tar', '-tzf', tarball)).trim().split('\n');
  const sources = await readdir(path.join(ROOT, 'packages/client/src'));
  const program = [...sources, 'introspection.ts'].flatMap((name) =>
    ['.js', '.d.ts'].map((ending) => `dist/${name.replace('.ts', ending)}`),
  );
  const others = [
    'dist/documents.json',
    'dist/introspection.json',
    'dist/schema.graphql',
    'LICENSE',
    'README.md',
    'package.json',
  ];
  expect(files.sort()).toEqual([...program, ...others].map((file) => `package/${file}`).sort());
});

test('publint and "are the types wrong" find nothing', async () => {
  const tools = await makeUser('tools', TOOLS);
  await cp(tarball, path.join(tools, 'client.tgz'));
  const linted = await run(tools, 'node_modules/.bin/publint', 'run', 'client.tgz', '--strict');
  expect(linted).toContain('All good!');
  // The package has ES modules only, which Node loads by `require`, too. A schema has no types.
  await run(
    tools,
    'node_modules/.bin/attw',
    'client.tgz',
    '--profile',
    'esm-only',
    '--exclude-entrypoints',
    'schema.graphql',
  );
});

describe('in an empty folder', () => {
  test('it runs, and its types hold under the strictest settings', async () => {
    const user = await makeUser('user', [tarball, ...USER_PACKAGES]);
    await cp(path.join(ROOT, 'test/package/client-user'), user, { recursive: true });
    await run(user, 'node_modules/.bin/tsc', '--project', '.');
    expect(await run(user, process.execPath, 'out/use.js')).toContain('CONNECTION_FAILED');
  });
});
