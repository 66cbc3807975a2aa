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

/** Checks that all mirrors saw what was committed, completely and in order. */
export function expectNothingLost(mirrors: readonly Mirror[], ledger: Ledger, { rows, markerId }: Truth): void {
  ledger.settle(rows);
  const expected = ledger.expected();
  const table = sortById(rows.map(({ slug: _slug, ...row }) => row));
  for (const mirror of mirrors) {
    const events = cutAt(mirror.events, markerId);
    expect(events.length).toBeGreaterThan(0);
    expect(findDifferences(events, expected)).toEqual([]);
    expect(toConfigs(events)).toEqual(table);
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
  const seen = new Map<string, Step[]>();
  for (const { configId, ...step } of events) {
    const steps = seen.get(configId) ?? [];
    seen.set(configId, steps);
    steps.push(step);
  }
  const differences: string[] = [];
  for (const id of new Set([...seen.keys(), ...expected.keys()])) {
    const difference = findDifference(seen.get(id) ?? [], expected.get(id) ?? []);
    if (difference !== undefined) differences.push(`${id}, ${difference}`);
  }
  return differences.slice(0, MAX_TOLD);
}

/**
 * A mirror that resumes sees the present state in place of older ones, never the other way round. Of a config that is
 * deleted by then it may see no more than the removal.
 */
function findDifference(got: readonly Step[], wanted: readonly Step[]): string | undefined {
  const isRemoved = wanted.at(-1)?.state === null;
  if (isRemoved ? got.length > wanted.length : got.length !== wanted.length)
    return `${got.length} events in place of ${wanted.length}`;
  if (toText(got.at(-1)) !== toText(wanted.at(-1))) return `${toText(got.at(-1))} in place of ${toText(wanted.at(-1))}`;
  let least = 0;
  for (const [index, { type, state }] of got.slice(0, -1).entries()) {
    const at = wanted.findIndex((step) => state !== null && step.state?.version === state.version);
    if (at < least || toText({ type, state }) !== toText({ type, state: wanted[at]?.state ?? null }))
      return `step ${index}: ${toText({ type, state })} after version ${wanted[least]?.state?.version}`;
    if (!isRemoved && (at < index || type !== wanted[index]?.type)) return `step ${index}: ${toText({ type, state })}`;
    least = at;
  }
  return undefined;
}

function toText(step: Step | undefined): string {
  if (step === undefined) return 'nothing';
  const { type, state } = step;
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
