import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { expect } from 'vitest';
import { createOwnDatabase } from '../setup/own-database.ts';
import { startTcpProxy, type TcpProxy } from '../setup/tcp-proxy.ts';
import { waitUntil, within } from '../setup/wait-until.ts';
import { startApiWriters } from './feed-api-writer.ts';
import { expectListed, expectNothingLost, readTruth } from './feed-checks.ts';
import { type ConfigState, createLedger, type Ledger } from './feed-ledger.ts';
import { type Mirror, startMirror } from './feed-mirror.ts';
import { askReplica, listAll, startReads } from './feed-reads.ts';
import { type Replicas, startReplicas } from './feed-replicas.ts';
import { insert } from './feed-transaction.ts';
import { connect, startWriters } from './feed-writers.ts';

const REPLICAS = 2;
const MIRRORS_PER_REPLICA = 2;
const WRITERS = 16;
const API_WRITERS = 2;
const SHARED_CONFIGS = 8;
/** Ends what never recovers. How long it took is printed: a busy machine may take its time. */
const RECOVERY_MS = 40_000;
/** A request that has no answer by then is made anew: its connection may be one that leads nowhere. */
const REQUEST_MS = 5_000;

/** What runs while a fault happens. */
export interface FeedRun {
  /** Direct URL of the database, not through the proxy. */
  url: string;
  replicas: Replicas;
  proxy: TcpProxy;
  commits(): number;
  /**
   * Call this as soon as a fault is over. Waits until every mirror has everything that was committed before, and every
   * replica serves it and accepts changes.
   */
  expectRecovery(what: string): Promise<void>;
}

/**
 * Runs two replicas with mirrors, writers and readers during a fault. Checks that nothing was lost and that no process
 * ended.
 *
 * @param options.pauseMs how long a writer rests between two transactions; none by default, which is more than a small
 * machine can follow
 */
export async function expectFeedSurvives(
  options: { serverUrl: string; pauseMs?: number },
  fault: (run: FeedRun) => Promise<void>,
): Promise<void> {
  const { serverUrl, pauseMs } = options;
  const own = await createOwnDatabase(serverUrl);
  const { url } = own;
  const proxy = await startTcpProxy(Number(new URL(url).port));
  const proxied = new URL(url);
  proxied.port = String(proxy.port);
  const ledger = createLedger();
  const cleanUps: (() => Promise<unknown>)[] = [own.drop, proxy.close];
  try {
    const replicas = await startReplicas(Array.from({ length: REPLICAS }, () => proxied.href));
    cleanUps.push(replicas.stop);
    const { urls, token } = replicas;
    const mirrors = urls.flatMap((_, index) =>
      Array.from({ length: MIRRORS_PER_REPLICA }, () =>
        startMirror([...urls.slice(index), ...urls.slice(0, index)], token),
      ),
    );
    for (const { stop } of mirrors) cleanUps.push(stop);
    await within('the mirrors follow', 20_000, Promise.all(mirrors.map(({ ready }) => ready)));

    const startedAt = performance.now();
    const shared = await createConfigs(url, ledger, SHARED_CONFIGS);
    const [beaconId = ''] = await createConfigs(url, ledger, 1);
    const writers = startWriters({ url, ledger, count: WRITERS, shared, pauseMs });
    const apiWriters = startApiWriters({ urls, token, ledger, count: API_WRITERS });
    const reads = startReads({ url, ledger, urls, token, beaconId });
    const stopAll = () => Promise.all([writers.stop(), apiWriters.stop(), reads.stop()]);
    cleanUps.push(stopAll);

    const expectRecovery = async (what: string): Promise<void> => {
      const overAt = performance.now();
      const [probeId = ''] = await createConfigs(url, ledger, 1);
      const left = () => Math.max(RECOVERY_MS - (performance.now() - overAt), 0);
      const mirrored = mirrors.map(async (mirror, index) => {
        const name = `mirror ${index} has what was committed before (${what})`;
        await waitUntil(name, () => mirror.has(probeId), left());
        return performance.now() - overAt;
      });
      const read = urls.map(async (replica, index) => {
        const others = new Set<string>();
        const listed = async (): Promise<boolean> => {
          const answer = await list(replica, token, probeId, Math.min(left(), REQUEST_MS));
          if (answer !== true) others.add(answer === false ? 'without it' : answer.message);
          return answer === true;
        };
        await waitUntil(`replica ${index} answers (${what})`, listed, left()).catch((error: Error) => {
          throw new Error(`${error.message}, only ${[...others].join('; ')}`);
        });
        return performance.now() - overAt;
      });
      const written = urls.map(async (replica, index) => {
        const writes = () =>
          askReplica(replica, token, 'mutation { createChat(input: {}) { id } }', REQUEST_MS).then(
            () => true,
            () => false,
          );
        await waitUntil(`replica ${index} writes (${what})`, writes, RECOVERY_MS);
        return performance.now() - overAt;
      });
      const groups = [mirrored, read, written].map((group) => Promise.allSettled(group));
      const [ofMirrors = [], ofReads = [], ofWrites = []] = await Promise.all(groups);
      console.log(
        `${what}: mirrors after ${toText(ofMirrors)} ms, lists after ${toText(ofReads)} ms, ` +
          `mutations after ${toText(ofWrites)} ms.`,
      );
      const times = [...ofMirrors, ...ofReads, ...ofWrites];
      expect(times.flatMap((time) => (time.status === 'rejected' ? [String(time.reason)] : []))).toEqual([]);
    };

    await fault({ url, replicas, proxy, commits: ledger.commits, expectRecovery });
    // Writers without a rest may leave a small machine no time to answer. It must answer as soon as they stop.
    await within('the writers stop', 60_000, writers.stop());
    const isServed = () => reads.counts().answered > 0 && apiWriters.writes() > 0;
    await waitUntil('a read and a write by the API are answered', isServed, 30_000);
    await within('the writers stop', 60_000, stopAll());
    const seconds = (performance.now() - startedAt) / 1_000;

    const truth = await readTruth(url);
    const lagMs = await waitForMarker(mirrors, truth.markerId);
    const { answered, failed } = reads.counts();
    const breaks = mirrors.map((mirror) => mirror.breaks());
    console.log(
      `${ledger.commits()} commits in ${seconds.toFixed(1)} s, ${apiWriters.writes()} of them by the API; ` +
        `${answered} reads answered, ${failed} failed; streams broke ${breaks.join(', ')} times; ` +
        `the mirrors had all ${Math.round(lagMs)} ms after the last commit.`,
    );
    expectNothingLost(mirrors, ledger, truth);
    for (const replica of urls) expectListed(await listAll(replica, token), truth);
    expect(replicas.crashes()).toEqual([]);
    expect(reads.stale()).toEqual([]);
  } finally {
    for (const cleanUp of cleanUps.reverse()) await within('to clean up', 60_000, cleanUp()).catch(console.error);
  }
}

function toText(times: readonly PromiseSettledResult<number>[]): string {
  return times.map((time) => (time.status === 'fulfilled' ? Math.round(time.value) : 'too late')).join(', ');
}

async function waitForMarker(mirrors: readonly Mirror[], markerId: string): Promise<number> {
  const haveAll = () => mirrors.every((mirror) => mirror.has(markerId) || mirror.failure() !== undefined);
  const lagMs = await waitUntil('the mirrors have the end', haveAll, 90_000);
  expect(mirrors.map((mirror) => mirror.failure())).toEqual(mirrors.map(() => undefined));
  return lagMs;
}

async function createConfigs(url: string, ledger: Ledger, count: number): Promise<string[]> {
  const client = await connect(url);
  try {
    const ids = Array.from({ length: count }, () => randomUUID());
    for (const id of ids) {
      const { rows } = await client.query<ConfigState>(insert(id, 'new'));
      const [{ version, enabled, description } = { version: 0, enabled: false, description: '' }] = rows;
      ledger.commit([{ id, state: { version, enabled, description } }]);
    }
    return ids;
  } finally {
    await client.end();
  }
}

/** Whether a replica lists a config, or why it does not answer. */
async function list(replica: string, token: string, id: string, timeoutMs: number): Promise<boolean | Error> {
  const query = `{ mcpServerConfigs(first: 5, filter: { search: "c-${id}" }) { nodes { id } } }`;
  try {
    const { mcpServerConfigs } = await askReplica<{ mcpServerConfigs: { nodes: { id: string }[] } }>(
      replica,
      token,
      query,
      timeoutMs,
    );
    return mcpServerConfigs.nodes.some((config) => config.id === id);
  } catch (error) {
    return error as Error;
  }
}
