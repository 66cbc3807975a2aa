import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CACHE = path.join(ROOT, '.vitest-cache');

/** A run has some 1,500 files; each change of one adds another. */
const MAX_FILES = 10_000;

/**
 * The folder where Vitest keeps what it made of each file. Its own key leaves out how TypeScript is set, so each setting
 * has its own folder. Folders of other settings are removed, and one with too many files begins anew.
 */
export function findModuleCache(): string {
  const settings = readFileSync(path.join(ROOT, 'tsconfig.json'));
  const name = createHash('sha256').update(settings).digest('hex').slice(0, 16);
  const folder = path.join(CACHE, name);
  for (const other of existsSync(CACHE) ? readdirSync(CACHE) : []) {
    if (other !== name) rmSync(path.join(CACHE, other), { recursive: true, force: true });
  }
  if (existsSync(folder) && readdirSync(folder).length > MAX_FILES) rmSync(folder, { recursive: true, force: true });
  return folder;
}
