import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CONNECTION_LIMITS } from '../../src/limits/connection-limits.ts';
import { REQUEST_LIMITS } from '../../src/limits/request-limits.ts';
import { type HostileUpstream, sendEvents, startHostileUpstream } from '../setup/hostile-upstream.ts';
import { callMessage, readMessages, readResult } from './door-messages.ts';
import { type DoorWorld, openDoorWorld } from './door-world.ts';

/** More than the system takes between two sockets of which one reads nothing. */
const SIZE = mostBetweenSockets() + 2_000_000;
const LARGE = 'x'.repeat(SIZE);
/** What one caller may leave unread: less than usual, since large answers take long. */
const PER_USER = Math.ceil(1.25 * SIZE);
/** So many such answers fit into that. */
const FIT = Math.floor(PER_USER / SIZE);
/** More than one caller may leave unread in all. */
const HUGE = 'x'.repeat(PER_USER);
/** What one call tells while it runs: with another answer, more than one caller may leave unread. */
const STEP = 1_000_000;
const STEPS = Math.ceil(PER_USER / STEP) + 2;

/** What the system takes at most: on Linux, what its settings say. */
function mostBetweenSockets(): number {
  if (process.platform !== 'linux') return 26_000_000;
  const read = (name: string) => readFileSync(`/proc/sys/net/ipv4/${name}`, 'utf8').trim().split(/\s+/).map(Number);
  const [, , largestToSend = Number.NaN] = read('tcp_wmem');
  // This one grows only when the client reads.
  const [, firstToReceive = Number.NaN] = read('tcp_rmem');
  return largestToSend + firstToReceive;
}

const perUser: { value: number } = CONNECTION_LIMITS.unreadAnswersPerUser;
const usualPerUser = perUser.value;
/** On a busy machine these tests take longer than a client may read nothing. */
const stallTime: { value: number } = REQUEST_LIMITS.stallTime;
const usualStallTime = stallTime.value;

let world: DoorWorld;
let upstream: HostileUpstream;
const silent = new Set<Socket>();

beforeAll(async () => {
  stallTime.value = 600_000;
  perUser.value = PER_USER;
  upstream = await startHostileUpstream();
  upstream.onMethod('/small', {});
  upstream.onMethod('/large', {
    'tools/list': () => ({
      tools: ['fine', 'talk', 'huge'].map((name) => ({ name, inputSchema: { type: 'object' } })),
    }),
    'tools/call': ({ id, params }, response) => {
      if (params['name'] !== 'talk') {
        return { content: [{ type: 'text', text: params['name'] === 'huge' ? HUGE : LARGE }] };
      }
      // Talks a lot while it works.
      const { progressToken } = params['_meta'] as { progressToken: unknown };
      const message = 'x'.repeat(STEP);
      const steps = Array.from({ length: STEPS }, (_, index) => ({
        method: 'notifications/progress',
        params: { progressToken, progress: index + 1, message },
      }));
      return sendEvents(...steps, { id, result: { content: [] } })({ id, method: '', params }, response);
    },
  });
  world = await openDoorWorld({ env: { GATEHOUSE_TOOL_ANSWER_MAX_BYTES: String(2 * PER_USER) } });
  await world.define({ slug: 'small', url: upstream.urlOf('/small') });
  await world.define({ slug: 'large', url: upstream.urlOf('/large') });
});
afterEach(() => {
  for (const socket of silent) socket.destroy();
  silent.clear();
});
afterAll(async () => {
  stallTime.value = usualStallTime;
  perUser.value = usualPerUser;
  await world?.close();
  await upstream?.close();
});

const KEY = 'io.modelcontextprotocol';
const META = {
  [`${KEY}/protocolVersion`]: '2026-07-28',
  [`${KEY}/clientInfo`]: { name: 'a', version: '1' },
  [`${KEY}/clientCapabilities`]: {},
};
/** A call in each way in which an answer comes: as one message, and as a stream. */
const WAYS = {
  '2026-07-28': (name: string) => ({
    headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name },
    message: callMessage(name, {}, META),
  }),
  '2025-11-25': (name: string) => ({
    headers: { 'mcp-protocol-version': '2025-11-25' },
    message: callMessage(name, {}, { progressToken: 1 }),
  }),
} as const;
type Way = keyof typeof WAYS;

const countCalls = () => upstream.seen('/large').filter((method) => method === 'tools/call').length;

/** Calls over a connection of its own, and reads nothing of the answer. Resolves when the server was called. */
async function callSilently(way: Way, name: string): Promise<void> {
  const { port } = new URL(world.url);
  const { headers, message } = WAYS[way](name);
  const body = JSON.stringify(message);
  const before = countCalls();
  const socket = connect(Number(port), '127.0.0.1').pause();
  silent.add(socket);
  await once(socket, 'connect');
  const lines = {
    Host: `127.0.0.1:${port}`,
    Authorization: `Bearer ${world.gateway.tokens.member}`,
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    'Content-Length': Buffer.byteLength(body),
    ...headers,
  };
  socket.write(
    ['POST /mcp HTTP/1.1', ...Object.entries(lines).map(([key, value]) => `${key}: ${value}`), '', body].join('\r\n'),
  );
  await expect.poll(countCalls).toBe(before + 1);
}

const call = (way: Way, name: string, role: 'member' | 'admin' = 'member') => {
  const { headers, message } = WAYS[way](name);
  return world.post('/mcp', message, { token: world.gateway.tokens[role], headers });
};
const codeOf = async (response: Response) => (await readResult(response))._meta?.['gatehouse/code'];

describe.each<[Way, string, number]>([
  ['2026-07-28', 'large__fine', FIT],
  ['2025-11-25', 'large__fine', FIT],
  // Of what it tells meanwhile nothing is read either.
  ['2025-11-25', 'large__talk', 1],
])('a client of %s that calls %s and never reads', (way, name, fit) => {
  test('gets no more than fits, keeps nobody else from anything, and gives all back when it goes', async () => {
    for (let made = 0; made < fit; made += 1) await callSilently(way, name);
    // What was called counts when its answer comes.
    await expect.poll(async () => codeOf(await call(way, 'large__fine'))).toBe('RATE_LIMITED');
    const refused = await readResult(await call(way, 'large__fine'));
    expect(refused).toMatchObject({ isError: true, content: [{ text: expect.stringMatching(/not been read yet/) }] });
    expect(JSON.stringify(refused)).not.toContain('xxx');
    expect(await codeOf(await call(way, 'small__fine'))).toBeUndefined();
    expect(await codeOf(await call(way, 'large__fine', 'admin'))).toBeUndefined();
    for (const socket of silent) socket.destroy();
    await expect.poll(async () => codeOf(await call(way, 'large__fine'))).toBeUndefined();
  });
});

test('who has all of their bytes unread calls nothing more, and others do', async () => {
  await callSilently('2026-07-28', 'large__huge');
  await expect.poll(async () => (await call('2026-07-28', 'small__fine')).status).toBe(429);
  const before = upstream.seen('/small').length;
  for (const way of ['2026-07-28', '2025-11-25'] as const) {
    const response = await call(way, 'small__fine');
    expect([response.status, await response.text()]).toEqual([429, expect.stringContaining('RATE_LIMITED')]);
  }
  expect(upstream.seen('/small')).toHaveLength(before);
  expect(await codeOf(await call('2026-07-28', 'small__fine', 'admin'))).toBeUndefined();
  for (const socket of silent) socket.destroy();
  await expect.poll(async () => (await call('2026-07-28', 'small__fine')).status).toBe(200);
});

test('who reads gets answers of any number, and all progress', async () => {
  for (let made = 0; made < FIT + 2; made += 1) {
    expect((await readResult(await call('2026-07-28', 'large__fine'))).content[0].text).toHaveLength(SIZE);
  }
  const messages = await readMessages(await call('2025-11-25', 'large__talk'));
  expect(messages.filter(({ method }) => method === 'notifications/progress')).toHaveLength(STEPS);
});
