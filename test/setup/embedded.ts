import type { TestProject } from 'vitest/node';
import { type EmbeddedSnapshots, makeEmbeddedSnapshots } from './embedded-snapshot.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Present if this run is on the embedded database. */
    embeddedSnapshots?: EmbeddedSnapshots;
  }
}

export default async function setup(project: TestProject): Promise<void> {
  project.provide('embeddedSnapshots', await makeEmbeddedSnapshots());
}
