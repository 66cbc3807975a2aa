import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { within } from '../setup/wait-until.ts';
import type { ConfigRow, Ledger, Step } from './feed-ledger.ts';
import type { Mirror, MirroredEvent } from './feed-mirror.ts';
import { insert } from './feed-transaction.ts';
import { connect } from './feed-writers.ts';

/** Locks of a gateway that was cut off are released after this long. */
const LOCK_MS = 40_000;
/** Maximum number of reported differences. */
const MAX_TOLD = 5;

/** The table at one moment, and a config created in the same moment: everything before its event is in the table. */
export interface Truth {
  rows: ConfigRow[];
  markerId: string;
}

/** Takes a snapshot at a moment when nobody else writes. */
export async function readTruth(url: string): Promise<Truth> {
  const client = await connect(url);
  try {
    const markerId = randomUUID();
    await client.query('BEGIN');
    await client.query(`SET LOCAL lock_timeout = ${LOCK_MS}`);
    await client.query('LOCK TABLE mcp_server_configs IN SHARE ROW EXCLUSIVE MODE');
    const sql = 'SELECT id, slug, version, enabled, description FROM mcp_server_configs';
    const { rows } = await client.query<ConfigRow>(sql);
    await client.query(insert(markerId, 'the end'));
    await client.query('COMMIT');
    return { rows, markerId };
  } finally {
    await within('goodbye', 5_000, client.end());
  }
}

/** Checks that all mirrors saw exactly what was committed, completely and in the same order. */
export function expectNothingLost(mirrors: readonly Mirror[], ledger: Ledger, { rows, markerId }: Truth): void {
  ledger.settle(rows);
  const expected = ledger.expected();
  const table = sortById(rows.map(({ slug: _slug, ...row }) => row));
  const sequences = mirrors.map(({ events }) => cutAt(events, markerId));
  const [first = []] = sequences;
  expect(first.length).toBeGreaterThan(0);
  for (const events of sequences) {
    expect(findDifferences(events, expected)).toEqual([]);
    expect(toConfigs(events)).toEqual(table);
    // Not one comparison of everything: the report of a difference would be endless.
    expect(events.length).toBe(first.length);
    expect(events.findIndex(({ cursor }, index) => cursor !== first[index]?.cursor)).toBe(-1);
    expect(new Set(events.map(({ cursor }) => cursor)).size).toBe(events.length);
  }
}

/** Checks that a replica lists the rows of the table. */
export function expectListed(listed: readonly { id: string }[], { rows, markerId }: Truth): void {
  const table = rows.map(({ slug: _slug, ...row }) => row);
  expect(sortById(listed.filter(({ id }) => id !== markerId))).toEqual(sortById(table));
}

function cutAt(events: readonly MirroredEvent[], markerId: string): readonly MirroredEvent[] {
  const end = events.findIndex(({ configId }) => configId === markerId);
  if (end === -1) throw new Error('the mirror does not have the end');
  return events.slice(0, end);
}

/** Where the observed history of a config differs from the actual one. */
function findDifferences(events: readonly MirroredEvent[], expected: ReadonlyMap<string, Step[]>): string[] {
  const seen = new Map<string, string[]>();
  for (const { configId, type, state } of events) {
    const steps = seen.get(configId) ?? [];
    seen.set(configId, steps);
    steps.push(toText({ type, state }));
  }
  const differences: string[] = [];
  for (const id of new Set([...seen.keys(), ...expected.keys()])) {
    const wanted = (expected.get(id) ?? []).map(toText);
    const got = seen.get(id) ?? [];
    const index = Array.from({ length: Math.max(wanted.length, got.length) }).findIndex(
      (_, step) => wanted[step] !== got[step],
    );
    if (index !== -1) differences.push(`${id}, step ${index}: ${got[index]} in place of ${wanted[index]}`);
  }
  return differences.slice(0, MAX_TOLD);
}

function toText({ type, state }: Step): string {
  return state === null ? type : `${type} ${state.version} ${state.enabled} ${state.description}`;
}

/** Applies events to an empty mirror. */
function toConfigs(events: readonly MirroredEvent[]): object[] {
  const configs = new Map<string, { id: string }>();
  for (const { configId, state } of events) {
    if (state === null) configs.delete(configId);
    else configs.set(configId, { id: configId, ...state });
  }
  return sortById([...configs.values()]);
}

function sortById<Config extends { id: string }>(configs: Config[]): Config[] {
  return configs.sort((a, b) => (a.id < b.id ? -1 : 1));
}
