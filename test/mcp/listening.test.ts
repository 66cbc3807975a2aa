import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MCP_LIMITS } from '../../src/limits/mcp-limits.ts';
import type { UpstreamTarget } from '../../src/mcp/upstream-target.ts';
import { createUpstreams, type Upstreams } from '../../src/mcp/upstreams.ts';
import { type HostileUpstream, type RpcRequest, startHostileUpstream } from '../setup/hostile-upstream.ts';

// Servers that misuse a stream that stays open.

let hostile: HostileUpstream;
let upstreams: Upstreams;
let told = 0;
let paths = 0;

beforeAll(async () => {
  hostile = await startHostileUpstream();
  upstreams = createUpstreams({
    ranges: [{ kind: 'host', host: '127.0.0.1', port: hostile.port }],
    identity: { name: 'gatehouse', version: '0' },
    onToolsChanged: () => (told += 1),
  });
});
afterAll(async () => {
  await upstreams?.dispose();
  await hostile?.close();
});

const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';

function event(message: Record<string, unknown>, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\nretry: 0\n`}data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`;
}

const agree = (id: unknown): Record<string, unknown> => ({
  method: 'notifications/subscriptions/acknowledged',
  params: { notifications: { toolsListChanged: true }, _meta: { [SUBSCRIPTION]: id } },
});

/** A server of 2026-07-28 that answers `subscriptions/listen` so. */
function misbehave(answer: (id: unknown, response: ServerResponse) => void, onGet = answerNoGet): UpstreamTarget {
  paths += 1;
  const path = `/listen/${paths}`;
  hostile.on(path, async (request, response) => {
    if (request.method !== 'POST') return onGet(request, response);
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const { id, method } = JSON.parse(body) as RpcRequest;
    if (id === undefined) return void response.writeHead(202).end();
    if (method === 'subscriptions/listen') return answer(id, response.writeHead(200, { 'content-type': EVENTS }));
    const result = {
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: { listChanged: true } },
      resultType: 'complete',
      ttlMs: 0,
      cacheScope: 'private',
    };
    const text = JSON.stringify({ jsonrpc: '2.0', id, result });
    response.writeHead(200, { 'content-type': 'application/json' }).end(text);
  });
  const url = hostile.urlOf(path);
  const authorize = async () => ({ headers: [], grant: '' });
  return { configId: url, version: 1, owner: 'shared', url, transport: 'streamable_http', authorize };
}

const EVENTS = 'text/event-stream';
const answerNoGet = (_request: IncomingMessage, response: ServerResponse): void => void response.writeHead(405).end();

const listen = (target: UpstreamTarget, onOpen = () => undefined, signal = new AbortController().signal) =>
  upstreams.listen(target, { signal, onOpen });

test('what it tells without end is read up to a limit', async () => {
  told = 0;
  let sent = 0;
  const target = misbehave((id, response) => {
    response.write(event(agree(id)));
    const text = event({ method: 'notifications/tools/list_changed', params: { _meta: { [SUBSCRIPTION]: id } } });
    const push = (): void => {
      while (!response.destroyed) {
        sent += text.length;
        if (!response.write(text)) return void response.once('drain', push);
      }
    };
    push();
  });
  expect(await listen(target)).toBe('ended');
  expect(told).toBeGreaterThan(0);
  expect(told).toBeLessThan(MCP_LIMITS.listenBytes.value / 50);
  expect(sent).toBeLessThan(100 * MCP_LIMITS.listenBytes.value);
});

test.each<[string, (id: unknown, response: ServerResponse) => void, string]>([
  [
    'agrees to nothing',
    (id, response) =>
      response.write(event({ ...agree(id), params: { notifications: {}, _meta: { [SUBSCRIPTION]: id } } })),
    'unsupported',
  ],
  [
    'cancels it',
    (id, response) =>
      response.write(event(agree(id)) + event({ method: 'notifications/cancelled', params: { requestId: id } })),
    'ended',
  ],
  ['ends the stream', (id, response) => response.end(event(agree(id))), 'ended'],
  ['answers at once', (id, response) => response.end(event(agree(id)) + event({ id, result: {} })), 'ended'],
])('a server that %s is not heard, and still called', async (_name, answer, end) => {
  const target = misbehave(answer);
  expect(await listen(target)).toBe(end);
  expect(upstreams.pause(target)).toBeUndefined();
  expect(upstreams.count().open).toBeGreaterThan(0);
});

test('a server that refuses is one that refuses', async () => {
  const target = misbehave((id, response) => response.end(event({ id, error: { code: -32_603, message: 'full' } })));
  await expect(listen(target)).rejects.toMatchObject({ problem: 'REFUSED' });
});

test('the end of a server ends it, and so does the caller', async () => {
  const target = misbehave((id, response) => response.write(event(agree(id))));
  let opened: () => void = () => undefined;
  const isOpen = () => new Promise<void>((resolve) => (opened = resolve));
  let waiting = isOpen();
  const closed = listen(target, () => void opened());
  await waiting;
  await upstreams.close({ configId: target.configId });
  await expect(closed).rejects.toMatchObject({ problem: 'CLOSED' });
  waiting = isOpen();
  const end = new AbortController();
  const cancelled = listen(target, () => void opened(), end.signal);
  await waiting;
  end.abort();
  await expect(cancelled).rejects.toMatchObject({ problem: 'CANCELLED' });
});

test('a stream that the server ends at once, and asks to open again without delay, is opened again slowly', async () => {
  let gets = 0;
  const target = misbehave(
    (id, response) => response.end(event(agree(id), 'one')),
    (_request, response) => {
      gets += 1;
      response.writeHead(200, { 'content-type': EVENTS }).end(event({ method: 'notifications/message' }, `${gets}`));
    },
  );
  const end = new AbortController();
  const waiting = listen(target, () => undefined, end.signal);
  // Long enough for hundreds of requests, one after the other.
  for (let calls = 0; calls < 300; calls += 1) {
    await upstreams.callTool(target, 'any', {}).catch(() => undefined);
  }
  end.abort();
  await expect(waiting).rejects.toMatchObject({ problem: 'CANCELLED' });
  expect(gets).toBeLessThan(20);
});
