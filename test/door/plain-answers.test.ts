import { createMcpHandler } from '@modelcontextprotocol/server';
import { describe, expect, test } from 'vitest';
import type { Door, DoorAnswer } from '../../src/domain/door/door.ts';
import type { OpenDoor } from '../../src/domain/door/door-place.ts';
import { notFound } from '../../src/errors.ts';
import { createDoorServer } from '../../src/http/door/door-server.ts';
import { answerPlain } from '../../src/http/door/plain-answer.ts';
import { readPlainRequest } from '../../src/http/door/plain-request.ts';
import type { CallOptions } from '../../src/mcp/upstreams.ts';

// Whatever is answered without the library must be what the library answers. It is the judge of each request here.

const KEY = 'io.modelcontextprotocol';
const ENVELOPE = {
  [`${KEY}/protocolVersion`]: '2026-07-28',
  [`${KEY}/clientInfo`]: { name: 'client', version: '1' },
  [`${KEY}/clientCapabilities`]: {},
};
const TOOLS = [
  { name: 'a__b', inputSchema: { type: 'object' }, title: 'ä\u2028"', execution: { taskSupport: 'optional' } },
];

interface Asked {
  headers: Readonly<Record<string, string>>;
  message: unknown;
}

/** A door that answers each call in the same way, and tells what it was asked. */
function createWorld(answer: DoorAnswer | Error) {
  const calls: unknown[] = [];
  const door = {
    items: { exposes: () => ({ resources: false, prompts: false }) },
    instructions: () => '',
    list: async () => {
      if (answer instanceof Error) throw answer;
      return TOOLS;
    },
    listJson: async () => {
      if (answer instanceof Error) throw answer;
      const text = TOOLS.map(({ execution: _, ...tool }) => JSON.stringify(tool)).join(',');
      return { bytes: Buffer.from(text), isNew: true };
    },
    call: async (_opened: unknown, call: unknown, { trace, onProgress }: CallOptions) => {
      calls.push({ call, trace });
      onProgress?.({ progress: 1 });
      if (answer instanceof Error) throw answer;
      return answer;
    },
  } as unknown as Door;
  const options = {
    opened: {} as OpenDoor,
    version: '1.2.3',
    isGreeting: false,
    inShare: <Result>(work: () => Promise<Result>) => work(),
    report: () => 'some-id',
  };
  const byLibrary = async ({ headers, message }: Asked, through = door) => {
    const revision = headers['mcp-protocol-version'];
    const handler = createMcpHandler(() => createDoorServer({ ...options, door: through, revision }), {
      legacy: 'stateless',
    });
    const request = new Request('http://127.0.0.1/mcp', { method: 'POST', headers });
    const response = await handler.fetch(request, { parsedBody: message });
    const text = await response.text();
    return { status: response.status, type: response.headers.get('content-type'), text };
  };
  return {
    calls,
    byLibrary: (asked: Asked) => byLibrary(asked),
    /** As the route does it. @returns whether the library was not needed, and the answer */
    async directly(asked: Asked) {
      const plain = readPlainRequest((name) => asked.headers[name], asked.message);
      if (plain === undefined) return undefined;
      const { signal } = new AbortController();
      const answered = await answerPlain(plain, { ...options, door, signal });
      return 'json' in answered
        ? { isPlain: true, status: 200, type: 'application/json', text: Buffer.from(answered.json).toString() }
        : { isPlain: false, ...(await byLibrary(asked, answered.door)) };
    },
  };
}

function toAsked(
  method: string,
  params: object = {},
  more: Partial<Asked['headers']> = {},
  envelope: object = {},
): Asked {
  const { name } = params as { name?: unknown };
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(typeof name === 'string' && { 'mcp-name': name }),
    ...more,
  };
  return {
    headers: Object.fromEntries(Object.entries(headers).filter((each): each is [string, string] => each[1] !== '')),
    message: { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: { ...ENVELOPE, ...envelope } } },
  };
}

const DONE: DoorAnswer = { kind: 'result', result: { content: [{ type: 'text', text: 'Done.' }] }, bytes: 1 };
const CALL = { name: 'a__b', arguments: { path: '/' } };
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const HEADERS: readonly Partial<Asked['headers']>[] = [
  {},
  ...['', '2025-11-25', '2025-03-26', '2026-07-28 ', '2027-01-01', '1'].map((value) => ({
    'mcp-protocol-version': value,
  })),
  ...['', 'tools/list', 'tools/call', 'TOOLS/CALL', 'ping'].map((value) => ({ 'mcp-method': value })),
  ...['', 'a__b', 'x', '=?base64?YV9fYg==?=', '=?base64?!?='].map((value) => ({ 'mcp-name': value })),
  ...['', 'text/plain', 'application/json; charset=utf-8'].map((value) => ({ 'content-type': value })),
  ...['', 'application/json', 'text/html'].map((value) => ({ accept: value })),
];
const ENVELOPES: readonly object[] = [
  {},
  { traceparent: TRACE, tracestate: 'a=b', baggage: 'c=d' },
  { traceparent: 1 },
  ...[1, 'one', null, {}].map((progressToken) => ({ progressToken })),
  { 'x/y': { z: 1 } },
  ...['info', 'none'].map((level) => ({ [`${KEY}/logLevel`]: level })),
  ...['2025-11-25', '2027-01-01', 1, null].map((version) => ({ [`${KEY}/protocolVersion`]: version })),
  ...[{}, { name: 1, version: '1' }, { name: 'a', version: 1 }, { name: 'a', version: '1', icons: 1 }, 'a', null].map(
    (info) => ({
      [`${KEY}/clientInfo`]: info,
    }),
  ),
  ...[
    { elicitation: {}, roots: {}, sampling: {} },
    { elicitation: [] },
    { elicitation: { url: {} } },
    { roots: 1 },
    { extensions: { 'a/b': {} } },
    [],
    null,
  ].map((each) => ({
    [`${KEY}/clientCapabilities`]: each,
  })),
];
const PARAMS: readonly object[] = [
  CALL,
  { name: 'a__b' },
  { name: 'ä' },
  { name: '' },
  { name: '=?base64?YV9fYg==?=' },
  { name: 1 },
  {},
  { ...CALL, task: {} },
  { ...CALL, inputResponses: {} },
  { ...CALL, inputResponses: { 'open-page-1': { action: 'decline' } } },
  { ...CALL, requestState: 'x' },
  { ...CALL, cursor: 'x' },
  ...[null, 1, [], 'a', JSON.parse('{"__proto__":{"a":1},"b":2}')].map((value) => ({ ...CALL, arguments: value })),
  { ...CALL, arguments: { 2: 'b', 1: 'a', deep: { __proto: [null, 1.5] } } },
];
const MESSAGES: readonly object[] = [
  ...['a', '', 1.5, -1, 2 ** 53, null, true, {}].map((id) => ({ id })),
  ...['1.0', undefined].map((jsonrpc) => ({ jsonrpc })),
  ...[null, [], 1, undefined].map((params) => ({ params })),
  ...[null, [], 1, {}].map((_meta) => ({ params: { ...CALL, _meta } })),
  { extra: 1 },
  { result: {} },
  { method: 'tools/other' },
  { method: 1 },
];

/** Every method with each of these, while everything else is in order, and any two of them together. */
function createRequests(): Asked[] {
  const found: Asked[] = [];
  for (const [method, params] of [
    ['tools/list', [{}, { cursor: 'x' }]],
    ['tools/call', PARAMS],
  ] as const) {
    for (const given of params) {
      for (const headers of HEADERS) found.push(toAsked(method, given, headers));
      for (const envelope of ENVELOPES) found.push(toAsked(method, given, {}, envelope));
    }
    for (const headers of HEADERS) {
      for (const envelope of ENVELOPES)
        found.push(toAsked(method, method === 'tools/call' ? CALL : {}, headers, envelope));
    }
    for (const change of MESSAGES) {
      const asked = toAsked(method, method === 'tools/call' ? CALL : {});
      found.push({ ...asked, message: { ...(asked.message as object), ...change } });
    }
    const asked = toAsked(method, CALL);
    for (const message of [[asked.message], [], null, 1, 'a']) found.push({ ...asked, message });
  }
  return found;
}

test('whatever is answered without the library is answered as by it, and asks the door for the same', async () => {
  const requests = createRequests();
  let plain = 0;
  for (const asked of requests) {
    const [direct, library] = [createWorld(DONE), createWorld(DONE)];
    const answered = await direct.directly(asked);
    if (answered === undefined) continue;
    const { isPlain, ...answer } = answered;
    if (isPlain) plain += 1;
    expect(answer, JSON.stringify(asked)).toEqual(await library.byLibrary(asked));
    expect(direct.calls, JSON.stringify(asked)).toEqual(library.calls);
  }
  expect(plain).toBeGreaterThan(50);
  expect(plain).toBeLessThan(requests.length / 2);
});

test('what clients usually send is answered without the library', async () => {
  const ids = ['a', 1, 0].map((id) => ({
    ...toAsked('tools/list'),
    message: { ...(toAsked('tools/list').message as object), id },
  }));
  const usual = [
    toAsked('tools/list'),
    toAsked('tools/call', CALL),
    toAsked('tools/call', CALL, {}, { traceparent: TRACE }),
    ...ids,
  ];
  const capable = { [`${KEY}/clientCapabilities`]: { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} } };
  for (const asked of [...usual, toAsked('tools/call', CALL, {}, capable)]) {
    expect(await createWorld(DONE).directly(asked)).toMatchObject({ isPlain: true });
  }
});

describe('an answer', () => {
  const toResult = (result: Record<string, unknown>): DoorAnswer => ({ kind: 'result', result, bytes: 1 });
  const text = { text: 'a', type: 'text' };
  const REFUSED = { kind: 'refused', code: 'NEEDS_CONNECT', message: 'Connect.' } as const;
  const PLAIN: readonly (DoorAnswer | Error)[] = [
    DONE,
    REFUSED,
    { ...REFUSED, connectUrl: 'https://a.example/connect' },
    { kind: 'status', text: 'All is well.', servers: [] },
    toResult({ isError: true, structuredContent: { b: 1, a: { x: [1] } }, content: [text, text] }),
    toResult({ content: [], structuredContent: JSON.parse('{"__proto__":{"b":1},"2":1,"1":2}') }),
    ...[[1], 5, 'a', false].map((structuredContent) => toResult({ content: [], structuredContent })),
    toResult({ content: [{ type: 'text', text: 'ä\u2028\ud83d\ude00"\\' }] }),
  ];
  const ODD: readonly (DoorAnswer | Error)[] = [
    new Error('a secret of the gateway'),
    notFound('chat'),
    {
      ...REFUSED,
      elicitations: [{ url: 'https://a.example/page', message: 'Open.', elicitationId: '1' }],
    } as DoorAnswer,
    toResult({ content: [{ ...text, annotations: { audience: ['user'], q: 1 }, other: 1 }] }),
    toResult({ content: [{ type: 'image', data: 'AA==', mimeType: 'image/png' }] }),
    toResult({ content: [{ type: 'strange' }] }),
    toResult({ content: [{ type: 'text', text: 1 }] }),
    toResult({ content: [null] }),
    toResult({ content: 'a' }),
    toResult({ structuredContent: { a: 1 } }),
    toResult({ toolResult: 1 }),
    toResult({ content: [], structuredContent: null }),
    ...['yes', null].map((isError) => toResult({ content: [], isError })),
    ...[{ 'z/y': 1 }, null, 1, {}].map((_meta) => toResult({ content: [text], _meta })),
    ...['complete', 'input_required', 'other', 1].map((resultType) => toResult({ content: [text], resultType })),
    toResult({ content: [text], extra: 5 }),
  ];
  const capable = { [`${KEY}/clientCapabilities`]: { elicitation: { url: {} } } };

  test.each([
    ...PLAIN.map((answer) => ({ isPlain: true, answer })),
    ...ODD.map((answer) => ({ isPlain: false, answer })),
  ])('is the same either way, and comes from one call: $isPlain $answer', async ({ isPlain, answer }) => {
    for (const envelope of [{}, capable]) {
      const asked = toAsked('tools/call', CALL, {}, envelope);
      const world = createWorld(answer);
      const expected = await createWorld(answer).byLibrary(asked);
      // A result without content, and one with an empty `_meta`, may be either.
      expect(await world.directly(asked)).toMatchObject({ ...expected, ...(isPlain && { isPlain }) });
      expect(world.calls).toHaveLength(1);
    }
  });

  test.each([new Error('a secret of the gateway'), notFound('chat')])(
    'of a list that fails is the same: %s',
    async (error) => {
      const asked = toAsked('tools/list');
      const { isPlain: _isPlain, ...answer } = (await createWorld(error).directly(asked)) ?? { isPlain: undefined };
      expect(answer).toEqual(await createWorld(error).byLibrary(asked));
    },
  );
});
