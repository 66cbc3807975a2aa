import type { ServerResponse } from 'node:http';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type HostileUpstream, type RpcRequest, startHostileUpstream } from '../setup/hostile-upstream.ts';
import { callMessage } from './door-messages.ts';
import { type DoorWorld, openDoorWorld } from './door-world.ts';

let world: DoorWorld;
let upstream: HostileUpstream;
/** The call that the server got last, and has not answered. */
let onCall: (call: { request: RpcRequest; response: ServerResponse }) => void = () => undefined;

beforeAll(async () => {
  upstream = await startHostileUpstream();
  upstream.onMethod('/held', { 'tools/call': (request, response) => onCall({ request, response }) });
  world = await openDoorWorld();
  await world.define({ slug: 'held', url: upstream.urlOf('/held') });
});
afterAll(async () => {
  await world?.close();
  await upstream?.close();
});

const nextCall = (): Promise<{ request: RpcRequest; response: ServerResponse }> =>
  new Promise((resolve) => {
    onCall = resolve;
  });
const closed = (response: ServerResponse): Promise<unknown> =>
  new Promise((resolve) => (response.closed ? resolve(undefined) : response.once('close', resolve)));

interface Options {
  signal?: AbortSignal;
  onprogress?: (progress: { progress: number; total?: number | undefined; message?: string | undefined }) => void;
}
interface Caller {
  call(options: Options): Promise<any>;
  close(): Promise<void>;
}

const INFO = { name: 'test-client', version: '1.0.0' };
const requestInit = () => ({ headers: { authorization: `Bearer ${world.gateway.tokens.member}` } });

async function openNew(mode: 'legacy' | { pin: string }): Promise<Caller> {
  const client = new Client(INFO, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${world.url}/mcp`), { requestInit: requestInit() }));
  return {
    call: (options) => client.callTool({ name: 'held__fine', arguments: {} }, options as never),
    close: () => client.close(),
  };
}

const CALLERS: Readonly<Record<string, () => Promise<Caller>>> = {
  'SDK 1': async () => {
    const client = new OldClient(INFO);
    await client.connect(new OldTransport(new URL(`${world.url}/mcp`), { requestInit: requestInit() }) as never);
    return {
      call: (options) => client.callTool({ name: 'held__fine', arguments: {} }, undefined, options as never),
      close: () => client.close(),
    };
  },
  'SDK 2, legacy': () => openNew('legacy'),
  'SDK 2, pinned': () => openNew({ pin: '2026-07-28' }),
};

const sendEvent = (response: ServerResponse, message: object): void => {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
};
const tokenOf = ({ params }: RpcRequest) => (params['_meta'] as { progressToken?: unknown }).progressToken;

describe.each(Object.entries(CALLERS))('a client: %s', (_name, open) => {
  test('gets progress while the call runs, then the result', async () => {
    const caller = await open();
    const came = nextCall();
    const steps: object[] = [];
    let onStep: () => void = () => undefined;
    const answer = caller.call({
      onprogress: (step) => {
        steps.push(step);
        onStep();
      },
    });
    const { request, response } = await came;
    for (const progress of [1, 2, 3]) {
      const heard = new Promise<void>((resolve) => {
        onStep = resolve;
      });
      const params = { progressToken: tokenOf(request), progress, total: 3, message: `step ${progress}` };
      sendEvent(response, { method: 'notifications/progress', params });
      // The next step is sent only when this one has arrived.
      await heard;
    }
    sendEvent(response, { id: request.id, result: { content: [{ type: 'text', text: 'done' }] } });
    response.end();
    expect((await answer).content).toEqual([{ type: 'text', text: 'done' }]);
    expect(steps).toEqual([1, 2, 3].map((progress) => ({ progress, total: 3, message: `step ${progress}` })));
    await caller.close();
  });

  test('cancels, and the server learns of it', async () => {
    const caller = await open();
    const came = nextCall();
    const cancel = new AbortController();
    const answer = caller.call({ signal: cancel.signal });
    const { response } = await came;
    cancel.abort();
    await expect(answer).rejects.toThrow();
    await closed(response);
    await expect.poll(() => upstream.seen('/held').at(-1)).toBe('notifications/cancelled');
    await caller.close();
  });

  test('goes away, and the server learns of it', async () => {
    const caller = await open();
    const came = nextCall();
    const answer = caller.call({}).catch(() => 'gone');
    const { response } = await came;
    await caller.close();
    await closed(response);
    expect(await answer).toBe('gone');
  });
});

test('a notification cancels nobody else: another user, another door, or one of two requests with the same id', async () => {
  const { tokens, userIds } = world.gateway;
  const start = async (path: string, token: string) => {
    const came = nextCall();
    const away = new AbortController();
    const answer = fetch(`${world.url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify(callMessage('held__fine')),
      signal: away.signal,
    }).then((response) => response.text());
    answer.catch(() => undefined);
    return { ...(await came), answer, away };
  };
  const cancel = async (path: string, token: string, requestId: unknown = 1): Promise<void> => {
    const message = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } };
    expect((await world.post(path, message, { token })).status).toBe(202);
  };
  const first = await start('/mcp', tokens.member);
  await cancel('/mcp', tokens.admin);
  await cancel('/mcp', tokens.service);
  await cancel(`/mcp?user=${userIds.member}`, tokens.service);
  await cancel('/mcp/servers/held', tokens.member);
  await cancel('/mcp', tokens.member, '1');
  await cancel('/mcp', tokens.member, 2);
  await cancel('/mcp', tokens.member, null);
  const second = await start('/mcp', tokens.member);
  await cancel('/mcp', tokens.member);
  for (const { request, response } of [first, second]) {
    expect(response.closed).toBe(false);
    sendEvent(response, { id: request.id, result: { content: [] } });
    response.end();
  }
  expect(await first.answer).toContain('"content":[]');
  expect(await second.answer).toContain('"content":[]');
  // Alone, it is cancelled.
  const third = await start('/mcp', tokens.member);
  await cancel('/mcp', tokens.member);
  await closed(third.response);
  third.away.abort();
});

test('who tries a tool in the graph and goes away cancels the call', async () => {
  const { gateway, url } = world;
  const query = 'query { mcpServerConfig(by: { slug: "held" }) { id } }';
  const { data } = await gateway.graphql(query, { token: gateway.tokens.admin });
  const input = `{ configId: "${data.mcpServerConfig.id}", tool: "fine" }`;
  const away = new AbortController();
  const came = nextCall();
  const answer = fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.tokens.member}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query: `mutation { callMcpTool(input: ${input}) { result { code } } }` }),
    signal: away.signal,
  });
  answer.catch(() => undefined);
  const { response } = await came;
  away.abort();
  await closed(response);
  await expect(answer).rejects.toThrow();
});

test('who tries a tool over a WebSocket and completes it cancels this call, and no other', async () => {
  const { gateway, url } = world;
  const query = 'query { mcpServerConfig(by: { slug: "held" }) { id } }';
  const { data } = await gateway.graphql(query, { token: gateway.tokens.admin });
  const input = `{ configId: "${data.mcpServerConfig.id}", tool: "fine" }`;
  const payload = { query: `mutation { callMcpTool(input: ${input}) { result { code } } }` };
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const received: any[] = [];
  const send = (message: object) => socket.send(JSON.stringify(message));
  socket.addEventListener('message', (event) => void received.push(JSON.parse(String(event.data))));
  socket.addEventListener('open', () =>
    send({ type: 'connection_init', payload: { authorization: `Bearer ${gateway.tokens.member}` } }),
  );
  const ended = new Promise((resolve) => socket.addEventListener('close', resolve));
  try {
    await expect.poll(() => received.at(-1)?.type).toBe('connection_ack');
    const came = nextCall();
    send({ type: 'subscribe', id: 'stays', payload });
    const stays = await came;
    const cameToo = nextCall();
    send({ type: 'subscribe', id: 'goes', payload });
    const goes = await cameToo;
    send({ type: 'complete', id: 'goes' });
    await closed(goes.response);
    await expect.poll(() => upstream.seen('/held').at(-1)).toBe('notifications/cancelled');
    expect(stays.response.closed).toBe(false);
    sendEvent(stays.response, { id: stays.request.id, result: { content: [] } });
    stays.response.end();
    await expect.poll(() => received.at(-1)).toEqual({ type: 'complete', id: 'stays' });
    expect(received.filter(({ id }) => id === 'goes')).toEqual([]);
  } finally {
    socket.close();
    await ended;
  }
});

test('the SDKs answer a server that dies in the middle with a result, and the next call works', async () => {
  const caller = await openNew({ pin: '2026-07-28' });
  const came = nextCall();
  const answer = caller.call({});
  const { response } = await came;
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': working\n\n');
  response.destroy();
  expect(await answer).toMatchObject({ isError: true });
  const again = nextCall();
  const next = caller.call({});
  const call = await again;
  sendEvent(call.response, { id: call.request.id, result: { content: [] } });
  call.response.end();
  expect((await next).isError).not.toBe(true);
  await caller.close();
});
