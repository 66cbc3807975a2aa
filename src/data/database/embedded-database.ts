import { PGlite, type PGliteOptions } from '@electric-sql/pglite';
import type { SqlDriverAdapter, SqlMigrationAwareDriverAdapterFactory } from '@prisma/driver-adapter-utils';
import { PrismaPGlite } from 'pglite-prisma-adapter';
import type { Database, RawRow } from './database.ts';
import { countingWrites, createWriteCount, mayWrite } from './write-count.ts';

/**
 * PostgreSQL clears its shared buffers at each start. Its default of 128 MB would be half of the time that a start takes,
 * and most of the memory. What is not in them comes from the cache of the operating system.
 */
const START_PARAMS = [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB'];

/**
 * Opens PostgreSQL inside this process (PGlite). Only one process may open a folder, so take its lock first
 * (`acquireFolderLock`).
 *
 * @param location a folder, or `memory://` for a database that lives as long as the process
 */
export async function openEmbeddedDatabase(location: string, options: PGliteOptions = {}): Promise<Database> {
  return wrapPglite(await PGlite.create(location, { startParams: START_PARAMS, ...options }));
}

/** Wraps a PGlite instance that is already open. */
async function wrapPglite(pglite: PGlite): Promise<Database> {
  await pglite.exec("SET TIME ZONE 'UTC'");
  let lastMigration: Promise<unknown> = Promise.resolve();
  const writes = createWriteCount();

  return {
    kind: 'embedded',
    adapterFactory: countingWrites(wholeScriptFactory(pglite), writes),
    migrationAdapterFactory: wholeScriptFactory(pglite),
    async query(sql, parameters = []) {
      try {
        const result = await pglite.query<RawRow>(sql, [...parameters]);
        return result.rows;
      } finally {
        if (mayWrite(sql)) writes.add();
      }
    },
    withMigrationLock(work) {
      const next = lastMigration.then(work, work);
      lastMigration = next.catch(() => undefined);
      return next;
    },
    async listen(channel, onNotify) {
      const stop = await pglite.listen(channel, onNotify);
      return { isConnected: () => !pglite.closed, close: () => (pglite.closed ? Promise.resolve() : stop()) };
    },
    writeCount: writes.value,
    poolUsage: () => ({ total: 1, idle: pglite.closed ? 0 : 1, waiting: 0 }),
    close: () => pglite.close(),
  };
}

/** The stock adapter does not await scripts and does not report their failures. */
function wholeScriptFactory(pglite: PGlite): SqlMigrationAwareDriverAdapterFactory {
  const factory = new PrismaPGlite(pglite);
  const whole = (adapter: SqlDriverAdapter): SqlDriverAdapter => {
    adapter.executeScript = async (script) => {
      await pglite.exec(script);
    };
    return adapter;
  };
  return {
    provider: factory.provider,
    adapterName: factory.adapterName,
    connect: async () => whole(await factory.connect()),
    connectToShadowDb: async () => whole(await factory.connectToShadowDb()),
  };
}
