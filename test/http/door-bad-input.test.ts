import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONNECTION_LIMITS } from '../../src/limits/connection-limits.ts';
import { createId, update } from '../graphql/config-operations.ts';
import { type HostileUpstream, startHostileUpstream, toTool } from '../setup/hostile-upstream.ts';
import { callMessage, readResult } from './door-messages.ts';
import { type DoorWorld, openDoorWorld, refresh } from './door-world.ts';

let world: DoorWorld;
let upstream: HostileUpstream;
let chatId: string;
const LARGE = 'x'.repeat(3_000_000);
const NAME = 'good__fine';

beforeAll(async () => {
  upstream = await startHostileUpstream();
  for (const path of ['/', '/gone']) upstream.onMethod(path, {});
  upstream.onMethod('/large', { 'tools/call': () => ({ content: [{ type: 'text', text: LARGE }] }) });
  world = await openDoorWorld({ env: { GATEHOUSE_MAX_TOOL_CALLS_PER_MINUTE: '100000' } });
  await world.define({ slug: 'good', url: upstream.urlOf('/') });
  await world.define({ slug: 'large', url: upstream.urlOf('/large') });
  const { gateway } = world;
  const { data } = await gateway.graphql('mutation { createChat(input: { title: "Mine" }) { id } }', {
    token: gateway.tokens.member,
  });
  chatId = data.createChat.id;
});
afterAll(async () => {
  await world?.close();
  await upstream?.close();
});

const post = (message: unknown, headers: Record<string, string> = {}) =>
  world.post('/mcp', message, { token: world.gateway.tokens.member, headers });
const countCalls = () => upstream.seen('/').filter((method) => method === 'tools/call').length;

const CALL = callMessage(NAME);
const KEY = 'io.modelcontextprotocol';
const META = {
  [`${KEY}/protocolVersion`]: '2026-07-28',
  [`${KEY}/clientInfo`]: { name: 'a', version: '1' },
  [`${KEY}/clientCapabilities`]: {},
};
const MODERN = callMessage(NAME, {}, META);
const HEADERS = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': NAME };
const withParams = (params: unknown) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
const revision = (name: string) => ({ 'mcp-protocol-version': name });

describe('a message that no server may get', () => {
  /** The status, and the code of the error. */
  test.each<[what: string, status: number, code: number, message: unknown, headers?: Record<string, string>]>([
    ['of JSON-RPC 1.0', 400, -32_600, { ...CALL, jsonrpc: '1.0' }],
    ['without a version', 400, -32_600, { id: 1, method: 'tools/call', params: { name: NAME } }],
    ['with an id that is an object', 400, -32_600, { ...CALL, id: {} }],
    ['with the id null', 400, -32_600, { ...CALL, id: null }],
    ['with a method that is a number', 400, -32_600, { ...CALL, method: 1 }],
    ['with parameters that are a text', 400, -32_600, withParams('x')],
    ['with parameters that are a list', 400, -32_600, withParams([NAME])],
    ['without parameters', 200, -32_602, withParams(undefined)],
    ['without a name', 200, -32_602, withParams({ arguments: {} })],
    ['with a name that is a number', 200, -32_602, withParams({ name: 1 })],
    ['with arguments that are a list', 200, -32_602, callMessage(NAME, [])],
    ['with arguments that are a text', 200, -32_602, callMessage(NAME, 'x')],
    ['with the arguments null', 200, -32_602, callMessage(NAME, null)],
    ['with a _meta that is a text', 400, -32_600, withParams({ name: NAME, _meta: 'x' })],
    ['with a progress token that is an object', 400, -32_600, callMessage(NAME, {}, { progressToken: {} })],
    ['null', 400, -32_600, 'null'],
    ['a number', 400, -32_600, '7'],
    ['an empty batch', 400, -32_600, []],
    ['a batch with something else in it', 400, -32_600, [CALL, 7]],
    ['a batch of 101', 400, -32_600, Array.from({ length: 101 }, (_, id) => ({ ...CALL, id }))],
    ['a batch in revision 2025-06-18', 400, -32_600, [CALL], revision('2025-06-18')],
    ['a batch in revision 2025-11-25', 400, -32_600, [CALL], revision('2025-11-25')],
    ['a batch in revision 2026-07-28', 400, -32_600, [CALL], revision('2026-07-28')],
    ['that wants only JSON back', 406, -32_000, CALL, { accept: 'application/json' }],
    ['of 2026-07-28 without its envelope', 400, -32_602, CALL, revision('2026-07-28')],
    ['of 2026-07-28 without Mcp-Method', 400, -32_020, MODERN, revision('2026-07-28')],
    ['with another Mcp-Method', 400, -32_020, MODERN, { ...HEADERS, 'mcp-method': 'tools/list' }],
    ['with another Mcp-Name', 400, -32_020, MODERN, { ...HEADERS, 'mcp-name': 'good__other' }],
    ['with another revision in the header', 400, -32_020, MODERN, { ...HEADERS, ...revision('2025-11-25') }],
    [
      'of a revision to come',
      400,
      -32_022,
      callMessage(NAME, {}, { ...META, [`${KEY}/protocolVersion`]: '2099-01-01' }),
      { ...HEADERS, ...revision('2099-01-01') },
    ],
  ])('%s', async (_what, status, code, message, headers) => {
    const before = countCalls();
    const response = await post(message, headers);
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(`"error":{"code":${code},`);
    expect(countCalls()).toBe(before);
  });

  test('with 5 MB of arguments', async () => {
    const before = countCalls();
    const response = await post(callMessage(NAME, { text: 'x'.repeat(5_000_000) }));
    expect([response.status, countCalls()]).toEqual([413, before]);
  });

  test('that is a call without an id, or an answer', async () => {
    const before = countCalls();
    for (const message of [
      { ...CALL, id: undefined },
      { jsonrpc: '2.0', id: 1, result: {} },
    ]) {
      expect((await post(message)).status).toBe(202);
    }
    expect(countCalls()).toBe(before);
  });

  test('and the right ones are called', async () => {
    const before = countCalls();
    expect((await readResult(await post(CALL))).isError).not.toBe(true);
    expect((await readResult(await post(MODERN, HEADERS))).isError).not.toBe(true);
    expect(await (await post([CALL, { ...CALL, id: 2 }])).text()).toContain('"id":2');
    expect(countCalls()).toBe(before + 4);
  });
});

describe('a tool that cannot be called', () => {
  const OAUTH = {
    authType: 'OAUTH2',
    oauth2ClientId: 'client',
    oauth2AuthUrl: 'https://login.example.com/authorize',
    oauth2TokenUrl: 'https://login.example.com/token',
  };
  /** Each reason that has words of its own, and the code. */
  const TELLING: Readonly<Record<string, string>> = {
    denied: 'DENIED',
    unlisted: 'NOT_ALLOWED',
    pending: 'PENDING',
    gone: 'GONE',
    unconnected: 'NEEDS_CONNECT',
  };
  /** What nobody may know. */
  const HIDDEN = ['off', 'unchosen', 'none'];

  beforeAll(async () => {
    const { gateway } = world;
    const url = upstream.urlOf('/');
    const denied = await world.define({ slug: 'denied', url });
    await update(gateway, denied, { toolDenyList: ['fine'] });
    await world.define({ slug: 'unlisted', url, toolAllowList: ['other'] });
    const pending = await world.define({ slug: 'pending', url });
    await update(gateway, pending, { toolApproval: 'PIN' });
    const gone = await world.define({ slug: 'gone', url: upstream.urlOf('/gone') });
    upstream.onMethod('/gone', { 'tools/list': () => ({ tools: [toTool('other')] }) });
    await refresh(gateway, gone);
    const shared = await world.define({ slug: 'unconnected', url });
    await update(gateway, shared, OAUTH);
    await update(gateway, await world.define({ slug: 'off', url }), { enabled: false });
    await createId(gateway, { slug: 'unchosen', url, enabled: true, availability: 'DEFAULT_OFF' });
  });

  test.each([
    ['without a chat', () => '/mcp'],
    ['in a chat', () => `/mcp/chats/${chatId}`],
  ])('%s, says why in words of its own, or nothing at all', async (_where, path) => {
    const before = countCalls();
    const answers = new Map<string, { code: string; text: string }>();
    for (const slug of [...Object.keys(TELLING), ...HIDDEN]) {
      const message = callMessage(`${slug}__fine`);
      const { content, isError, _meta } = await readResult(
        await world.post(path(), message, { token: world.gateway.tokens.member }),
      );
      expect(isError).toBe(true);
      answers.set(slug, { code: _meta['gatehouse/code'], text: content[0].text });
    }
    const telling = Object.keys(TELLING).map((slug) => answers.get(slug));
    expect(telling.map((answer) => answer?.code)).toEqual(Object.values(TELLING));
    expect(new Set(telling.map((answer) => answer?.text)).size).toBe(telling.length);
    const [hidden, ...others] = HIDDEN.map((slug) => answers.get(slug));
    expect(hidden?.code).toBe('NOT_FOUND');
    expect(others).toEqual([hidden, hidden]);
    expect(telling).not.toContainEqual(hidden);
    expect(countCalls()).toBe(before);
  });
});

describe('a client that never reads', () => {
  test('keeps nobody else waiting, and the gateway from nothing', async () => {
    const { port } = new URL(world.url);
    const silent = Array.from({ length: 8 }, () => connect(Number(port), '127.0.0.1').pause());
    const body = JSON.stringify(callMessage('large__fine', {}, META));
    const lines = Object.entries({ ...HEADERS, 'mcp-name': 'large__fine' }).map(([name, value]) => `${name}: ${value}`);
    const before = upstream.seen('/large').length;
    try {
      for (const socket of silent) {
        await once(socket, 'connect');
        socket.write(
          [
            'POST /mcp HTTP/1.1',
            `Host: 127.0.0.1:${port}`,
            `Authorization: Bearer ${world.gateway.tokens.member}`,
            'Content-Type: application/json',
            'Accept: application/json, text/event-stream',
            `Content-Length: ${Buffer.byteLength(body)}`,
            ...lines,
            '',
            body,
          ].join('\r\n'),
        );
      }
      await expect
        .poll(
          () =>
            upstream
              .seen('/large')
              .slice(before)
              .filter((method) => method === 'tools/call').length,
        )
        .toBe(silent.length);
      for (let made = 0; made < 5; made += 1) expect((await readResult(await post(CALL))).isError).not.toBe(true);
    } finally {
      for (const socket of silent) socket.destroy();
    }
  });

  test('has so many answers that it has not read, each for so long', async () => {
    const { gateway } = world;
    const outgoing: (EventEmitter & { closed: boolean; setTimeout(ms: number): void })[] = [];
    const limits: number[] = [];
    const send = () => {
      const out = Object.assign(new EventEmitter(), {
        closed: false,
        setTimeout: (ms: number) => void limits.push(ms),
      });
      outgoing.push(out);
      const headers = {
        ...revision('2026-07-28'),
        'mcp-method': 'server/discover',
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${gateway.tokens.auditor}`,
      };
      const message = { jsonrpc: '2.0', id: 1, method: 'server/discover', params: { _meta: META } };
      const init = { method: 'POST', headers, body: JSON.stringify(message) };
      // As the server of Node passes its own response on.
      const request = new Request(`${world.url}/mcp`, init);
      return gateway.app.fetch(request, { incoming: Object.assign(request.body ?? [], { socket: {} }), outgoing: out });
    };
    const max = CONNECTION_LIMITS.doorRequestsPerUser.value;
    for (let made = 0; made < max; made += 1) expect((await send()).status).toBe(200);
    expect(new Set(limits)).toEqual(new Set([30_000]));
    expect((await send()).status).toBe(429);
    outgoing[0]?.emit('close');
    expect((await send()).status).toBe(200);
    expect((await send()).status).toBe(429);
  });
});
