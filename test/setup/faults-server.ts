import type { TestProject } from 'vitest/node';
import { startOwnPostgres } from './own-postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A PostgreSQL server for this run only; absent if the machine cannot start one. */
    ownServerUrl?: string;
  }
}

/** Fault tests break only their own server: an existing server must not be disturbed. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const server = await startOwnPostgres();
  if (server === undefined) {
    console.log('Skipped: the fault tests, because this machine has no PostgreSQL binaries (initdb, postgres).');
    return undefined;
  }
  project.provide('ownServerUrl', server.url);
  return server.stop;
}
