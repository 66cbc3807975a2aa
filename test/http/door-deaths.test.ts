import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findFreePort } from '../setup/free-port.ts';
import { toTool } from '../setup/hostile-upstream.ts';
import { callMessage, readResult } from './door-messages.ts';
import { type DoorWorld, openDoorWorld } from './door-world.ts';

// A server dies while it answers a call, and comes back. All other limits are longer than these tests may take: without a
// notice of the death itself, they would fail.

let world: DoorWorld;
beforeAll(async () => {
  world = await openDoorWorld({ env: { GATEHOUSE_TOOL_CALL_TIMEOUT_SECONDS: '600' } });
});
afterAll(() => world?.close());

interface Mortal {
  url: string;
  /** What it does with a call. Undefined: it answers. */
  onCall: ((response: ServerResponse, die: () => Promise<void>) => Promise<void>) | undefined;
  die(): Promise<void>;
  revive(): Promise<void>;
}

const RESULT = { content: [{ type: 'text', text: 'done' }] };

/** Of 2025-11-25 with and without sessions, which it forgets when it dies, and of 2026-07-28. */
const KINDS = ['with sessions', 'without sessions', 'modern'] as const;

/** A server that can die. */
async function startMortal(kind: (typeof KINDS)[number]): Promise<Mortal> {
  const hasSessions = kind === 'with sessions';
  const port = await findFreePort();
  const sessions = new Set<string>();
  let server: Server;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== 'POST') return void response.writeHead(405).end();
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const { id, method, params = {} } = JSON.parse(body);
    const session = String(request.headers['mcp-session-id']);
    if (hasSessions && method !== 'initialize' && !sessions.has(session)) return void response.writeHead(404).end();
    if (id === undefined) return void response.writeHead(202).end();
    const { protocolVersion } = params;
    const modern = { supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, ttlMs: 0, cacheScope: 'public' };
    const results: Record<string, object> = {
      ...(kind === 'modern' && { 'server/discover': modern }),
      initialize: { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'mortal', version: '1' } },
      'tools/list': { tools: [toTool('fine')], ttlMs: 0, cacheScope: 'public' },
      'tools/call': RESULT,
    };
    if (method === 'initialize' && hasSessions) {
      const opened = `session-${sessions.size + 1}-${Date.now()}`;
      sessions.add(opened);
      response.setHeader('mcp-session-id', opened);
    }
    if (method === 'tools/call' && mortal.onCall !== undefined) return mortal.onCall(response, mortal.die);
    response.setHeader('content-type', 'application/json');
    const part =
      method in results
        ? { result: { resultType: 'complete', ...results[method] } }
        : { error: { code: -32_601, message: 'no' } };
    response.end(JSON.stringify({ jsonrpc: '2.0', id, ...part }));
  };
  const mortal: Mortal = {
    url: `http://127.0.0.1:${port}/mcp`,
    onCall: undefined,
    async die() {
      sessions.clear();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
    async revive() {
      mortal.onCall = undefined;
      server = createServer((request, response) => void answer(request, response)).listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
  };
  await mortal.revive();
  return mortal;
}

const startEvents = (response: ServerResponse, text: string) =>
  new Promise<void>((resolve) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(text, () => resolve());
  });
const progress = `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 0, progress: 1 } })}\n\n`;

/** How far an answer is when the server dies. */
const STAGES: Readonly<Record<string, NonNullable<Mortal['onCall']>>> = {
  'before it answers': (_response, die) => die(),
  'in the middle of a JSON text': async (response, die) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1_000 });
    await new Promise<void>((resolve) => response.write('{"jsonrpc":"2.0",', () => resolve()));
    await die();
  },
  'in a stream, before an event': async (response, die) => {
    await startEvents(response, ': working\n\n');
    await die();
  },
  'in a stream, in the middle of an event': async (response, die) => {
    await startEvents(response, 'data: {"jsonrpc":');
    await die();
  },
  'in a stream, after progress': async (response, die) => {
    await startEvents(response, progress);
    await die();
  },
  'in a stream that could be continued': async (response, die) => {
    await startEvents(response, `id: 1\ndata:\n\nid: 2\n${progress}`);
    await die();
  },
};

test.each(KINDS.flatMap((kind) => Object.entries(STAGES).map(([stage, onCall]) => ({ kind, stage, onCall }))))(
  'a server that dies $stage, $kind',
  async ({ kind, onCall }) => {
    const server = await startMortal(kind);
    const slug = `mortal-${crypto.randomUUID().slice(0, 8)}`;
    await world.define({ slug, url: server.url });
    const call = () => world.post('/mcp', callMessage(`${slug}__fine`), { token: world.gateway.tokens.member });
    expect((await readResult(await call())).content).toEqual(RESULT.content);
    server.onCall = onCall;
    const failed = await readResult(await call());
    expect(failed).toMatchObject({ isError: true, _meta: { 'gatehouse/code': 'CONNECTION_FAILED' } });
    await server.revive();
    const again = await readResult(await call());
    expect(again.isError).not.toBe(true);
    expect(again.content).toEqual(RESULT.content);
    await server.die();
  },
  20_000,
);

test.each(KINDS)('a server %s whose answers break off is not left alone: who called may be the cause', async (kind) => {
  const server = await startMortal(kind);
  const slug = `fragile-${KINDS.indexOf(kind)}`;
  await world.define({ slug, url: server.url });
  const call = async () =>
    readResult(await world.post('/mcp', callMessage(`${slug}__fine`), { token: world.gateway.tokens.member }));
  for (const type of ['text/event-stream', 'application/json']) {
    server.onCall = async (response) => {
      response.writeHead(200, { 'content-type': type });
      await new Promise<void>((resolve) => response.write(': \n\n', () => resolve()));
      response.destroy();
    };
    for (let made = 0; made < 4; made += 1) {
      expect(await call()).toMatchObject({ _meta: { 'gatehouse/code': 'CONNECTION_FAILED' } });
    }
  }
  server.onCall = undefined;
  expect((await call()).content).toEqual(RESULT.content);
  await server.die();
});

test('a server that is dead costs the lists nothing, and the other servers nothing', async () => {
  const [dead, alive] = [await startMortal('without sessions'), await startMortal('with sessions')];
  await world.define({ slug: 'dead', url: dead.url });
  await world.define({ slug: 'alive', url: alive.url });
  await dead.die();
  const token = world.gateway.tokens.member;
  const { tools } = await readResult(
    await world.post('/mcp', { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }, { token }),
  );
  const names = tools.map(({ name }: { name: string }) => name);
  expect(names).toEqual(expect.arrayContaining(['alive__fine', 'dead__fine']));
  expect((await readResult(await world.post('/mcp', callMessage('alive__fine'), { token }))).content).toEqual(
    RESULT.content,
  );
  await alive.die();
});
