import { once } from 'node:events';
import { connect } from 'node:net';
import { createClient as createSseClient, NetworkError } from 'graphql-sse';
import { createClient as createSocketClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { createId } from '../graphql/config-operations.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';

// The usual subscription clients, unmodified, over real connections.

const QUERY = `subscription ($after: String, $includeInitial: Boolean) {
  mcpServerConfigEvents(after: $after, includeInitial: $includeInitial) { type cursor configId } }`;

interface Follower {
  /** The next event that is not a bookmark. */
  next(): Promise<{ type: string; cursor: string; configId: string | null }>;
  stop(): Promise<void>;
}

type Iterate = (payload: { query: string; variables: Record<string, unknown> }) => AsyncIterableIterator<any>;

let gateway: TestGateway;
let server: RunningServer;
beforeAll(async () => {
  gateway = await createTestGateway();
  server = await listen(gateway.app, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server?.close(1_000);
  await gateway?.close();
});

const sseClient = (token: string) =>
  createSseClient({
    url: `http://127.0.0.1:${server.port}/graphql`,
    headers: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
  });
const socketClient = (token: string) =>
  createSocketClient({
    url: `ws://127.0.0.1:${server.port}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
  });

/** Subscribes; resolves once no change can be missed. */
async function follow(iterate: Iterate, variables: Record<string, unknown> = {}): Promise<Follower> {
  const events = iterate({ query: QUERY, variables });
  const nextOfAny = async () => {
    const { value, done } = await events.next();
    if (done === true) throw new Error('the stream is complete');
    expect(value.errors).toBeUndefined();
    return value.data.mcpServerConfigEvents;
  };
  if (variables['after'] === undefined) expect((await nextOfAny()).type).toBe('BOOKMARK');
  return {
    async next() {
      for (;;) {
        const event = await nextOfAny();
        if (event.type !== 'BOOKMARK') return event;
      }
    },
    stop: async () => void (await events.return?.()),
  };
}

describe.each([
  ['graphql-sse', (token: string) => sseClient(token).iterate.bind(undefined) as unknown as Iterate],
  ['graphql-ws', (token: string) => socketClient(token).iterate.bind(undefined) as unknown as Iterate],
])('a client of %s', (_name, createIterate) => {
  test('follows, disconnects, and resumes where it was', async () => {
    const iterate = createIterate(gateway.tokens.member);
    const first = await follow(iterate);
    const ids = [await createId(gateway, { enabled: true }), await createId(gateway, { enabled: true })];
    const event = await first.next();
    expect([event.type, event.configId]).toEqual(['ADDED', ids[0]]);
    await first.stop();
    const second = await follow(iterate, { after: event.cursor });
    expect((await second.next()).configId).toBe(ids[1]);
    await second.stop();
  });

  test('runs queries and mutations too', async () => {
    const answers = createIterate(gateway.tokens.member)({ query: '{ viewer { role } }', variables: {} });
    expect((await answers.next()).value).toEqual({ data: { viewer: { role: 'MEMBER' } } });
    expect((await answers.next()).done).toBe(true);
  });

  test('learns why its cursor is invalid', async () => {
    const events = createIterate(gateway.tokens.member)({ query: QUERY, variables: { after: 'nonsense' } });
    expect((await events.next()).value.errors[0].extensions.code).toBe('CURSOR_INVALID');
    expect((await events.next()).done).toBe(true);
  });
});

test('a graphql-sse client with an invalid token learns it from the status', async () => {
  const events = sseClient('nonsense').iterate({ query: QUERY });
  const error = await events.next().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(NetworkError);
  expect((error as NetworkError<Response>).response?.status).toBe(401);
});

test('a graphql-ws client with an invalid token learns it from the close code', async () => {
  const events = socketClient('nonsense').iterate({ query: QUERY });
  await expect(events.next()).rejects.toMatchObject({ code: 4401 });
});

test('proxies are told not to buffer events', async () => {
  const response = await fetch(`http://127.0.0.1:${server.port}/graphql`, {
    method: 'POST',
    headers: {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      authorization: `Bearer ${gateway.tokens.member}`,
    },
    body: JSON.stringify({ query: QUERY }),
  });
  expect(response.headers.get('x-accel-buffering')).toBe('no');
  expect(response.headers.get('cache-control')).toContain('no-');
  await response.body?.cancel();
});

describe('a request that offers another protocol', () => {
  const body = JSON.stringify({ query: '{ viewer { role } }' });
  const send = async (head: string[], text: string): Promise<string> => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    // The body in pieces, as the network delivers it.
    for (const piece of text.match(/.{1,20}/g) ?? []) socket.write(piece);
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk;
    });
    await once(socket, 'close');
    return answer;
  };
  const common = ['Host: localhost', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA', 'Upgrade: h2c'];

  test('is answered normally', async () => {
    const head = [
      'POST /graphql HTTP/1.1',
      ...common,
      `Authorization: Bearer ${gateway.tokens.member}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      'Connection: Upgrade, HTTP2-Settings',
      'Connection: close',
    ];
    const answer = await send(head, body);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toContain('{"data":{"viewer":{"role":"MEMBER"}}}');
  });

  test('keeps its connection for the next one', async () => {
    const socket = connect(server.port, '127.0.0.1');
    const request = (upgrade: boolean) =>
      [
        'GET /healthz HTTP/1.1',
        ...(upgrade ? common : ['Host: localhost']),
        upgrade ? 'Connection: Upgrade' : 'Connection: close',
        '',
        '',
      ].join('\r\n');
    let answer = '';
    let isAsked = false;
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk;
      if (isAsked || !answer.includes('{"status":"ok"}')) return;
      isAsked = true;
      socket.write(request(false));
    });
    socket.write(request(true));
    await once(socket, 'close');
    expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });
});
