import { SYSTEM } from '../../policy/viewer.ts';
import type { Database } from '../database/database.ts';
import type { Store } from '../store.ts';
import { createConfigReads } from './config-reads.ts';
import { type ConfigSnapshot, createConfigSnapshots } from './config-snapshot.ts';
import { createConnectionReads } from './connection-reads.ts';
import { createCredentialReads } from './credential-reads.ts';
import { createFeedReader, type FeedReader } from './feed-reader.ts';

/** What a process keeps in memory of its database. */
export interface Memory {
  /** Reads the changes; `start` it, and `close` it. */
  reader: FeedReader;
  /**
   * The store, with the reads that are asked all the time answered from memory: never with less than what was
   * committed through this process, and with what others committed as soon as it is heard of. In transactions
   * everything is read from the database.
   */
  store: Store;
  /** All configs as they are now, with the change that they are at. */
  configs(): Promise<ConfigSnapshot>;
  /** The same as far as this process has read the changes, without asking whether there are more. */
  configsAtHead(): ConfigSnapshot | Promise<ConfigSnapshot>;
}

/** Puts memory in front of a store. */
export function createMemory(options: {
  store: Store;
  database: Pick<Database, 'listen' | 'writeCount'>;
  onDelay?: (delayMs: number) => void;
  onError: (error: unknown) => void;
}): Memory {
  const { store, database, onDelay, onError } = options;

  const snapshots = createConfigSnapshots(() =>
    store.atOneMoment(async (tx) => {
      const { rev } = await tx.feed.position(SYSTEM, { withHistory: false });
      return { rev, configs: await tx.configs.listAll(SYSTEM, undefined) };
    }),
  );
  const reader = createFeedReader({
    feed: store.feed,
    database,
    ...(onDelay !== undefined && { onDelay }),
    onError,
    observer: {
      onChanges(changes) {
        snapshots.apply(changes);
        connections.apply(changes);
      },
      onForget() {
        snapshots.forget();
        connections.forget();
        credentials.forget();
      },
    },
  });
  const connections = createConnectionReads(store.connections, reader.fresh);
  const credentials = createCredentialReads(store, reader.fresh);
  const configs = async (): Promise<ConfigSnapshot> => {
    await reader.fresh();
    return snapshots.get();
  };

  return {
    reader,
    configs,
    configsAtHead: snapshots.get,
    store: {
      ...store,
      configs: { ...store.configs, ...createConfigReads(configs) },
      connections: { ...store.connections, ...connections.reads },
      apiTokens: { ...store.apiTokens, ...credentials.apiTokens },
      sessions: { ...store.sessions, ...credentials.sessions },
      users: { ...store.users, ...credentials.users },
    },
  };
}
