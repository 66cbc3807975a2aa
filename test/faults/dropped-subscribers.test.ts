import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { waitUntil, within } from '../setup/wait-until.ts';
import { type Subscribers, startSubscribers } from './subscribers.ts';

const serverUrl = inject('ownServerUrl');

const STALLED = { overSse: 20, overWebSocket: 20 };
/** A client that reads nothing is dropped within a minute. */
const DROP_MS = 120_000;
/** Reading the metrics takes both processes some time. */
const LOOK_EVERY_MS = 500;

let subscribers: Subscribers;

beforeAll(async () => {
  if (serverUrl !== undefined) subscribers = await startSubscribers(serverUrl);
});
afterAll(() => subscribers?.close());

test.runIf(serverUrl !== undefined)(
  'subscribers that stall are dropped, and those that read are not',
  async () => {
    await subscribers.follow();
    const stalled = await subscribers.stall(STALLED);
    expect(await subscribers.countStreams()).toBe(1 + STALLED.overSse + STALLED.overWebSocket);
    await subscribers.fill();
    const isDropped = async () => (await subscribers.countStreams()) === 1;
    const dropped = await waitUntil('the stalled ones are dropped', isDropped, DROP_MS, LOOK_EVERY_MS);
    console.log(`All dropped ${(dropped / 1_000).toFixed(0)} s later.`);
    const closed = stalled.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of stalled) socket.resume();
    await within('dropped connections are closed', 10_000, Promise.all(closed));
    await subscribers.change();
  },
  400_000,
);
