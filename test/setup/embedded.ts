import type { TestProject } from 'vitest/node';
import { type EmbeddedSnapshots, makeEmbeddedSnapshots } from './embedded-snapshot.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Present if this run is on the embedded database. */
    embeddedSnapshots?: EmbeddedSnapshots;
    /** Present if the same run has a PostgreSQL server, too. */
    alsoOnServer?: boolean;
  }
}

export default async function setup(project: TestProject): Promise<void> {
  project.provide('embeddedSnapshots', await makeEmbeddedSnapshots());
}
