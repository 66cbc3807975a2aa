import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../src/crypto/secret.ts';
import type { UpstreamTarget } from '../../src/mcp/upstream-target.ts';
import { createUpstreams, type Upstreams, type UpstreamsOptions } from '../../src/mcp/upstreams.ts';
import {
  type Answer,
  type HostileUpstream,
  sendBomb,
  sendEndlessEvents,
  sendEvents,
  sendJson,
  sendStatus,
  sendText,
  startHostileUpstream,
  toTool,
  UPSTREAM_CANARY,
} from '../setup/hostile-upstream.ts';

const SECRET = 'secret-of-the-user-5f1c';

let hostile: HostileUpstream;
let upstreams: Upstreams;
/** Waits only a second for a call. */
let impatient: Upstreams;
/** Waits long for a call, and only a moment for its next byte. */
let nervous: Upstreams;
let now = 0;
let paths = 0;

beforeAll(async () => {
  hostile = await startHostileUpstream();
  const options: UpstreamsOptions = {
    ranges: [{ kind: 'host', host: '127.0.0.1', port: hostile.port }],
    identity: { name: 'gatehouse', version: '0' },
    maxAnswerBytes: 300_000,
    listTimeoutMs: 100_000,
    clock: () => now,
    lookup: async (name) => (name === 'public.example.com' ? ['127.0.0.1'] : []),
  };
  upstreams = createUpstreams(options);
  impatient = createUpstreams({ ...options, callTimeoutMs: 1_000 });
  nervous = createUpstreams({ ...options, callTimeoutMs: 600_000, maxSilenceMs: 200 });
});
afterAll(async () => {
  await Promise.all([upstreams?.dispose(), impatient?.dispose(), nervous?.dispose()]);
  await hostile?.close();
});

function toTarget(url: string, change: Partial<UpstreamTarget> = {}): UpstreamTarget {
  const headers = [{ name: 'Authorization', value: new Secret(`Bearer ${SECRET}`) }];
  const authorize = async () => ({ headers, grant: '' });
  return { configId: url, version: 1, owner: 'user-1', url, transport: 'streamable_http', authorize, ...change };
}

/** A path of its own, where these methods are answered so. */
function misbehave(answers: Record<string, Answer>): { path: string; target: UpstreamTarget } {
  paths += 1;
  const path = `/mcp/${paths}`;
  hostile.onMethod(path, answers);
  return { path, target: toTarget(hostile.urlOf(path)) };
}

/** Expects a problem whose words contain nothing that the server or the user sent. */
async function expectProblem(
  work: Promise<unknown>,
  problem: string,
  facts: Record<string, unknown> = {},
): Promise<void> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason as Error,
  );
  expect(error).toMatchObject({ problem, facts });
  // As a log might show it, with its causes.
  const shown = inspect(error, { depth: Infinity, showHidden: true });
  for (const hidden of [UPSTREAM_CANARY, SECRET]) expect(shown).not.toContain(hidden);
}

const deepJson = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

describe('an answer to a list of tools', () => {
  test.each<[string, Answer, string]>([
    ['is a page', sendText(`<html>${UPSTREAM_CANARY}</html>`, 'text/html'), 'NOT_MCP'],
    ['has another content type', sendText('{}', 'application/xml'), 'NOT_MCP'],
    ['is no JSON', sendText(UPSTREAM_CANARY), 'PROTOCOL_ERROR'],
    ['is a gzip bomb', sendBomb, 'ENCODED'],
    [
      'is a redirect',
      (_r, response) => void response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
      'REDIRECTED',
    ],
    ['has 10 MB', sendText(JSON.stringify({ jsonrpc: '2.0', id: 1, result: 'x'.repeat(10_000_000) })), 'TOO_LARGE'],
    ['has events without end', sendEndlessEvents, 'TOO_LARGE'],
    ['ends without an answer', sendEvents(), 'PROTOCOL_ERROR'],
    ['is for another request', sendEvents({ id: 4_711, result: {} }), 'PROTOCOL_ERROR'],
    [
      'breaks off',
      (_r, response) =>
        void response.writeHead(200, { 'content-type': 'application/json' }).write('{', () => response.destroy()),
      'CONNECTION_FAILED',
    ],
    ['has 10,000 levels', sendText(`{"jsonrpc":"2.0","id":1,"result":{"tools":${deepJson(10_000)}}}`), 'TOO_DEEP'],
    [
      'has 10,000 levels in an event',
      sendText(
        `id: ]]]]\ndata: {"jsonrpc":"2.0","id":1,"result":\ndata: ${deepJson(10_000)}}\n\n`,
        'text/event-stream',
      ),
      'TOO_DEEP',
    ],
    [
      'is an error',
      ({ id }, response) => sendJson(response, { id, error: { code: -32_000, message: UPSTREAM_CANARY } }),
      'REFUSED',
    ],
    ['has no tools', () => ({}), 'PROTOCOL_ERROR'],
    ['has no bytes', sendText(''), 'PROTOCOL_ERROR'],
    [
      'has a schema of 5 MB',
      () => ({ tools: [toTool('large', { inputSchema: { type: 'object', x: 'x'.repeat(5_000_000) } })] }),
      'TOO_LARGE',
    ],
    ['repeats a cursor', () => ({ tools: [], nextCursor: 'same' }), 'PROTOCOL_ERROR'],
  ])('that %s is a coded problem', async (_name, answer, problem) => {
    const { target } = misbehave({ 'tools/list': answer });
    await expectProblem(upstreams.listTools(target), problem);
  });

  test('may come twice, or after another one: the first for the request counts', async () => {
    const { target } = misbehave({
      'tools/list': (request, response) =>
        sendEvents(
          { id: 4_711, result: {} },
          { id: request.id, result: { tools: [toTool('first')] } },
          { id: request.id, result: { tools: [toTool('second')] } },
        )(request, response),
    });
    expect((await upstreams.listTools(target)).tools.map(({ name }) => name)).toEqual(['first']);
  });

  test('that is cut at 1,000 tools says so', async () => {
    const all = Array.from({ length: 5_000 }, (_, index) => ({ name: `t${index}`, inputSchema: { type: 'object' } }));
    const { target } = misbehave({ 'tools/list': () => ({ tools: all }) });
    const { tools, isCut } = await upstreams.listTools(target);
    expect({ count: tools.length, isCut }).toEqual({ count: 1_000, isCut: true });
  });

  test('without an end of pages is cut', async () => {
    let page = 0;
    const { target, path } = misbehave({
      'tools/list': () => {
        page += 1;
        return { tools: [toTool(`t${page}`)], nextCursor: `after-${page}` };
      },
    });
    const { isCut } = await upstreams.listTools(target);
    expect(isCut).toBe(true);
    expect(hostile.seen(path).filter((method) => method === 'tools/list').length).toBe(100);
  });

  test('costs only the definitions that are not usable', async () => {
    const deep = JSON.parse(`{"type":"object","x":${deepJson(80)}}`);
    const tools: unknown[] = [
      toTool('with space'),
      toTool('x'.repeat(300)),
      toTool('reference', { inputSchema: { type: 'object', $ref: hostile.urlOf('/never') } }),
      toTool('hidden\u202etext', { description: 'a\u200bb' }),
      toTool('with space'),
      toTool('deep', { inputSchema: deep }),
      toTool('large', { description: 'x'.repeat(270_000) }),
      toTool('nul', { description: 'a\0b' }),
      toTool('half', { description: '\ud800' }),
      toTool('schemaless', { inputSchema: 'none' }),
      toTool(''),
      null,
      'tool',
    ];
    hostile.on('/never', () => {
      throw new Error('a $ref was fetched');
    });
    const { target } = misbehave({ 'tools/list': () => ({ tools }) });
    const listed = await upstreams.listTools(target);
    expect(listed.tools.map(({ definition }) => definition)).toEqual(tools.slice(0, 4));
    expect(listed.skipped.map(({ problem }) => problem)).toEqual([
      'DUPLICATE',
      'TOO_DEEP',
      'TOO_LARGE',
      'NOT_TEXT',
      'NOT_TEXT',
      'NOT_A_TOOL',
      'NOT_A_TOOL',
      'NOT_A_TOOL',
      'NOT_A_TOOL',
    ]);
  });
});

describe('a server', () => {
  test.each<[string, () => UpstreamTarget, string]>([
    ['has no name', () => toTarget('https://nowhere.example.com/mcp'), 'NOT_RESOLVED'],
    ['is at a private address', () => toTarget('https://public.example.com/mcp'), 'ADDRESS_REFUSED'],
    ['has no TLS', () => toTarget('http://public.example.com/mcp'), 'URL_REFUSED'],
    ['speaks plain HTTP on its TLS port', () => toTarget(`https://127.0.0.1:${hostile.port}/mcp`), 'TLS_FAILED'],
    ['has no endpoint there', () => toTarget(hostile.urlOf('/nothing')), 'NOT_MCP'],
  ])('that %s is a coded problem', async (_name, makeTarget, problem) => {
    await expectProblem(upstreams.listTools(makeTarget()), problem);
  });

  test.each<[number, Record<string, string>, string, Record<string, unknown>]>([
    [401, { 'www-authenticate': 'Bearer scope="read write"' }, 'UNAUTHORIZED', { scopes: ['read', 'write'] }],
    [
      403,
      { 'www-authenticate': 'Bearer error="insufficient_scope", scope="admin"' },
      'INSUFFICIENT_SCOPE',
      { scopes: ['admin'] },
    ],
    [403, {}, 'FORBIDDEN', { status: 403 }],
    [429, { 'retry-after': '7' }, 'RATE_LIMITED', { retryAfterMs: 7_000 }],
    [503, { 'retry-after': '999999' }, 'UNAVAILABLE', { retryAfterMs: 3_600_000 }],
    [500, {}, 'UNAVAILABLE', { status: 500 }],
    [418, {}, 'HTTP_ERROR', { status: 418 }],
  ])('that answers with %i %j tells no more than it may', async (status, headers, problem, facts) => {
    const path = `/status/${status}${paths++}`;
    hostile.on(path, sendStatus(status, headers));
    await expectProblem(upstreams.listTools(toTarget(hostile.urlOf(path))), problem, facts);
  });

  test('of a revision from the future is not spoken to', async () => {
    const { target } = misbehave({
      initialize: () => ({ protocolVersion: '2099-01-01', capabilities: {}, serverInfo: { name: 'x', version: '1' } }),
    });
    await expectProblem(upstreams.listTools(target), 'PROTOCOL_REVISION');
  });

  // Both at the same time: they wait for a timeout each.

  test.concurrent('that never answers a call ends it in time, and delays nobody else', async ({ expect }) => {
    const silent = misbehave({ 'tools/call': () => undefined });
    const other = misbehave({});
    const waiting = expectProblem(impatient.callTool(silent.target, 'fine', {}), 'TIMEOUT');
    expect((await upstreams.callTool(other.target, 'fine', {})).result).toMatchObject({ content: [{ text: 'fine' }] });
    await waiting;
    // Its tools do not answer, but it is there: nobody else is kept away from it.
    expect(impatient.pause(silent.target)).toBeUndefined();
  });

  test.concurrent('that falls silent within an answer ends the call, long before its time is over', async () => {
    const { target } = misbehave({
      'tools/call': (_request, response) =>
        void response.writeHead(200, { 'content-type': 'application/json' }).write('{"jsonrpc":"2.0",'),
    });
    await expectProblem(nervous.callTool(target, 'fine', {}), 'TIMEOUT');
  });

  test('that asks the user for input gets none, and the caller a code', async () => {
    const { target, path } = misbehave({
      'server/discover': () => ({
        supportedVersions: ['2026-07-28'],
        capabilities: { tools: {} },
        resultType: 'complete',
        ttlMs: 0,
        cacheScope: 'private',
        _meta: { 'io.modelcontextprotocol/serverInfo': { name: UPSTREAM_CANARY, version: '1' } },
      }),
      'tools/call': () => ({
        resultType: 'input_required',
        inputRequests: { ask: { method: 'elicitation/create', params: { message: UPSTREAM_CANARY } } },
        requestState: UPSTREAM_CANARY,
      }),
    });
    await expectProblem(upstreams.callTool(target, 'fine', {}), 'INPUT_REQUIRED');
    expect(hostile.seen(path).filter((method) => method === 'tools/call')).toHaveLength(1);
  });

  test('gets few answers to requests of its own', async () => {
    const requests = Array.from({ length: 1_000 }, (_, id) => ({
      id: `r${id}`,
      method: 'sampling/createMessage',
      params: {},
    }));
    let calls = 0;
    const { target, path } = misbehave({
      'tools/call': (request, response) => {
        calls += 1;
        const asked = calls === 1 ? requests : [];
        sendEvents(...asked, { id: request.id, result: { content: [] } })(request, response);
      },
    });
    await upstreams.callTool(target, 'fine', {});
    // Behind the answers of the first one, in the queue of the connection.
    for (let call = 0; call < 40; call += 1) await upstreams.callTool(target, 'fine', {});
    expect(hostile.seen(path).length).toBeLessThan(300);
  });

  test('whose result is none of a tool is a coded problem', async () => {
    const { target } = misbehave({ 'tools/call': () => ({ anything: 1 }) });
    await expectProblem(upstreams.callTool(target, 'fine', {}), 'PROTOCOL_ERROR');
  });
});

describe('a stream of the transport of 2024', () => {
  /** A server whose stream sends so after the greeting, instead of the list of tools. */
  function misbehaveOnStream(send: (stream: ServerResponse, id: unknown) => void): UpstreamTarget {
    paths += 1;
    const [path, inbox] = [`/sse/${paths}`, `/inbox/${paths}`];
    let stream: ServerResponse | undefined;
    hostile.on(path, (_request, response) => {
      stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`event: endpoint\ndata: ${inbox}\n\n`);
    });
    hostile.on(inbox, async (request, response) => {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += chunk;
      const { id, method } = JSON.parse(body) as { id?: unknown; method: string };
      response.writeHead(202).end();
      if (id === undefined || stream === undefined) return;
      if (method !== 'initialize') return send(stream, id);
      const serverInfo = { name: 'old', version: '1' };
      const result = { protocolVersion: '2024-11-05', capabilities: { tools: {} }, serverInfo };
      stream.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
    });
    return toTarget(hostile.urlOf(path), { transport: 'sse' });
  }

  const toText = (id: unknown, result: string): string => `data: {"jsonrpc":"2.0","id":${id},"result":${result}}\n\n`;

  test.each<[string, (stream: ServerResponse, id: unknown) => void, string]>([
    // Less than the whole stream may have.
    ['has one event of 1 MB', (stream, id) => stream.write(toText(id, `"${'x'.repeat(1_000_000)}"`)), 'TOO_LARGE'],
    [
      'has one event of 1 MB in many lines, which never ends',
      (stream) => {
        for (let line = 0; line < 1_000; line += 1) stream.write(`data: ${'x'.repeat(1_000)}\n`);
      },
      'TOO_LARGE',
    ],
    ['has 10,000 levels in an event', (stream, id) => stream.write(toText(id, deepJson(10_000))), 'TOO_DEEP'],
    [
      'has small events without end',
      (stream) => {
        const event = `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { data: 'x'.repeat(1_000) } })}\n\n`;
        const push = (): void => {
          while (!stream.destroyed && stream.write(event));
          if (!stream.destroyed) stream.once('drain', push);
        };
        push();
      },
      'TOO_LARGE',
    ],
    ['ends', (stream) => stream.end(), 'CONNECTION_FAILED'],
  ])('that %s is a coded problem', async (_name, send, problem) => {
    await expectProblem(upstreams.listTools(misbehaveOnStream(send)), problem);
  });
});

describe('the bounds', () => {
  test('of running and waiting calls hold for one user and server', async () => {
    let running = 0;
    let most = 0;
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { target } = misbehave({
      'tools/call': async () => {
        running += 1;
        most = Math.max(most, running);
        if (running === 16) release();
        await released;
        running -= 1;
        return { content: [] };
      },
    });
    const calls = Array.from({ length: 81 }, () => upstreams.callTool(target, 'fine', {}));
    const outcomes = await Promise.allSettled(calls);
    const refused = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason.problem] : []));
    expect(refused).toEqual(['BUSY']);
    expect(most).toBe(16);
  });

  test('leave a server that cannot be reached alone, and try again once after a while', async () => {
    const target = toTarget(hostile.urlOf('/gone'), { configId: 'gone' });
    for (let failure = 0; failure < 3; failure += 1) await expectProblem(upstreams.listTools(target), 'NOT_MCP');
    await expectProblem(upstreams.listTools(target), 'CIRCUIT_OPEN', { reason: 'NOT_MCP', retryAfterMs: 30_000 });
    expect(upstreams.pause(target)).toEqual({ reason: 'NOT_MCP', remainingMs: 30_000 });
    now += 30_000;
    const two = await Promise.allSettled([upstreams.listTools(target), upstreams.listTools(target)]);
    expect(two.map((each) => each.status === 'rejected' && each.reason.problem).sort()).toEqual([
      'CIRCUIT_OPEN',
      'NOT_MCP',
    ]);
    expect(upstreams.pause(target)?.remainingMs).toBe(60_000);
    hostile.onMethod('/gone', {});
    now += 60_000;
    expect((await upstreams.listTools(target)).tools).toHaveLength(1);
    expect(upstreams.pause(target)).toBeUndefined();
  });
});
