import type { TestProject } from 'vitest/node';
import { makeEmbeddedSnapshot } from './embedded-snapshot.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A file with the migrated, empty embedded database: opening it is faster than creating one. */
    embeddedSnapshot?: string;
  }
}

export default async function setup(project: TestProject): Promise<void> {
  project.provide('embeddedSnapshot', await makeEmbeddedSnapshot());
}
