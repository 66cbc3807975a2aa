#!/usr/bin/env node
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write('gatehouse: not built yet; run "npm run build" first (npm start does so by itself).\n');
  process.exitCode = 1;
}
