import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

// Builds the console into dist/console, and compresses each file once, so that the gateway only has to send them.

const root = fileURLToPath(new URL('..', import.meta.url));
const vite = path.join(root, 'node_modules/vite/bin/vite.js');
const { status, stdout, stderr } = spawnSync(process.execPath, [vite, 'build', 'console', '--logLevel', 'warn'], {
  cwd: root,
  encoding: 'utf8',
});
process.stderr.write(`${stdout}${stderr}`);
if (status !== 0) process.exit(1);

const dist = path.join(root, 'dist/console');
// The gateway trusts the console's documents.
const manifests = ['graph', 'pages/admin'].map((folder) =>
  JSON.parse(readFileSync(path.join(root, `console/src/${folder}/generated/persisted-documents.json`), 'utf8')),
);
writeFileSync(path.join(dist, 'documents.json'), JSON.stringify(Object.assign({}, ...manifests)));

for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || ['manifest.json', 'documents.json'].includes(entry.name)) continue;
  const file = path.join(entry.parentPath, entry.name);
  const content = readFileSync(file);
  writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  writeFileSync(`${file}.br`, brotliCompressSync(content, { params }));
}
