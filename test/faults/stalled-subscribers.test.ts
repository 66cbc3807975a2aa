// Alone: it measures how long the live ones wait.
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Subscribers, startSubscribers } from './subscribers.ts';

const serverUrl = inject('ownServerUrl');

const LIVE = 10;
const STALLED = { overSse: 800, overWebSocket: 200 };
const ROUNDS = 40;
const MAX_GROWTH_BYTES = 130_000_000;

let subscribers: Subscribers;

beforeAll(async () => {
  if (serverUrl !== undefined) subscribers = await startSubscribers(serverUrl);
});
afterAll(() => subscribers?.close());

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

test.runIf(serverUrl !== undefined)(
  'a thousand stalled subscribers cost ten live ones no time, and little memory',
  async () => {
    for (let index = 0; index < LIVE; index += 1) await subscribers.follow();
    const measureRounds = async () => {
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) times.push(await subscribers.change());
      return median(times);
    };
    await measureRounds();
    const before = await measureRounds();
    const memoryBefore = await subscribers.readMemory();

    await subscribers.stall(STALLED);
    expect(await subscribers.countStreams()).toBe(LIVE + STALLED.overSse + STALLED.overWebSocket);
    const changesToStall = await subscribers.fill();
    let after = await measureRounds();
    // WebSockets that answer no ping are dropped first. On a slow machine, that may have happened by now.
    expect(await subscribers.countStreams()).toBeGreaterThanOrEqual(LIVE + STALLED.overSse);
    const growth = (await subscribers.readMemory()) - memoryBefore;
    console.log(
      `Stalled after ${changesToStall} changes; ${before.toFixed(1)} ms before, ${after.toFixed(1)} ms after; ${(growth / 1e6).toFixed(0)} MB more.`,
    );
    expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
    // Unchanged, apart from what a busy machine adds to a median. It may have become busy meanwhile.
    const limit = before * 2 + 25;
    for (let again = 0; after >= limit && again < 2; again += 1) after = await measureRounds();
    expect(after).toBeLessThan(limit);
  },
);
