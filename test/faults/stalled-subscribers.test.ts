// Alone: it measures how long the live ones wait.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { openSocket, type RawSocket } from '../setup/socket-client.ts';
import { waitUntil, within } from '../setup/wait-until.ts';
import { type StreamGateway, startStreamGateway, toSubscribeRequest } from './stream-gateway.ts';

const serverUrl = inject('ownServerUrl');

const LIVE = 10;
const STALLED_SSE = 800;
const STALLED_SOCKETS = 200;
const ROUNDS = 40;
const MAX_GROWTH_BYTES = 130_000_000;
/** A client that reads nothing for a minute is dropped. */
const DROP_MS = 100_000;
/** Reading the metrics takes both processes some time. */
const LOOK_EVERY_MS = 500;
const QUERY = `subscription { mcpServerConfigEvents {
  type cursor configId config { id slug displayName description url toolDenyList enabled version } } }`;

let gateway: StreamGateway;
let configId: string;
let changes = 0;
const sockets: Socket[] = [];
const webSockets: RawSocket[] = [];

beforeAll(async () => {
  if (serverUrl === undefined) return;
  gateway = await startStreamGateway(serverUrl);
  // Large events fill the buffers on the way after few of them.
  const toolDenyList = Array.from({ length: 160 }, (_, index) => `tool-${index}`.padEnd(100, '-'));
  const input = { displayName: 'A', slug: 'a', url: 'https://mcp.example.com/mcp', toolDenyList };
  const mutation = 'mutation ($input: CreateMcpServerConfigInput!) { createMcpServerConfig(input: $input) { id } }';
  configId = (await gateway.ask(mutation, { input })).createMcpServerConfig.id;
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  for (const { socket } of webSockets) socket.terminate();
  await gateway?.close();
});

/** A hand-written subscriber over server-sent events. Resolves once it follows. */
async function subscribe(onText: (text: string) => void): Promise<Socket> {
  const socket = connect(gateway.port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  let hasBegun: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    hasBegun = resolve;
  });
  socket.setEncoding('utf8').on('data', (text: string) => {
    if (text.includes('BOOKMARK')) hasBegun();
    onText(text);
  });
  socket.write(toSubscribeRequest(gateway, QUERY));
  await begun;
  return socket;
}

/** Changes the config and returns when each live subscriber received it, in milliseconds after the call. */
async function change(heard: Map<number, Set<string>>, live: number): Promise<number> {
  changes += 1;
  const mark = `change ${changes}.`;
  const description = mark.padEnd(3_900, '.');
  const startedAt = performance.now();
  const mutation = `mutation ($id: UUID!, $description: String!) {
    updateMcpServerConfig(id: $id, patch: { description: $description }) { id } }`;
  await gateway.ask(mutation, { id: configId, description });
  const isHeard = () => [...heard.values()].filter((marks) => marks.has(mark)).length === live;
  await waitUntil(`the live ones hear of ${mark}`, isHeard, 20_000);
  return performance.now() - startedAt;
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

test.runIf(serverUrl !== undefined)(
  'a thousand stalled subscribers are dropped, and cost ten live ones no time and little memory',
  async () => {
    const heard = new Map<number, Set<string>>();
    for (let index = 0; index < LIVE; index += 1) {
      const marks = new Set<string>();
      heard.set(index, marks);
      let rest = '';
      await subscribe((text) => {
        rest += text;
        for (const [mark] of rest.matchAll(/change \d+\./g)) marks.add(mark);
        rest = rest.slice(-20);
      });
    }
    const measureRounds = async () => {
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) times.push(await change(heard, LIVE));
      return median(times);
    };
    await measureRounds();
    const before = await measureRounds();
    const memoryBefore = await gateway.readMetric('process_resident_memory_bytes');

    const stalled: Socket[] = [];
    for (let index = 0; index < STALLED_SSE; index += 1) {
      const socket = await subscribe(() => undefined);
      socket.pause();
      stalled.push(socket);
    }
    for (let index = 0; index < STALLED_SOCKETS; index += 1) {
      const webSocket = await openSocket(gateway.port);
      webSockets.push(webSocket);
      await webSocket.init({ authorization: `Bearer ${gateway.token}` });
      webSocket.send({ type: 'subscribe', id: 's', payload: { query: QUERY } });
      await webSocket.next();
      webSocket.socket.pause();
    }
    expect(await gateway.readMetric('gatehouse_streams')).toBe(LIVE + STALLED_SSE + STALLED_SOCKETS);

    // Until the buffers in between are full, and events are made only for the live ones.
    const startedAt = performance.now();
    for (let still = 0; still < 3; ) {
      const made = await gateway.readMetric('gatehouse_stream_events_total', 'MODIFIED');
      await change(heard, LIVE);
      const more = (await gateway.readMetric('gatehouse_stream_events_total', 'MODIFIED')) - made;
      still = more <= LIVE ? still + 1 : 0;
      if (performance.now() - startedAt > 120_000) throw new Error('the stalled ones do not stall');
    }
    const changesToStall = changes;
    const after = await measureRounds();
    const growth = (await gateway.readMetric('process_resident_memory_bytes')) - memoryBefore;
    console.log(
      `Stalled after ${changesToStall} changes; ${before.toFixed(1)} ms before, ${after.toFixed(1)} ms after; ${(growth / 1e6).toFixed(0)} MB more.`,
    );
    expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
    // Unchanged, apart from what a busy machine adds to a median.
    expect(after).toBeLessThan(before * 2 + 25);

    const isDropped = async () => (await gateway.readMetric('gatehouse_streams')) === LIVE;
    const dropped = await waitUntil('the stalled ones are dropped', isDropped, DROP_MS, LOOK_EVERY_MS);
    console.log(`All dropped ${(dropped / 1_000).toFixed(0)} s later.`);
    const [first] = stalled;
    if (first === undefined) throw new Error('there are stalled ones');
    const closed = within('a dropped connection is closed', 10_000, once(first, 'close'));
    first.resume();
    await closed;
    await change(heard, LIVE);
  },
  400_000,
);
