import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { waitUntil, within } from '../setup/wait-until.ts';
import { type StreamGateway, startStreamGateway } from './stream-gateway.ts';
import { createSubscribers, type Subscribers } from './subscribers.ts';

const serverUrl = inject('ownServerUrl');

const STALLED = { overSse: 20, overWebSocket: 20 };
/** A client that reads nothing is dropped within a minute. */
const DROP_MS = 120_000;
/** Reading the metrics takes both processes some time. */
const LOOK_EVERY_MS = 500;

let gateway: StreamGateway;
let subscribers: Subscribers;

beforeAll(async () => {
  if (serverUrl === undefined) return;
  gateway = await startStreamGateway(serverUrl);
  subscribers = await createSubscribers(gateway);
});
afterAll(async () => {
  subscribers?.close();
  await gateway?.close();
});

test.runIf(serverUrl !== undefined)(
  'subscribers that stall are dropped, and those that read are not',
  async () => {
    await subscribers.follow();
    const stalled = await subscribers.stall(STALLED);
    expect(await gateway.readMetric('gatehouse_streams')).toBe(1 + STALLED.overSse + STALLED.overWebSocket);
    await subscribers.fill();
    const isDropped = async () => (await gateway.readMetric('gatehouse_streams')) === 1;
    const dropped = await waitUntil('the stalled ones are dropped', isDropped, DROP_MS, LOOK_EVERY_MS);
    console.log(`All dropped ${(dropped / 1_000).toFixed(0)} s later.`);
    const closed = stalled.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of stalled) socket.resume();
    await within('dropped connections are closed', 10_000, Promise.all(closed));
    await subscribers.change();
  },
  400_000,
);
