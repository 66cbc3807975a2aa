import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** Where `npm run dev` in this folder finds the gateway. */
const GATEWAY = 'http://localhost:4000';

/** Servers to begin with. The page that adds servers offers them. */
const EXAMPLES = new URL('../examples/servers.json', import.meta.url);

/** The packages, and the sources that the first page needs; also how the addresses of later pages are read. */
const FIRST = /node_modules|\/console\/src\/(?:app|graph|ui|pages\/servers)\/|\/search\.ts$/;

function toPath(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/**
 * The policy of the console allows no inline scripts and styles, so nothing is inlined. The names of all files but
 * index.html have a hash of their content.
 */
export default defineConfig({
  root: toPath('.'),
  publicDir: false,
  define: { EXAMPLE_SERVERS: JSON.stringify(readFileSync(EXAMPLES, 'utf8')) },
  oxc: { jsx: { runtime: 'automatic' } },
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    assetsDir: 'assets',
    assetsInlineLimit: 0,
    // The gateway finds the files of the pages that it writes itself by their sources.
    manifest: 'manifest.json',
    modulePreload: { polyfill: false },
    target: 'es2022',
    reportCompressedSize: false,
    // What the first page needs is one file. The pages that are loaded when they are opened have files of their own.
    rolldownOptions: {
      input: [
        'index.html',
        'src/standalone/page.css',
        'src/standalone/connected.ts',
        'src/standalone/playground.css',
        'src/standalone/playground.ts',
      ].map(toPath),
      output: { codeSplitting: { groups: [{ name: 'first', test: FIRST }] } },
    },
  },
  server: {
    proxy: {
      '/graphql': { target: GATEWAY, ws: true },
      '/auth': GATEWAY,
      '/api': GATEWAY,
      // The files of the pages that the gateway writes itself.
      '/assets': GATEWAY,
    },
  },
});
