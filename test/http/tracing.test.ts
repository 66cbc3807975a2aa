import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type HostileUpstream, sendJson, startHostileUpstream, toTool } from '../setup/hostile-upstream.ts';
import { type SentSpan, startTraceReceiver, type TraceReceiver } from '../setup/trace-receiver.ts';
import { callMessage, readResult } from './door-messages.ts';
import { type DoorWorld, openDoorWorld } from './door-world.ts';

// Spans of OpenTelemetry, as a receiver gets them.

const CALLER = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };
const OTHER = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const toParent = ({ traceId, spanId }: typeof CALLER, flags = '01'): string => `00-${traceId}-${spanId}-${flags}`;

let world: DoorWorld;
let upstream: HostileUpstream;
let receiver: TraceReceiver;
let id: string;
let calls: { _meta?: Record<string, unknown> }[] = [];
const worlds: DoorWorld[] = [];

/** A gateway with one server, whose spans the receiver gets. */
async function open(env: Record<string, string> = {}): Promise<DoorWorld> {
  const opened = await openDoorWorld({ env: { ...receiver.env, GATEHOUSE_TRACE_CONTEXT_HOSTS: '127.0.0.1', ...env } });
  worlds.push(opened);
  id = await opened.define({ slug: 'shop', url: upstream.urlOf('/shop') });
  return opened;
}

beforeAll(async () => {
  upstream = await startHostileUpstream();
  upstream.onMethod('/shop', {
    'tools/list': () => ({ tools: [toTool('pay'), toTool('fail')] }),
    'tools/call': ({ params }) => {
      calls.push(params);
      return { content: [{ type: 'text', text: 'done' }], ...(params['name'] === 'fail' && { isError: true }) };
    },
  });
  receiver = await startTraceReceiver();
  world = await open();
});
beforeEach(() => {
  calls = [];
  receiver.spans.length = 0;
});
afterAll(async () => {
  for (const each of worlds) await each.close();
  await upstream?.close();
  receiver?.close();
});

const call = (name: string, meta?: Record<string, unknown>, headers: Record<string, string> = {}, at = world) =>
  at.post('/mcp', callMessage(name, { card: 'canary-argument' }, meta), { token: at.gateway.tokens.member, headers });

/** Waits for spans with these names. */
async function spansOf(...names: string[]): Promise<SentSpan[]> {
  const find = () => names.map((name) => receiver.spans.find((span) => span.name === name));
  await expect.poll(() => find().every((span) => span !== undefined), { timeout: 30_000 }).toBe(true);
  return find() as SentSpan[];
}

/** Sends a request whose span is recorded, and waits for it: those of requests before it are there, too. */
async function settle(at = world): Promise<void> {
  await at.gateway.graphql('query Settled { viewer { id } }', { token: at.gateway.tokens.member });
  await expect
    .poll(() => receiver.spans.some(({ attributes }) => attributes['graphql.operation.name'] === 'Settled'), {
      timeout: 30_000,
    })
    .toBe(true);
}

test('a tool call is one tree: the request, the message, the call of the server', async () => {
  const response = await call('shop__pay', undefined, { traceparent: toParent(CALLER), tracestate: 'vendor=1' });
  await readResult(response);
  const [request, message, client] = await spansOf('POST /mcp', 'tools/call shop__pay', 'tools/call pay');
  expect(request).toMatchObject({ kind: 2, traceId: CALLER.traceId, parentSpanId: CALLER.spanId, status: 0 });
  expect(message).toMatchObject({ kind: 2, traceId: CALLER.traceId, parentSpanId: request?.spanId });
  expect(client).toMatchObject({ kind: 3, traceId: CALLER.traceId, parentSpanId: message?.spanId });
  expect(request?.attributes).toEqual({
    'http.request.method': 'POST',
    'http.route': '/mcp',
    'http.response.status_code': 200,
    'url.scheme': 'http',
    'user.id': world.gateway.userIds.member,
    'gatehouse.request_id': response.headers.get('x-request-id'),
  });
  expect(message?.attributes).toEqual({
    'mcp.method.name': 'tools/call',
    'jsonrpc.request.id': '1',
    'network.transport': 'tcp',
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'shop__pay',
  });
  expect(client?.attributes).toEqual({
    'mcp.method.name': 'tools/call',
    'mcp.protocol.version': expect.stringMatching(/^20\d\d-/),
    'network.transport': 'tcp',
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'pay',
    'server.address': '127.0.0.1',
    'server.port': Number(new URL(upstream.urlOf('/shop')).port),
    'gatehouse.server.id': id,
  });
  // The server is told the span of its call, and the caller's own words about the trace.
  const traceparent = `00-${CALLER.traceId}-${client?.spanId}-01`;
  expect(calls[0]?._meta).toEqual({ traceparent, tracestate: 'vendor=1' });
});

test("a message continues the trace in its _meta, and has a link to its request's", async () => {
  const baggage = 'team=blue';
  await readResult(
    await call('shop__pay', { traceparent: toParent(OTHER), baggage }, { traceparent: toParent(CALLER) }),
  );
  const [request, message, client] = await spansOf('POST /mcp', 'tools/call shop__pay', 'tools/call pay');
  expect(request).toMatchObject({ traceId: CALLER.traceId, parentSpanId: CALLER.spanId });
  expect(message).toMatchObject({ traceId: OTHER.traceId, parentSpanId: OTHER.spanId });
  expect(message?.links).toEqual([{ traceId: CALLER.traceId, spanId: request?.spanId }]);
  expect(client).toMatchObject({ traceId: OTHER.traceId, parentSpanId: message?.spanId });
  expect(calls[0]?._meta).toEqual({ traceparent: `00-${OTHER.traceId}-${client?.spanId}-01`, baggage });
});

test('errors have a kind, and names that callers make up are not names of spans', async () => {
  await readResult(await call('shop__fail'));
  await readResult(await call('shop__made_up'));
  await (await call('shop__pay', { traceparent: 'x'.repeat(100) }, { traceparent: '00-0-0-01' })).text();
  const [failed, client, made] = await spansOf('tools/call shop__fail', 'tools/call fail', 'tools/call');
  for (const span of [failed, client]) {
    expect(span).toMatchObject({ status: 2, attributes: { 'error.type': 'tool_error' } });
  }
  expect(made).toMatchObject({ status: 2, attributes: { 'error.type': 'NOT_FOUND' } });
  expect(made?.attributes).not.toHaveProperty('gen_ai.tool.name');
  const [own] = await spansOf('tools/call shop__pay');
  const [request] = receiver.spans.filter(({ spanId }) => spanId === own?.parentSpanId);
  expect(request?.parentSpanId).toBeUndefined();
});

test('an operation of the graph is a part of its request, and the server that it calls a part of the operation', async () => {
  const query = `mutation ${'Long'.repeat(100)} { callMcpTool(input: { configId: "${id}", tool: "pay" }) { result { isError } } }`;
  const { errors } = await world.gateway.graphql(query, { token: world.gateway.tokens.member });
  expect(errors).toBeUndefined();
  const [request, operation, client] = await spansOf('POST /graphql', 'mutation', 'tools/call pay');
  expect(operation).toMatchObject({ kind: 1, traceId: request?.traceId, parentSpanId: request?.spanId });
  expect(operation?.attributes).toEqual({
    'graphql.operation.type': 'mutation',
    'graphql.operation.name': 'Long'.repeat(50),
  });
  expect(client?.parentSpanId).toBe(operation?.spanId);
});

test('an answer that is sent again has spans, too, and log lines have the ids of theirs', async () => {
  const { tokens } = world.gateway;
  const ask = () =>
    fetch(`${world.url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${tokens.member}`,
        traceparent: toParent(CALLER),
      },
      body: JSON.stringify({ query: 'query Again { mcpServerConfigs { totalCount } }' }),
    }).then((response) => response.text());
  const repeats = async (): Promise<number> => {
    const metrics = await (await world.gateway.fetch('/metrics')).text();
    return Number(/^gatehouse_http_repeats_total (\d+)$/m.exec(metrics)?.[1] ?? 0);
  };
  const asked = 5;
  for (let count = 0; count < asked; count += 1) expect(await ask()).toContain('totalCount');
  expect(await repeats()).toBeGreaterThan(0);
  const named = () => receiver.spans.filter(({ attributes }) => attributes['graphql.operation.name'] === 'Again');
  await expect.poll(() => named().length, { timeout: 30_000 }).toBe(asked);
  const lines = world.gateway
    .logs()
    .split('\n')
    .filter((line) => line.includes('"Again"'))
    .map((line) => JSON.parse(line));
  expect(lines.map(({ trace_id, span_id }) => [trace_id, span_id])).toEqual(
    named().map(({ spanId }) => [CALLER.traceId, spanId]),
  );
  for (const { parentSpanId } of named()) {
    const request = receiver.spans.find(({ spanId }) => spanId === parentSpanId);
    expect(request).toMatchObject({ name: 'POST /graphql', parentSpanId: CALLER.spanId });
  }
});

test.each([
  ['always_off', {}, 0],
  // Callers choose the numbers of their traces, and this one is recorded by whoever goes by numbers.
  ['traceidratio', { OTEL_TRACES_SAMPLER_ARG: '0.000001' }, 0],
  ['parentbased_always_off', {}, 3],
  ['always_on', {}, 3],
])('%s: the sampler decides, and takes the word of callers only where it says so', async (sampler, env, recorded) => {
  const other = await open({ OTEL_TRACES_SAMPLER: sampler, ...env });
  await settle();
  receiver.spans.length = 0;
  const parent = toParent({ ...CALLER, traceId: `${'0'.repeat(31)}1` });
  await readResult(await call('shop__pay', { traceparent: parent }, { traceparent: parent }, other));
  // Spans are sent in the order in which they end, from each gateway: so those of the call would be there.
  await other.close();
  worlds.splice(worlds.indexOf(other), 1);
  expect(receiver.spans.filter(({ traceId }) => parent.includes(traceId))).toHaveLength(recorded);
  // Who records nothing passes the trace on as it came.
  if (recorded === 0) expect(calls[0]?._meta).toEqual({ traceparent: parent });
});

test('probes have no spans', async () => {
  for (const path of ['/healthz', '/readyz', '/metrics']) await world.gateway.fetch(path);
  await settle();
  expect(receiver.spans.map(({ name }) => name)).not.toContainEqual(expect.stringMatching(/healthz|readyz|metrics/));
});

test('no span has a credential, a cookie, an argument, a result, a document, a path or a query', async () => {
  const { tokens } = world.gateway;
  receiver.texts.length = 0;
  const cookie = 'gatehouse_session=canary-cookie';
  const headers = { cookie, 'x-canary': 'canary-header', baggage: 'secret=canary-baggage' };
  upstream.onMethod('/shop', {
    'tools/list': () => ({ tools: [toTool('pay')] }),
    'tools/call': ({ id: rpcId, params }, response) => {
      if (JSON.stringify(params['arguments']).includes('canary-argument'))
        return { content: [{ type: 'text', text: 'canary-result' }] };
      return sendJson(response, { id: rpcId, error: { code: -32_000, message: 'canary-error', data: 'canary-data' } });
    },
  });
  for (const args of [{ card: 'canary-argument' }, { way: 'error' }]) {
    const message = callMessage('shop__pay', args, { baggage: 'secret=canary-baggage' });
    await (await world.post('/mcp?user=canary-user', message, { token: tokens.service, headers })).text();
    await (await world.post('/mcp', message, { token: tokens.member, headers })).text();
  }
  for (const path of ['/auth/sign-in?token=canary-code', '/oauth/callback?code=canary-code&state=canary-state']) {
    await (await fetch(`${world.url}${path}`, { headers, redirect: 'manual' })).text();
  }
  await (await fetch(`${world.url}/canary-path/canary-path`, { method: 'PATCH', headers })).text();
  const query = '{ viewer { canary: id } mcpServerConfig(slug: "canary-literal") { id } }';
  const sent = { method: 'POST', body: JSON.stringify({ query, variables: { a: 'canary-variable' } }) };
  const asMember = { ...headers, authorization: `Bearer ${tokens.member}`, 'content-type': 'application/json' };
  await (await fetch(`${world.url}/graphql`, { ...sent, headers: asMember })).text();
  await (
    await fetch(`${world.url}/graphql`, { ...sent, headers: { ...asMember, authorization: 'Bearer canary' } })
  ).text();
  await settle();
  const all = receiver.texts.join('\n');
  for (const name of ['tools/call shop__pay', 'GET /auth/sign-in', 'PATCH', 'query'])
    expect(all).toContain(`"${name}"`);
  const { member, service } = tokens;
  expect(['canary', 'Settled {', 'card', member, service].filter((secret) => all.includes(secret))).toEqual([]);
});
