import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { openEmbeddedDatabase } from '../../src/data/database/embedded-database.ts';
import { readMigrations } from '../../src/data/migrations/migration.ts';
import { applyMigrations } from '../../src/data/migrations/migrations.ts';
import { type EmbeddedFiles, KeptMemory, loadFiles, packFiles } from './embedded-files.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CACHE = path.join(ROOT, 'node_modules/.cache/gatehouse');
const KEEP_MS = 24 * 60 * 60 * 1_000;

/** What the empty snapshot depends on, and the other one besides the migrations. */
const INPUTS = [
  'node_modules/@electric-sql/pglite/package.json',
  'test/setup/embedded-files.ts',
  'test/setup/embedded-snapshot.ts',
];

/** Files with the embedded database, for `loadFiles`. */
export interface EmbeddedSnapshots {
  /** With all tables, and no rows. */
  migrated: string;
  /** Without tables. */
  empty: string;
}

/**
 * Makes snapshots of the embedded database, unless an earlier run has made them. Creating and migrating a database takes
 * ten times longer than opening a snapshot.
 */
export async function makeEmbeddedSnapshots(): Promise<EmbeddedSnapshots> {
  const inputs = await Promise.all(INPUTS.map((input) => readFile(path.join(ROOT, input), 'utf8')));
  const migrations = (await readMigrations()).flatMap(({ name, sql }) => [name, sql]);
  const files = {
    migrated: path.join(CACHE, `migrated-${hashTexts([...migrations, ...inputs])}`),
    empty: path.join(CACHE, `empty-${hashTexts(inputs)}`),
  };
  const all = Object.values(files);
  if (all.every((file) => existsSync(file))) {
    await Promise.all(all.map((file) => utimes(file, new Date(), new Date())));
    return files;
  }
  await mkdir(CACHE, { recursive: true });
  await removeOld();
  if (!existsSync(files.empty)) {
    const created = new KeptMemory();
    const pglite = await PGlite.create({ fs: created });
    await dropTemplates(pglite);
    await pglite.close();
    await save(created.kept, files.empty);
  }
  const memory = new KeptMemory(await loadFiles(files.empty));
  const database = await openEmbeddedDatabase('memory://', { fs: memory });
  await applyMigrations(database);
  await database.close();
  await save(memory.kept, files.migrated);
  return files;
}

async function save(files: EmbeddedFiles, file: string): Promise<void> {
  // Another run may make the same file at the same time.
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, packFiles(files));
  await rename(draft, file);
}

/** Opening a database takes time for each of its files, and these databases are two thirds of them. */
async function dropTemplates(pglite: PGlite): Promise<void> {
  await pglite.exec("UPDATE pg_database SET datistemplate = false WHERE datname LIKE 'template%'");
  for (const name of ['template0', 'template1']) await pglite.exec(`DROP DATABASE ${name}`);
}

function hashTexts(texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex').slice(0, 16);
}

/** Removes what no test run uses any more. */
async function removeOld(): Promise<void> {
  for (const name of await readdir(CACHE)) {
    const file = path.join(CACHE, name);
    const found = await stat(file).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > KEEP_MS) await rm(file, { force: true });
  }
}
