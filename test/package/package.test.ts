import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunningCommand } from '../setup/process.ts';
import { createScratchCopy, type ScratchCopy } from '../setup/scratch-copy.ts';
import { findNode, NODE_MAJORS } from './node-versions.ts';
import { measureInstall, runProgram } from './npm.ts';
import { tryGateway } from './try-gateway.ts';

// What npm may install. The versions of indirect dependencies are not fixed for someone who installs the package, so there
// is some room for them.
const MAX_PACKAGES = 25;
const MAX_MEGABYTES = 60;

const RUNNING_NODE = path.dirname(process.execPath);

// A copy, as fresh as a clone: files of former builds would end up in the package.
let copy: ScratchCopy;
let tarball: string;
/** Removed after each test. */
let folder: string;

beforeAll(async () => {
  copy = await createScratchCopy();
  const { exitCode, output } = await copy.run('npm', 'run', 'package');
  expect(exitCode, output).toBe(0);
  const [name = ''] = (await readdir(copy.folder)).filter((file) => file.endsWith('.tgz'));
  tarball = path.join(copy.folder, name);
});
afterAll(() => copy?.remove());

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Lists the files below a folder, as sorted paths from there. */
async function listFiles(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
}

async function listTarball(): Promise<string[]> {
  const { output } = await runProgram('tar', ['-tzf', tarball], { cwd: folder, nodeFolder: RUNNING_NODE });
  return output
    .trim()
    .split('\n')
    .map((file) => file.replace(/^package\//, ''))
    .sort();
}

const stopByName = (gateway: RunningCommand): void => {
  gateway.child.kill('SIGTERM');
};
/** As Ctrl-C in a terminal does: to all processes of the command. */
const stopByTerminal = ({ child: { pid } }: RunningCommand): void => {
  if (pid !== undefined) process.kill(-pid, 'SIGINT');
};

test('the package holds the program, the schema of its database and the papers, and nothing else', async () => {
  const chunks = await listFiles(path.join(copy.folder, 'dist/chunks'));
  const program = chunks.filter((file) => !file.endsWith('.map')).map((file) => `dist/chunks/${file}`);
  expect(program).toEqual(expect.arrayContaining(['dist/chunks/query-compiler.wasm', 'dist/chunks/serve.js']));
  const schema = (await listFiles(path.join(copy.folder, 'prisma'))).map((file) => `prisma/${file}`);
  expect(schema).toContain('prisma/migrations/20261123000000_init/migration.sql');
  const page = (await listFiles(path.join(copy.folder, 'dist/console')))
    .filter((file) => !file.startsWith('.'))
    .map((file) => `dist/console/${file}`);
  expect(page).toEqual(expect.arrayContaining(['dist/console/index.html.br', 'dist/console/manifest.json']));
  const papers = ['CHANGELOG.md', 'LICENSE', 'NOTICE', 'README.md', 'package.json'];
  const bundled = ['dist/bundled.cdx.json', 'dist/database/new.br', 'dist/licenses.txt'];
  const rest = ['bin/gatehouse.js', 'dist/main.js', ...bundled, ...program, ...page, ...schema];
  expect(await listTarball()).toEqual([...papers, ...rest].sort());
});

describe.each(NODE_MAJORS)('on Node %i', (major) => {
  test('npm installs the package in an empty folder, and it runs there', async (context) => {
    const nodeFolder = await findNode(major, folder);
    if (nodeFolder === undefined) {
      if (process.env['CI'] === 'true') throw new Error(`npm could not download Node ${major}.`);
      return context.skip(`npm cannot download Node ${major} for this machine`);
    }
    const cwd = path.join(folder, 'user');
    await mkdir(cwd);
    const { code, output } = await runProgram('npm', ['install', tarball], { cwd, nodeFolder });
    expect(code, output).toBe(0);
    const size = await measureInstall(cwd);
    console.log(`Node ${major}: ${size.packages} packages, ${size.megabytes} MB`);
    expect(size.packages).toBeLessThanOrEqual(MAX_PACKAGES);
    expect(size.megabytes).toBeLessThanOrEqual(MAX_MEGABYTES);

    const bin = path.join(cwd, 'node_modules/.bin');
    const help = await runProgram(path.join(bin, 'gatehouse'), ['--help'], { cwd, nodeFolder });
    expect(help).toEqual({ code: 0, output: expect.stringContaining('Usage: gatehouse') });
    const start = { command: path.join(bin, 'mcp-gatehouse'), args: ['serve'], nodeFolder, cwd, stop: stopByName };
    expect(await tryGateway(start)).toMatch(`v${major}.`);
  });
});

test('a checkout is built and started by npm start', async () => {
  const start = { command: 'npm', args: ['start'], nodeFolder: RUNNING_NODE, cwd: copy.folder, stop: stopByTerminal };
  expect(await tryGateway(start)).toBe(process.version);
});

test('a built checkout runs with what a production install brings', async () => {
  for (const name of ['package.json', 'package-lock.json', '.npmrc', 'bin', 'dist', 'prisma']) {
    await cp(path.join(copy.folder, name), path.join(folder, name), { recursive: true });
  }
  const { code, output } = await runProgram('npm', ['ci', '--omit=dev'], { cwd: folder, nodeFolder: RUNNING_NODE });
  expect(code, output).toBe(0);
  const size = await measureInstall(folder);
  console.log(`npm ci --omit=dev: ${size.packages} packages, ${size.megabytes} MB`);
  expect(size.packages).toBeLessThanOrEqual(MAX_PACKAGES);
  expect(size.megabytes).toBeLessThanOrEqual(MAX_MEGABYTES);
  const start = { command: process.execPath, args: ['bin/gatehouse.js', 'serve'] };
  const ran = await tryGateway({ ...start, nodeFolder: RUNNING_NODE, cwd: folder, stop: stopByName });
  expect(ran).toBe(process.version);
});

test('nothing can be imported from the package', async () => {
  const name = 'mcp-gatehouse';
  await mkdir(path.join(folder, 'node_modules'));
  await cp(copy.folder, path.join(folder, 'node_modules', name), { recursive: true });
  for (const module of [name, `${name}/dist/main.js`, `${name}/dist/chunks/serve.js`]) {
    await writeFile(path.join(folder, 'import.mjs'), `await import('${module}')`);
    const { code, output } = await runProgram('node', ['import.mjs'], { cwd: folder, nodeFolder: RUNNING_NODE });
    expect(code).toBe(1);
    expect(output).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED');
  }
});
