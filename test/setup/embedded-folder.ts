import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { loadFiles, writeFolder } from './embedded-files.ts';
import { makeEmbeddedSnapshots } from './embedded-snapshot.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder with the migrated, empty embedded database, to copy. */
    embeddedFolder: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-database-'));
  writeFolder(path.join(folder, 'database'), await loadFiles((await makeEmbeddedSnapshots()).migrated));
  project.provide('embeddedFolder', path.join(folder, 'database'));
  return () => rm(folder, { recursive: true, force: true });
}
