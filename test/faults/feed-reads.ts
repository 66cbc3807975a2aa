import { setTimeout as delay } from 'node:timers/promises';
import type { ConfigState, Ledger } from './feed-ledger.ts';
import { connect } from './feed-writers.ts';

const BEAT_MS = 50;
const READ_MS = 100;
const CALL_MS = 1_000;
/** The minimum polling interval of a gateway without notifications (docs/adr/0005-feed-and-memory.md, "Doubt"). */
const MAX_STALE_MS = 2_000;
const ANSWER_MS = 3_000;
/** Further readers at each replica whose requests reach the database: as many as a pool has connections. */
const CALLERS = 10;

/** Sends a query to one replica. @throws Error if it does not answer, or answers with errors */
export async function askReplica<Data>(url: string, token: string, query: string, timeoutMs: number): Promise<Data> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
    signal: AbortSignal.timeout(Math.ceil(timeoutMs)),
  });
  const { data, errors } = (await response.json()) as { data?: Data | null; errors?: unknown };
  if (errors !== undefined || data == null) throw new Error(JSON.stringify(errors));
  return data;
}

/** All configs, as one replica lists them. */
export async function listAll(url: string, token: string): Promise<ListedConfig[]> {
  const all: ListedConfig[] = [];
  let after: string | null = null;
  do {
    const { nodes, pageInfo } = await listPage(url, token, after);
    all.push(...nodes);
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);
  return all;
}

type ListedConfig = ConfigState & { id: string };

interface Page {
  nodes: ListedConfig[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

async function listPage(url: string, token: string, after: string | null): Promise<Page> {
  const query = `{ mcpServerConfigs(first: 100, after: ${JSON.stringify(after)}) {
    nodes { id version enabled description } pageInfo { hasNextPage endCursor } } }`;
  return (await askReplica<{ mcpServerConfigs: Page }>(url, token, query, ANSWER_MS)).mcpServerConfigs;
}

/** Clients that read at each replica all the time. */
export interface Reads {
  /** Number of successful and failed reads. */
  counts(): { answered: number; failed: number };
  /** Answers that were older than allowed. */
  stale(): string[];
  stop(): Promise<void>;
}

/**
 * Changes one config repeatedly and reads it at each replica: an answer may be missing, but never stale.
 *
 * @param beaconId a config that nobody else writes
 */
export function startReads(options: {
  url: string;
  ledger: Ledger;
  urls: readonly string[];
  token: string;
  beaconId: string;
}): Reads {
  const { url, ledger, urls, token, beaconId } = options;
  /** When each version was known to be committed. */
  const committed: { version: number; at: number }[] = [];
  const stale: string[] = [];
  const counts = { answered: 0, failed: 0 };
  let isStopped = false;

  const beat = async (): Promise<void> => {
    let client = await connect(url);
    try {
      for (let version = 2; !isStopped; ) {
        const state = { version, enabled: true, description: `beat ${version}` };
        const sql = `UPDATE mcp_server_configs SET version = $2, enabled = true, description = $3 WHERE id = $1 AND version < $2`;
        try {
          await client.query(sql, [beaconId, version, state.description]);
        } catch {
          // Repeat it: the statement is idempotent.
          await client.end().catch(() => undefined);
          client = await connect(url);
          continue;
        }
        committed.push({ version, at: performance.now() });
        ledger.commit([{ id: beaconId, state }]);
        version += 1;
        await delay(BEAT_MS);
      }
    } finally {
      await client.end().catch(() => undefined);
    }
  };

  const read = async (replica: string): Promise<void> => {
    const query = `{ mcpServerConfig(id: "${beaconId}") { version } }`;
    while (!isStopped) {
      const startedAt = performance.now();
      try {
        const { mcpServerConfig } = await askReplica<{ mcpServerConfig: { version: number } }>(
          replica,
          token,
          query,
          ANSWER_MS,
        );
        counts.answered += 1;
        const least = committed.findLast(({ at }) => at < startedAt - MAX_STALE_MS)?.version ?? 1;
        if (mcpServerConfig.version < least) stale.push(`version ${mcpServerConfig.version} in place of ${least}`);
      } catch {
        counts.failed += 1;
      }
      await delay(READ_MS);
    }
  };

  const call = async (replica: string): Promise<void> => {
    while (!isStopped) {
      await askReplica(replica, token, '{ auditLog(first: 1) { nodes { id } } }', ANSWER_MS).catch(() => undefined);
      await delay(CALL_MS * Math.random());
    }
  };

  const callers = urls.flatMap((replica) => Array.from({ length: CALLERS }, () => call(replica)));
  const running = Promise.all([beat(), ...urls.map(read), ...callers]);
  running.catch(() => undefined);
  return {
    counts: () => counts,
    stale: () => stale,
    async stop() {
      isStopped = true;
      await running;
    },
  };
}
