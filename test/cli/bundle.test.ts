import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LICENSES } from '../../scripts/bundled-packages.ts';

// What `npm run build` makes of the gateway.

const ROOT = new URL('../../', import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, ROOT), 'utf8');

interface Component {
  name: string;
  version: string;
  purl: string;
  licenses: { license: { id: string } }[];
}

const { components }: { components: Component[] } = JSON.parse(read('dist/bundled.cdx.json'));
const chunks = readdirSync(new URL('dist/chunks', ROOT)).filter((file) => file.endsWith('.js'));
const program = ['dist/main.js', ...chunks.map((file) => `dist/chunks/${file}`)];

test('each bundled package is listed with the version that is installed, and its license lets everyone use it', () => {
  const { packages }: { packages: Record<string, { version: string }> } = JSON.parse(read('package-lock.json'));
  const installed = new Set(
    Object.entries(packages).map(([folder, { version }]) => `${folder.split('node_modules/').at(-1)}@${version}`),
  );
  expect(components.map(({ name }) => name)).toEqual(expect.arrayContaining(['graphql', 'graphql-shield', 'undici']));
  expect(components.filter(({ name, version }) => !installed.has(`${name}@${version}`))).toEqual([]);
  const others = components.filter(({ licenses }) => !licenses.every(({ license }) => LICENSES.includes(license.id)));
  expect(others).toEqual([]);
});

test('the list has every package with code in the program, and the license text of each', () => {
  const named = new Set(components.map(({ name }) => name));
  const inProgram = new Set(
    program.flatMap((file) =>
      [...read(file).matchAll(/^\/\/ .*node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//gm)].map(([, name = '']) => name),
    ),
  );
  expect([...inProgram].sort()).toEqual([...named].sort());
  const texts = read('dist/licenses.txt');
  for (const { name, version, licenses } of components) {
    expect(texts).toContain(`\n${name} ${version} (${licenses[0]?.license.id})\n\n`);
  }
});

test('a start loads nothing of the MCP SDK, and no file that is read into a large piece of memory', () => {
  const loaded = new Set<string>();
  const load = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    for (const [, name = ''] of read(file).matchAll(/^import .*"\.\/(?:chunks\/)?([^"/]+\.js)";$/gm)) {
      load(`dist/chunks/${name}`);
    }
  };
  // The second is loaded when the database is open.
  for (const name of ['serve', 'run-gateway']) load(`dist/chunks/${name}.js`);
  const modules = [...loaded].flatMap((file) => [...read(file).matchAll(/^\/\/ .*node_modules\/(\S+)$/gm)]);
  expect(loaded.size).toBeGreaterThan(10);
  expect(modules.length).toBeGreaterThan(300);
  expect(modules.map(([, module = '']) => module).filter((each) => each.startsWith('@modelcontextprotocol/'))).toEqual(
    [],
  );
  expect([...loaded].filter((file) => read(file).length > 1_500_000)).toEqual([]);
});

test('there is one graphql', () => {
  expect(components.filter(({ name }) => name === 'graphql')).toHaveLength(1);
  const modules = program.flatMap((file) => [...read(file).matchAll(/^\/\/ node_modules\/graphql\/(\S+)$/gm)]);
  expect(modules.length).toBeGreaterThan(50);
  expect(modules.map(([, module = '']) => module).filter((module) => !module.endsWith('.mjs'))).toEqual([]);
});

test('the program finds its own files and those beside it, wherever they lie', () => {
  // What is loaded by a path that a bundler does not see.
  const requires = program.flatMap((file) => [...read(file).matchAll(/createRequire\(import\.meta\.url\).*/g)]);
  expect(requires.map(([text]) => text)).toEqual([
    'createRequire(import.meta.url);',
    'createRequire(import.meta.url).resolve("@prisma/schema-engine-wasm/schema_engine_bg");',
    'createRequire(import.meta.url).resolve("@electric-sql/pglite");',
    'createRequire(import.meta.url))();',
  ]);
  const files = program.flatMap((file) =>
    [...read(file).matchAll(/new URL\("?([^,")]+)"?, import\.meta\.url\)/g)].map(
      ([, path = '']) => new URL(path, new URL(file, ROOT)),
    ),
  );
  expect(files).toHaveLength(1);
  expect(files.filter((file) => !existsSync(file))).toEqual([]);
});
