import { readFileSync } from 'node:fs';

// Fails when the first load of a member's page grew beyond its budget. The browser test measures what is really sent; this
// tells it without a browser, from what the page and its scripts load at once.

/** As gzip. */
const MAX_BYTES = 280_000;
/** With the two queries of the page, and the WebSocket. */
const MAX_REQUESTS = 10;
const QUERIES = 3;

interface Chunk {
  file: string;
  imports?: string[];
  css?: string[];
  assets?: string[];
}

const dist = new URL('../dist/console/', import.meta.url);
const manifest: Record<string, Chunk> = JSON.parse(readFileSync(new URL('manifest.json', dist), 'utf8'));

const files = new Set(['index.html']);
const add = (chunk: Chunk): void => {
  for (const file of [chunk.file, ...(chunk.css ?? []), ...(chunk.assets ?? [])]) files.add(file);
  for (const name of chunk.imports ?? []) {
    const imported = manifest[name];
    if (imported !== undefined && !files.has(imported.file)) add(imported);
  }
};
const page = manifest['index.html'];
if (page !== undefined) add(page);

const bytes = [...files].reduce((sum, file) => sum + readFileSync(new URL(`${file}.gz`, dist)).length, 0);
const requests = files.size + QUERIES;
console.log(`The console's first load: ${(bytes / 1000).toFixed(0)} kB in ${requests} requests.`);
if (files.size < 4 || bytes > MAX_BYTES || requests > MAX_REQUESTS) {
  console.log(`At most ${MAX_BYTES / 1000} kB in ${MAX_REQUESTS} requests are allowed. ${[...files].join(', ')}`);
  process.exit(1);
}
