import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { TestProject } from 'vitest/node';
import { wrapPglite } from '../../src/data/database/embedded-database.ts';
import { applyMigrations } from '../../src/data/migrations/migrations.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A file with the migrated, empty embedded database: opening it is faster than creating one. */
    embeddedSnapshot?: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-test-'));
  const file = path.join(folder, 'snapshot.tar');
  const pglite = await PGlite.create('memory://');
  await applyMigrations(await wrapPglite(pglite));
  const snapshot = await pglite.dumpDataDir('none');
  await writeFile(file, Buffer.from(await snapshot.arrayBuffer()));
  await pglite.close();
  project.provide('embeddedSnapshot', file);
  return () => rm(folder, { recursive: true, force: true });
}
