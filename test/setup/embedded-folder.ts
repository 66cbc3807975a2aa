import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { TestProject } from 'vitest/node';
import { makeEmbeddedSnapshots } from './embedded-snapshot.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder with the migrated, empty embedded database, to copy. */
    embeddedFolder: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-database-'));
  const loadDataDir = new Blob([await readFile((await makeEmbeddedSnapshots()).migrated)]);
  const pglite = await PGlite.create(path.join(folder, 'database'), { loadDataDir });
  await pglite.close();
  project.provide('embeddedFolder', path.join(folder, 'database'));
  return () => rm(folder, { recursive: true, force: true });
}
