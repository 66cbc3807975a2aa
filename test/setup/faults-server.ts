import type { TestProject } from 'vitest/node';
import { startOwnPostgres } from './own-postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A PostgreSQL server of this run's own; absent where the machine has none to start. */
    ownServerUrl?: string;
  }
}

/** What breaks things on purpose breaks its own: a server that is found here is nobody's to be broken. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const server = await startOwnPostgres();
  if (server === undefined) {
    console.log('Skipped: the fault tests, because this machine has no PostgreSQL binaries (initdb, postgres).');
    return undefined;
  }
  project.provide('ownServerUrl', server.url);
  return server.stop;
}
