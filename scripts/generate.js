import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

// Generates files, in the given order. `--force` generates them even if they look fresh.
//
//   client      the Prisma client: all that the gateway itself needs; not in git
//   schema      schema.graphql, printed from the builder; in git
//   limits      docs/limits.md, from src/limits/; in git
//   operations  the typed operations of the tests and of the console; not in git
//   console     the console in dist/console, built from console/; not in git
//   packages    the built packages/client, which the examples import; not in git
//   database    dist/database, the embedded database before its first migration; not in git
//   gateway     the gateway in dist, checked and bundled; not in git
//
// All but schema and limits are made only if their inputs changed. A stamp in the output folder holds the hash of the inputs, so
// a run with nothing to do takes milliseconds.

const ROOT = new URL('../', import.meta.url);

const TARGETS = {
  client: {
    command: ['prisma-cli/build/index.js', 'generate'],
    output: 'src/data/generated/client.ts',
    inputs: ['prisma/schema.prisma', 'prisma.config.ts', 'node_modules/prisma-cli/package.json'],
  },
  schema: {
    command: ['tsx/dist/cli.mjs', 'scripts/print-schema.ts'],
  },
  limits: {
    command: ['tsx/dist/cli.mjs', 'scripts/print-limits.ts'],
  },
  operations: {
    command: ['@graphql-codegen/cli/esm/bin.js', '--config', 'codegen.ts', '--silent'],
    output: 'test/graphql/generated/graphql.ts',
    inputs: [
      'schema.graphql',
      'codegen.ts',
      'test/setup/operations.ts',
      ...listFiles('console/src').filter((file) => file.endsWith('.graphql')),
      'node_modules/@graphql-codegen/cli/package.json',
      'node_modules/@graphql-codegen/client-preset/package.json',
    ],
  },
  console: {
    command: ['tsx/dist/cli.mjs', 'scripts/build-console.ts'],
    output: 'dist/console/index.html',
    inputs: [
      'scripts/build-console.ts',
      'schema.graphql',
      'codegen.ts',
      'package-lock.json',
      'console/index.html',
      'console/tsconfig.json',
      'console/vite.config.ts',
      'examples/servers.json',
      ...listFiles('console/src').filter((file) => !file.includes('/generated/')),
    ],
  },
  packages: {
    command: ['tsx/dist/cli.mjs', 'scripts/build-packages.ts'],
    output: 'packages/client/dist/index.js',
    inputs: [
      'schema.graphql',
      'scripts/build-packages.ts',
      'tsconfig.json',
      'packages/client/tsconfig.json',
      'packages/client/tsconfig.build.json',
      ...listFiles('packages/client/src'),
      'node_modules/typescript-compiler/package.json',
      'node_modules/graphql-sse/package.json',
    ],
  },
  database: {
    command: ['tsx/dist/cli.mjs', 'scripts/prepare-database.ts'],
    output: 'dist/database/new.br',
    inputs: [
      'scripts/prepare-database.ts',
      'src/data/database/embedded-database.ts',
      'src/data/database/prepared-folder.ts',
      'node_modules/@electric-sql/pglite/package.json',
    ],
  },
  gateway: {
    command: ['tsx/dist/cli.mjs', 'scripts/build-gateway.ts'],
    output: 'dist/main.js',
    inputs: [
      'scripts/build-gateway.ts',
      'scripts/bundled-packages.ts',
      'tsconfig.json',
      'tsconfig.build.json',
      'package.json',
      'package-lock.json',
      'prisma/schema.prisma',
      ...listFiles('src').filter((file) => !file.includes('/generated/')),
    ],
  },
};

const args = process.argv.slice(2);
const names = args.filter((arg) => arg !== '--force');
if (names.length === 0 || names.some((name) => !(name in TARGETS))) {
  process.stderr.write(`usage: node scripts/generate.js ${Object.keys(TARGETS).join(' | ')} …\n`);
  process.exit(2);
}
for (const name of names) generate(name, TARGETS[name]);

function generate(name, { command, output, inputs }) {
  const stamp = output === undefined ? undefined : new URL('.stamp', new URL(output, ROOT));
  const hash = stamp === undefined ? undefined : hashFiles(inputs);
  const isFresh = stamp !== undefined && existsSync(new URL(output, ROOT)) && readStamp(stamp) === hash;
  if (isFresh && !args.includes('--force')) return;
  const [module = '', ...rest] = command;
  const entry = fileURLToPath(new URL(`node_modules/${module}`, ROOT));
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...rest], {
    cwd: fileURLToPath(ROOT),
    encoding: 'utf8',
  });
  if (status !== 0) {
    process.stderr.write(`${stdout}${stderr}\nCould not generate: ${name}.\n`);
    process.exit(1);
  }
  if (stamp !== undefined) writeFileSync(stamp, hash);
}

function readStamp(stamp) {
  return existsSync(stamp) ? readFileSync(stamp, 'utf8') : undefined;
}

function listFiles(folder) {
  return readdirSync(new URL(folder, ROOT), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.relative(fileURLToPath(ROOT), path.join(parentPath, name)))
    .sort();
}

function hashFiles(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(new URL(file, ROOT)))
      .update('\0');
  }
  return hash.digest('hex');
}
