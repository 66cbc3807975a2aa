import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// Generates the files that are not in git, each only if its inputs changed. A stamp in the output folder holds the hash
// of the inputs, so a run with nothing to do takes milliseconds.
//
// node scripts/generate.js            the Prisma client and the typed operations of the tests
// node scripts/generate.js --client   only the Prisma client, which is all the gateway needs
// node scripts/generate.js --force    both, even if they look fresh

const ROOT = new URL('../', import.meta.url);

const client = {
  name: 'Prisma client',
  folder: 'src/data/generated',
  output: 'client.ts',
  inputs: ['prisma/schema.prisma', 'prisma.config.ts', 'node_modules/prisma/package.json'],
  command: ['prisma/build/index.js', 'generate'],
};
const operations = {
  name: 'typed operations',
  folder: 'test/graphql/generated',
  output: 'graphql.ts',
  inputs: [
    'schema.graphql',
    'codegen.ts',
    'test/setup/operations.ts',
    'node_modules/@graphql-codegen/cli/package.json',
    'node_modules/@graphql-codegen/client-preset/package.json',
  ],
  command: ['@graphql-codegen/cli/esm/bin.js', '--config', 'codegen.ts', '--silent'],
};

const flags = process.argv.slice(2);
const wanted = flags.includes('--client') ? [client] : [client, operations];
for (const target of wanted) generate(target, flags.includes('--force'));

function generate({ name, folder, output, inputs, command }, isForced) {
  const stamp = new URL(`${folder}/.stamp`, ROOT);
  const hash = hashFiles(inputs);
  const isFresh = existsSync(new URL(`${folder}/${output}`, ROOT)) && existsSync(stamp) && read(stamp) === hash;
  if (isFresh && !isForced) return;
  const [module = '', ...args] = command;
  const entry = fileURLToPath(new URL(`node_modules/${module}`, ROOT));
  const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...args], {
    cwd: fileURLToPath(ROOT),
    encoding: 'utf8',
  });
  if (status !== 0) {
    process.stderr.write(`${stdout}${stderr}\nThe ${name} could not be generated.\n`);
    process.exit(1);
  }
  writeFileSync(stamp, hash);
}

function hashFiles(files) {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(new URL(file, ROOT)))
      .update('\0');
  return hash.digest('hex');
}

function read(file) {
  return readFileSync(file, 'utf8');
}
