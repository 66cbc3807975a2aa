import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../src/crypto/secret.ts';
import type { UpstreamError } from '../../src/mcp/upstream-error.ts';
import type { UpstreamTarget } from '../../src/mcp/upstream-target.ts';
import { type CallOptions, createUpstreams, type Upstreams, type UpstreamsOptions } from '../../src/mcp/upstreams.ts';
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
} from '../setup/hostile-upstream.ts';

// A call without the SDK's client must end as one with it. A call that asks for progress always needs the client: it is
// the judge here.

const KEY = 'io.modelcontextprotocol';
const DISCOVERED = {
  supportedVersions: ['2026-07-28'],
  capabilities: { tools: {} },
  resultType: 'complete',
  ttlMs: 0,
  cacheScope: 'private',
  _meta: { [`${KEY}/serverInfo`]: { name: 'modern', version: '1' } },
};
const NO_PROGRESS = (): void => undefined;

let hostile: HostileUpstream;
let upstreams: Upstreams;
/** Does not wait long. */
let nervous: Upstreams;
let paths = 0;

beforeAll(async () => {
  hostile = await startHostileUpstream();
  const options: UpstreamsOptions = {
    ranges: [{ kind: 'host', host: '127.0.0.1', port: hostile.port }],
    identity: { name: 'gatehouse', version: '0' },
    maxAnswerBytes: 300_000,
    traceHosts: ['127.0.0.1'],
  };
  upstreams = createUpstreams(options);
  nervous = createUpstreams({ ...options, callTimeoutMs: 1_500, maxSilenceMs: 500 });
});
afterAll(async () => {
  await Promise.all([upstreams?.dispose(), nervous?.dispose()]);
  await hostile?.close();
});

/** A server of revision 2026-07-28 that answers calls so. */
function serve(answer: Answer): { path: string; target: UpstreamTarget } {
  paths += 1;
  const path = `/modern/${paths}`;
  hostile.onMethod(path, { 'server/discover': () => DISCOVERED, 'tools/call': answer });
  return { path, target: toTarget(path) };
}

function toTarget(path: string): UpstreamTarget {
  const url = hostile.urlOf(path);
  const headers = [{ name: 'Authorization', value: new Secret('Bearer secret-of-the-user') }];
  const authorize = async () => ({ headers, grant: '' });
  return { configId: url, version: 1, owner: 'user-1', url, transport: 'streamable_http', authorize };
}

/** How a call of the server ends, and how often it was sent. */
async function endOf(answer: Answer, how: CallOptions, by = upstreams): Promise<unknown> {
  const { path, target } = serve(answer);
  const end = await by.callTool(target, 'tool', { a: 1 }, how).then(
    ({ result, bytes }) => ({ result, isCounted: bytes > 0 }),
    ({ problem, facts }: UpstreamError) => ({ problem, facts }),
  );
  return { end, calls: hostile.seen(path).filter((method) => method === 'tools/call').length };
}

const toText = (...texts: unknown[]) => texts.map((text) => ({ type: 'text', text }));
const complete =
  (result: object): Answer =>
  () => ({ resultType: 'complete', ...result });
const reply =
  (change: (message: Record<string, unknown>) => unknown): Answer =>
  ({ id }, response) =>
    sendText(JSON.stringify(change({ jsonrpc: '2.0', id, result: DONE })))({ id, method: '', params: {} }, response);
const DONE = { resultType: 'complete', content: toText('done') };
const fail =
  (error: unknown): Answer =>
  ({ id }, response) =>
    sendJson(response, { id, error });
const answerStatus = (status: number, headers: Record<string, string> = {}): Answer =>
  sendStatus(status, headers) as unknown as Answer;
const withHeaders =
  (status: number, headers: Record<string, string>, text: string): Answer =>
  (_request, response) =>
    void response.writeHead(status, headers).end(text);
const deepJson = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
const PAGE = { mode: 'url', url: 'https://a.example/page', message: 'Open it.', elicitationId: '1' };

const events =
  (toMessages: (id: unknown) => Record<string, unknown>[]): Answer =>
  (request, response) =>
    sendEvents(...toMessages(request.id))(request, response);

const RESULTS: readonly [string, Answer][] = [
  ['one text', complete({ content: toText('done') })],
  ['none', complete({ content: [] })],
  ['some texts', complete({ content: toText('ä\u2028\ud83d\ude00', '"\\') })],
  ['an error of the tool', complete({ content: toText('no'), isError: true })],
  ['structured content', complete({ content: [], structuredContent: { b: [1, null], a: { x: 1.5 } } })],
  ...[[1], 5, 'a', null].map((structuredContent): [string, Answer] => [
    `structured content ${JSON.stringify(structuredContent)}`,
    complete({ content: [], structuredContent }),
  ]),
  ['the name of the server', complete({ content: [], _meta: { [`${KEY}/serverInfo`]: { name: 'a', version: '1' } } })],
  ['a wrong name of the server', complete({ content: [], _meta: { [`${KEY}/serverInfo`]: 1 } })],
  ['metadata of its own', complete({ content: [], _meta: { 'a.example/b': { c: 1 } } })],
  ...[null, 1, []].map((_meta): [string, Answer] => [
    `metadata ${JSON.stringify(_meta)}`,
    complete({ content: [], _meta }),
  ]),
  ['other parts', complete({ content: [], ttlMs: 5, extra: { a: 1 } })],
  ['an image', complete({ content: [{ type: 'image', data: 'AA==', mimeType: 'image/png' }] })],
  ['a wrong image', complete({ content: [{ type: 'image', data: 1 }] })],
  ['annotations', complete({ content: [{ type: 'text', text: 'a', annotations: { audience: ['user'] } }] })],
  ['a link', complete({ content: [{ type: 'resource_link', uri: 'a://b', name: 'c' }] })],
  ['content of no known type', complete({ content: [{ type: 'strange' }] })],
  ['a text that is a number', complete({ content: toText(1) })],
  ['content that is null', complete({ content: [null] })],
  ['content that is a text', complete({ content: 'done' })],
  ['no content', complete({})],
  ['only structured content', complete({ structuredContent: { a: 1 } })],
  ...['yes', null, 1].map((isError): [string, Answer] => [
    `isError ${JSON.stringify(isError)}`,
    complete({ content: [], isError }),
  ]),
  ...['input_required', 'other', 1, null].map((resultType): [string, Answer] => [
    `the type ${JSON.stringify(resultType)}`,
    () => ({ ...DONE, resultType }),
  ]),
  ['no type', () => ({ content: toText('done') })],
  ['a question', () => ({ resultType: 'input_required', inputRequests: { a: { method: 'roots/list' } } })],
  ['a list', () => []],
  ['a text', () => 'done'],
  ['no object', reply((message) => ({ ...message, result: null }))],
];

const MESSAGES: readonly [string, Answer][] = [
  ['with another part', reply((message) => ({ ...message, extra: 1 }))],
  ['of JSON-RPC 1.0', reply((message) => ({ ...message, jsonrpc: '1.0' }))],
  ['in a list', reply((message) => [message])],
  ['that is null', reply(() => null)],
  ['with two results', reply((message) => ({ ...message, error: { code: 1, message: 'no' } }))],
  [
    'with a prototype',
    ({ id }, response) =>
      sendText(`{"jsonrpc":"2.0","id":${id},"result":{"resultType":"complete","content":[],"__proto__":{"a":1}}}`)(
        { id, method: '', params: {} },
        response,
      ),
  ],
  ['with a mark of the byte order', ({ id }, response) => sendMarked(response, id)],
  ['that is no JSON', sendText('no')],
  ['that is cut', sendText('{"jsonrpc":"2.0","id":1000000001,"result":{"resu')],
  ['without bytes', sendText('')],
  ['with bytes that are no UTF-8', (request, response) => sendBroken(response, request.id)],
  ['with parameters in its type', reply((message) => message)],
  ['of an error', fail({ code: -32_602, message: 'no', data: { a: 1 } })],
  ['of an error without a code', fail({ message: 'no' })],
  ['of an error of the revision', fail({ code: -32_022, message: 'no', data: { supported: ['1'], requested: '2' } })],
  ['of a missing resource', fail({ code: -32_002, message: 'no', data: { uri: 'a://b' } })],
  ['that sends the user to a page', fail({ code: -32_042, message: 'no', data: { elicitations: [PAGE] } })],
  ['that sends the user nowhere', fail({ code: -32_042, message: 'no', data: { elicitations: [] } })],
  ['with 10,000 levels', sendText(`{"jsonrpc":"2.0","id":1,"result":${deepJson(10_000)}}`)],
  ['with 1 MB', reply((message) => ({ ...message, extra: 'x'.repeat(1_000_000) }))],
];

const RESPONSES: readonly [string, Answer][] = [
  ['a page', sendText('<html>', 'text/html')],
  ['another type', sendText('{}', 'application/xml')],
  ['no type', withHeaders(200, {}, '{}')],
  ['a type in capitals', withHeaders(200, { 'content-type': 'Application/JSON; Charset=utf-8' }, '{}')],
  ['a bomb', sendBomb],
  ['a redirect', withHeaders(307, { location: 'http://127.0.0.1:1/' }, '')],
  ['204', answerStatus(204)],
  ['201', withHeaders(201, { 'content-type': 'application/json' }, '{}')],
  ['400', answerStatus(400)],
  [
    '400 with an error',
    ({ id }, response) => {
      const text = JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32_001, message: 'no' } });
      response.writeHead(400, { 'content-type': 'application/json' }).end(text);
    },
  ],
  ['401', answerStatus(401, { 'www-authenticate': 'Bearer scope="read write"' })],
  ['403', answerStatus(403)],
  ['403 for scopes', answerStatus(403, { 'www-authenticate': 'Bearer error="insufficient_scope", scope="admin"' })],
  ['404', answerStatus(404)],
  ['418', answerStatus(418)],
  ['429', answerStatus(429, { 'retry-after': '7' })],
  ['500', answerStatus(500)],
  ['503', answerStatus(503, { 'retry-after': '7' })],
  ['500 with 1 MB', withHeaders(500, { 'content-type': 'application/json' }, 'x'.repeat(1_000_000))],
  ['an end before the headers', (_request, response) => void response.destroy()],
  [
    'an end in the middle',
    (_request, response) =>
      void response.writeHead(200, { 'content-type': 'application/json' }).write('{', () => response.destroy()),
  ],
  ['events', events((id) => [{ id, result: DONE }])],
  [
    'events with a second answer',
    events((id) => [
      { id, result: DONE },
      { id, result: { ...DONE, content: [] } },
    ]),
  ],
  ['events for another request', events(() => [{ id: 4_711, result: DONE }])],
  [
    'events that tell',
    events((id) => [
      { method: 'notifications/message', params: { level: 'info', data: 'a' } },
      { id, result: DONE },
    ]),
  ],
  [
    'events that ask',
    events((id) => [
      { id: 1, method: 'roots/list' },
      { id, result: DONE },
    ]),
  ],
  ['no events', events(() => [])],
  ['events of an error', events((id) => [{ id, error: { code: -32_602, message: 'no' } }])],
  ['events without end', sendEndlessEvents],
  ['deep events', sendText(`data: {"result":${deepJson(10_000)}}\n\n`, 'text/event-stream')],
];

const SILENT: readonly [string, Answer][] = [
  ['202', answerStatus(202)],
  ['silence', () => undefined],
  [
    'silence in the middle',
    (_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{"jsonrpc":'),
  ],
  [
    'one byte after the other, without end',
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 50);
      response.on('close', () => clearInterval(timer));
    },
  ],
];

function sendMarked(response: ServerResponse, id: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(`\ufeff${JSON.stringify({ jsonrpc: '2.0', id, result: DONE })}`);
}

function sendBroken(response: ServerResponse, id: unknown): void {
  const [before = '', after = ''] = JSON.stringify({ jsonrpc: '2.0', id, result: DONE }).split('done');
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(Buffer.concat([Buffer.from(before), Buffer.from([0xff, 0xc3]), Buffer.from(after)]));
}

/** With these, a server says that it does not know the connection. Then it did nothing, and is asked once more. */
const FORGETS = /^40[04]/;

describe.each([
  ['a result with', RESULTS],
  ['a message', MESSAGES],
  ['a response with', RESPONSES],
] as const)('%s', (_title, answers) => {
  test.each(answers)('%s means the same without the client, and the call is sent once', async (name, answer) => {
    const direct = await endOf(answer, {});
    expect(direct).toEqual(await endOf(answer, { onProgress: NO_PROGRESS }));
    expect(direct).toMatchObject({ calls: FORGETS.test(name) ? 2 : 1 });
  });
});

test.concurrent.each(SILENT)('%s ends a call in the same way', async (_name, answer) => {
  const ends = await Promise.all([{}, { onProgress: NO_PROGRESS }].map((how) => endOf(answer, how, nervous)));
  for (const end of ends) expect(end).toMatchObject({ end: { problem: 'TIMEOUT' } });
});

describe('a request', () => {
  const TRACE = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', baggage: 'a=b' };
  const SCHEMA = { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } };

  /** The calls that a server got, with all that was sent. */
  function record(): { target: UpstreamTarget; calls: { headers: object; body: Record<string, unknown> }[] } {
    paths += 1;
    const path = `/recorded/${paths}`;
    const calls: { headers: object; body: Record<string, unknown> }[] = [];
    hostile.on(path, async (request, response) => {
      let text = '';
      for await (const chunk of request.setEncoding('utf8')) text += chunk;
      const { id, ...body } = JSON.parse(text) as Record<string, unknown>;
      const isCall = body['method'] === 'tools/call';
      const { connection: _connection, 'content-length': _length, ...headers } = request.headers;
      if (isCall) calls.push({ headers, body });
      sendJson(response, { id, result: isCall ? DONE : DISCOVERED });
    });
    return { target: toTarget(path), calls };
  }

  test.each<[string, string, Record<string, unknown>, CallOptions]>([
    ['without arguments', 'tool', {}, {}],
    ['with a trace', 'ns.tool/a-b_c', { a: { b: [1] } }, { trace: TRACE }],
    ['with headers', 'tool', { region: 'eu-1' }, { inputSchema: SCHEMA }],
    ['with an odd header', 'tool', { region: ' ä\n' }, { inputSchema: SCHEMA }],
    ['of an odd name', 'a tool: ä', {}, {}],
  ])('%s is the same, but for the token for its progress', async (_case, name, args, how) => {
    const { target, calls } = record();
    await upstreams.callTool(target, name, args, how);
    await upstreams.callTool(target, name, args, { ...how, onProgress: NO_PROGRESS });
    const [direct, judged] = calls;
    const params = judged?.body['params'] as { _meta: Record<string, unknown> };
    const { progressToken, ..._meta } = params._meta;
    expect(progressToken).toBeDefined();
    expect(direct).toEqual({ ...judged, body: { ...judged?.body, params: { ...params, _meta } } });
    expect(direct?.headers).toMatchObject({ authorization: 'Bearer secret-of-the-user' });
  });
});

describe.each([
  ['before the answer begins', (): void => undefined],
  ['in the middle of it', (response: ServerResponse) => startJson(response)],
  ['in the middle of events', (response: ServerResponse) => startEvents(response)],
])('a call that is ended %s', (_when, begin) => {
  /** A call that runs, and resolves when its server has lost it. */
  async function start(signal?: AbortSignal) {
    let begun: () => void = () => undefined;
    let lost: () => void = () => undefined;
    const [isRunning, isLost] = [
      new Promise<void>((resolve) => (begun = resolve)),
      new Promise<void>((resolve) => (lost = resolve)),
    ];
    const { target } = serve((_request, response) => {
      response.on('close', lost);
      begin(response);
      begun();
    });
    const ended = upstreams.callTool(target, 'tool', {}, { signal }).catch(({ problem }: UpstreamError) => problem);
    await isRunning;
    return { target, ended, isLost };
  }

  test('by its caller is lost by the server, too', async () => {
    const controller = new AbortController();
    const { ended, isLost } = await start(controller.signal);
    controller.abort();
    expect(await ended).toBe('CANCELLED');
    await isLost;
  });

  test('with its connection is lost by the server, too', async () => {
    const { target, ended, isLost } = await start();
    await upstreams.close({ configId: target.configId });
    expect(await ended).toBe('CLOSED');
    await isLost;
  });
});

function startJson(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' }).write('{"jsonrpc":');
}

function startEvents(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': nothing yet\n\n');
}
