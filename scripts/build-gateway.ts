import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OutputChunk, type Plugin, rolldown } from 'rolldown';
import { readBundledPackages, toLicenseTexts, toSbom } from './bundled-packages.ts';

// Checks the types of the gateway, and bundles it with the packages that it uses into dist (docs/adr/0013-the-bundle.md).

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = path.join(root, 'dist');

const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(
  readFileSync(path.join(root, 'package.json'), 'utf8'),
);
/** What the bundled packages use if an operator installs it. */
const OPTIONAL = ['bufferutil', 'pg-native', 'utf-8-validate'];

/** A package gets a file of its own if it is longer than this, with what only it needs. */
const OWN_FILE_BYTES = 100_000;
/** The name of a module's package, as the name of a file. */
const packageOf = (id: string): string | null => {
  const [, name] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id) ?? [];
  return name?.replace('/', '-') ?? null;
};

/** What other builders make in dist, and what makes the next build faster. */
const KEPT: ReadonlySet<string> = new Set(['console', 'database', '.tsbuildinfo']);

/** The plugins below that have changed what they should. A package that moves its files would pass them by. */
const applied = new Set<string>();

/** A CommonJS module that the source loads as such: part of the bundle, too. */
const requiredModules: Plugin = {
  name: 'required-modules',
  transform: {
    filter: { id: /\/src\/.*\.ts$/, code: /createRequire\(import\.meta\.url\)\(\s*'/ },
    handler(code, _id, { magicString }) {
      const loader = /createRequire\(import\.meta\.url\)(?=\(\s*')/g;
      return { code: magicString?.replaceAll(loader, 'require') ?? code.replaceAll(loader, 'require') };
    },
  },
};

/**
 * Prisma has the compiler of its queries as a string of 5 MB. Here its bytes are a file, of which nothing stays in memory but
 * what V8 compiles. They are read into memory that does not come from the C library: once that has freed a large piece, it gives
 * no piece up to that size back to the system any more.
 */
const compilerFile: Plugin = {
  name: 'compiler-file',
  transform: {
    filter: { id: /\.wasm-base64\.mjs$|\/generated\/internal\/class\.ts$/ },
    handler(code, id) {
      if (id.endsWith('.ts'))
        return { code: replaceOnce(code, "Buffer.from(wasmBase64, 'base64')", 'wasmBase64()'), map: null };
      const [, base64] = /const wasm = "([A-Za-z0-9+/=]+)"/.exec(code) ?? [];
      if (base64 === undefined) throw new Error(LOOKS_DIFFERENT);
      applied.add(compilerFile.name);
      const source = Buffer.from(base64, 'base64');
      const file = this.emitFile({ type: 'asset', fileName: 'chunks/query-compiler.wasm', source });
      return {
        code: `import { closeSync, openSync, readSync } from 'node:fs';
          export const wasm = () => {
            const file = openSync(new URL(import.meta.ROLLUP_FILE_URL_${file}));
            try {
              const pages = new WebAssembly.Memory({ initial: ${Math.ceil(source.length / WASM_PAGE_BYTES)} });
              const bytes = new Uint8Array(pages.buffer, 0, ${source.length});
              for (let read = 0, more = 1; read < bytes.length; read += more) {
                more = readSync(file, bytes, read, bytes.length - read, read);
                if (more === 0) throw new Error('The query compiler is cut off.');
              }
              return bytes;
            } finally {
              closeSync(file);
            }
          };`,
        map: null,
      };
    },
  },
};

/**
 * Prisma describes each node of its graph of inputs and outputs by an object with some numbers below 750 as keys. V8 may give such
 * an object room for every number up to its largest key, for good: on some starts that was 5 MB. An object whose largest key ever was
 * 65535 is a hash table, and stays one while it has few keys.
 */
const sparseGraph: Plugin = {
  name: 'sparse-graph',
  transform: {
    filter: { id: /@prisma\/client\/runtime\/client\.m?js$/ },
    handler(code) {
      const object = 'o={};for(let s=0;s<i;s++)';
      const parts = code.split(object);
      if (parts.length !== 3 || applied.has(sparseGraph.name))
        throw new Error('The graph of inputs and outputs of Prisma looks different.');
      applied.add(sparseGraph.name);
      return { code: parts.join(object.replace('{}', '{65535:0};delete o[65535]')), map: null };
    },
  },
};

const LOOKS_DIFFERENT = 'The query compiler of Prisma looks different.';
const WASM_PAGE_BYTES = 65_536;

function replaceOnce(text: string, part: string, by: string): string {
  const parts = text.split(part);
  if (parts.length !== 2) throw new Error(LOOKS_DIFFERENT);
  return parts.join(by);
}

const compiler = path.join(root, 'node_modules/typescript-compiler/bin/tsc');
mkdirSync(dist, { recursive: true });
const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (status !== 0) process.exit(1);

const bundle = await rolldown({
  input: path.join(root, 'src/main.ts'),
  cwd: root,
  platform: 'node',
  // What npm installs beside the bundle, or not at all.
  external: [...Object.keys(dependencies), ...OPTIONAL],
  // The ES modules, where a package has both: so that there is one `graphql`.
  resolve: { mainFields: ['module', 'main'], extensions: ['.mjs', '.js', '.json'] },
  plugins: [requiredModules, compilerFile, sparseGraph],
  experimental: { nativeMagicString: true },
  onwarn(warning) {
    throw new Error(warning.message);
  },
});
for (const name of readdirSync(dist)) {
  if (!KEPT.has(name)) rmSync(path.join(dist, name), { recursive: true });
}
const { output } = await bundle.write({
  dir: dist,
  entryFileNames: '[name].js',
  chunkFileNames: ({ name }) => `chunks/${name.replace(/^@|~.*/g, '')}.js`,
  sourcemap: true,

  // The C library keeps all memory up to the size of the largest piece that was ever freed, and a file is read into one.
  codeSplitting: {
    groups: [
      {
        name: packageOf,
        debugName: 'packages',
        test: /[\\/]node_modules[\\/]/,
        entriesAware: true,
        minSize: OWN_FILE_BYTES,
      },
    ],
  },
  // A string with other characters takes twice the memory.
  charset: 'ascii',
  minify: false,
  keepNames: true,
  comments: { legal: false, annotation: false, jsdoc: false },
});
await bundle.close();
for (const { name } of [compilerFile, sparseGraph]) {
  if (!applied.has(name)) throw new Error(`Nothing was changed by ${name}.`);
}

const chunks = output.filter((file): file is OutputChunk => file.type === 'chunk');
const packages = readBundledPackages(chunks.flatMap(({ modules }) => Object.keys(modules)));
writeFileSync(path.join(dist, 'licenses.txt'), toLicenseTexts(packages));
writeFileSync(path.join(dist, 'bundled.cdx.json'), toSbom(packages));
