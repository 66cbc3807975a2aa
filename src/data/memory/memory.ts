import type { Caches } from '../../cache/caches.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import type { Database } from '../database/database.ts';
import type { ConfigChangeRecord } from '../records.ts';
import type { Store } from '../store.ts';
import { createChatReads } from './chat-reads.ts';
import { createConfigReads } from './config-reads.ts';
import { type ConfigSnapshot, createConfigSnapshots } from './config-snapshot.ts';
import { createConnectionReads } from './connection-reads.ts';
import { createCredentialReads } from './credential-reads.ts';
import { createFeedReader, type FeedReader } from './feed-reader.ts';
import { createToolReads } from './tool-reads.ts';

/** The parts of the database that a process keeps in memory. */
export interface Memory {
  /** The feed reader. Call `start` before use and `close` at the end. */
  reader: FeedReader;
  /**
   * The store with its most frequent reads answered from memory. They always include what was committed through this
   * process, and other replicas' commits as soon as this process is notified of them. Transactions read everything from
   * the database.
   */
  store: Store;
  /** All configs as of now, with their revision. */
  configs(): Promise<ConfigSnapshot>;
  /** All configs at the revision this process has read, without checking for newer changes. */
  configsAtHead(): ConfigSnapshot | Promise<ConfigSnapshot>;
}

/** Adds the in-memory reads to a store. */
export function createMemory(options: {
  store: Store;
  database: Pick<Database, 'listen' | 'writeCount'>;
  caches: Caches;
  onDelay?: (delayMs: number) => void;
  /** Called with the changes that were read, after memory has them. */
  onChanges?: (changes: readonly ConfigChangeRecord[]) => void;
  /** Called when anything may have changed that the changes do not tell, such as users and their credentials. */
  onInvalidate?: () => void;
  onError: (error: unknown) => void;
}): Memory {
  const { store, database, caches, onDelay, onChanges, onInvalidate, onError } = options;

  const snapshots = caches.add(
    createConfigSnapshots(() =>
      store.atOneMoment(async (tx) => {
        const { rev } = await tx.feed.position(SYSTEM, { withHistory: false });
        return { rev, configs: await tx.configs.listAll(SYSTEM, undefined) };
      }),
    ),
  );
  const forgetCallers = (): void => {
    connections.invalidate();
    credentials.invalidate();
    tools.invalidate();
    onInvalidate?.();
  };
  const reader = createFeedReader({
    feed: store.feed,
    database,
    caches,
    ...(onDelay !== undefined && { onDelay }),
    onError,
    observer: {
      onChanges(changes) {
        snapshots.apply(changes);
        connections.apply(changes);
        tools.apply(changes);
        onChanges?.(changes);
      },
      onCallersChanged: forgetCallers,
      onInvalidate() {
        snapshots.invalidate();
        forgetCallers();
      },
    },
  });
  const connections = createConnectionReads(store.connections, reader.fresh, caches);
  const credentials = createCredentialReads(store, reader.fresh, caches);
  const tools = createToolReads(store.tools, reader.fresh, caches);
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
      tools: { ...store.tools, ...tools.reads },
      apiTokens: { ...store.apiTokens, ...credentials.apiTokens },
      sessions: { ...store.sessions, ...credentials.sessions },
      users: { ...store.users, ...credentials.users },
      chats: { ...store.chats, ...createChatReads(store.chats) },
    },
  };
}
