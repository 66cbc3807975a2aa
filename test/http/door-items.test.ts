import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { update } from '../graphql/config-operations.ts';
import { type Answer, type HostileUpstream, sendJson, startHostileUpstream } from '../setup/hostile-upstream.ts';
import { readMessages } from './door-messages.ts';
import { type DoorWorld, openDoorWorld } from './door-world.ts';

// Resources and prompts of servers that misbehave, that change, and what is kept of them. Each test has its own servers,
// so that none waits while one of them waits for a server.

const KEY = 'canary-of-the-api-key-7f3a';

let world: DoorWorld;
let upstream: HostileUpstream;

beforeAll(async () => {
  upstream = await startHostileUpstream();
  world = await openDoorWorld();
});
afterAll(async () => {
  await world?.close();
  await upstream?.close();
});

/** Defines a server that exposes both, and answers so. @returns its id */
async function define(slug: string, answers: Record<string, Answer>, more: object = {}): Promise<string> {
  upstream.onMethod(`/${slug}`, {
    initialize: ({ params }) => ({
      protocolVersion: params['protocolVersion'],
      capabilities: { tools: {}, resources: {}, prompts: {} },
      serverInfo: { name: 'hostile', version: '1' },
    }),
    ...answers,
  });
  const exposed = { exposeResources: true, exposePrompts: true, availability: 'DEFAULT_OFF' };
  return world.define({ slug, displayName: slug, url: upstream.urlOf(`/${slug}`), ...exposed, ...more });
}

/** Selects servers for a chat. @returns the path of its door */
async function openChat(ids: readonly string[]): Promise<string> {
  const { data, errors } = await world.gateway.graphql(
    'mutation ($input: CreateChatInput!) { createChat(input: $input) { id } }',
    { token: world.gateway.tokens.member, variables: { input: { title: 'One', mcpServerIds: ids } } },
  );
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return `/mcp/chats/${data.createChat.id}`;
}

async function sendAll(path: string, method: string, params: object = {}, signal?: AbortSignal): Promise<any[]> {
  const response = await fetch(`${world.url}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${world.gateway.tokens.member}`,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    ...(signal !== undefined && { signal }),
  });
  return readMessages(response);
}
const send = async (path: string, method: string, params?: object): Promise<any> =>
  (await sendAll(path, method, params)).at(-1);
const read = (path: string, uri = 'test://a') => send(path, 'resources/read', { uri });

/** A server's answer that waits. */
function hold(): { answer: Answer; came: Promise<{ id: unknown; response: ServerResponse; params: any }> } {
  let onCame: (request: { id: unknown; response: ServerResponse; params: any }) => void = () => undefined;
  const came = new Promise<{ id: unknown; response: ServerResponse; params: any }>((resolve) => {
    onCame = resolve;
  });
  return { came, answer: ({ id, params }, response) => onCame({ id, params, response }) };
}
const closed = (response: ServerResponse): Promise<unknown> =>
  new Promise((resolve) => (response.closed ? resolve(undefined) : response.once('close', resolve)));

test.concurrent('a server that never answers holds up nobody, and its list comes later', async ({ expect }) => {
  const { answer, came } = hold();
  const slow = await define('slow', { 'resources/list': answer });
  const quick = await define('quick', { 'resources/list': () => ({ resources: [{ uri: 'test://q', name: 'q' }] }) });
  const broken = await define('broken', { 'resources/list': (_request, response) => void response.destroy() });
  const path = await openChat([slow, quick, broken]);
  const uris = async () => (await send(path, 'resources/list')).result.resources.map(({ uri }: any) => uri);
  await expect.poll(uris, { timeout: 30_000 }).toEqual(['gatehouse://quick/test%3A%2F%2Fq']);
  const { id, response } = await came;
  sendJson(response, { id, result: { resources: [{ uri: 'test://s', name: 's' }] } });
  await expect
    .poll(uris, { timeout: 30_000 })
    .toEqual(['gatehouse://quick/test%3A%2F%2Fq', 'gatehouse://slow/test%3A%2F%2Fs']);
});

test.concurrent('lists are bounded, and entries that cannot be used are left out', async ({ expect }) => {
  const many = Array.from({ length: 5_000 }, (_, index) => ({ uri: `test://${index}`, name: 'n' }));
  await define('many', {
    'resources/list': () => ({ resources: many }),
    'resources/templates/list': () => ({
      resourceTemplates: [
        null,
        'text',
        { name: 'no template' },
        { uriTemplate: 'test://{a}' },
        { uriTemplate: 7, name: 'n' },
        { uriTemplate: `test://${'a'.repeat(3_000)}`, name: 'n' },
        { uriTemplate: 'test://big', name: 'n', description: 'a'.repeat(70_000) },
        { uriTemplate: 'test://half\ud800', name: 'n' },
        { uriTemplate: 'test://good/{a}', name: 'n', 'x-odd': { of: 'a server' } },
        { uriTemplate: 'test://good/{a}', name: 'again' },
      ],
    }),
    'prompts/list': () => ({ prompts: [{ name: 'p', description: 'a'.repeat(60_000) }], nextCursor: 'same' }),
  });
  const path = '/mcp/servers/many';
  const listed = async (method: string, part: string) => (await send(path, method)).result[part];
  await expect.poll(() => listed('resources/list', 'resources'), { timeout: 30_000 }).toHaveLength(1_000);
  await expect
    .poll(() => listed('resources/templates/list', 'resourceTemplates'), { timeout: 30_000 })
    .toEqual([{ uriTemplate: 'test://good/{a}', name: 'n', 'x-odd': { of: 'a server' } }]);
  // A cursor that comes again would never end.
  expect((await send(path, 'prompts/list')).result.prompts).toEqual([]);
});

test.concurrent('what does not fit into one answer comes with the next one', async ({ expect }) => {
  const toList = (name: string): Record<string, Answer> => ({
    'prompts/list': () => ({ prompts: Array.from({ length: 600 }, (_, index) => ({ name: `${name}-${index}` })) }),
  });
  const ids = [await define('page-a', toList('a')), await define('page-b', toList('b')), await define('page-c', {})];
  const path = await openChat(ids);
  const list = async (params: object) => (await send(path, 'prompts/list', params)).result;
  // Until both servers have given theirs.
  const names = async () => {
    const { prompts, nextCursor } = await list({});
    const next = nextCursor === undefined ? [] : (await list({ cursor: nextCursor })).prompts;
    return [prompts[0]?.name, next[0]?.name];
  };
  await expect.poll(names, { timeout: 30_000 }).toEqual(['page-a__a-0', 'page-b__b-0']);
  const first = (await send(path, 'prompts/list')).result;
  expect([first.prompts.length, first.prompts[0].name]).toEqual([600, 'page-a__a-0']);
  const second = (await send(path, 'prompts/list', { cursor: first.nextCursor })).result;
  expect([second.prompts.length, second.prompts[0].name, second.nextCursor]).toEqual([600, 'page-b__b-0', undefined]);
  for (const cursor of ['x', '../..', Buffer.from('A B').toString('base64url')]) {
    expect((await send(path, 'prompts/list', { cursor })).error.code).toBe(-32_602);
  }
});

test.concurrent('credentials that were sent come back nowhere', async ({ expect }) => {
  await define(
    'echo',
    {
      'resources/list': () => ({
        resources: [
          { uri: `test://${KEY}`, name: 'gone' },
          { uri: 'test://a', name: `Key ${KEY}` },
        ],
      }),
      'resources/read': ({ id, params }, response) =>
        params['uri'] === 'test://a'
          ? { contents: [{ uri: `test://${KEY}`, text: Buffer.from(KEY).toString('base64') }] }
          : sendJson(response, { id, error: { code: -32_000, message: KEY, data: { KEY } } }),
      'prompts/get': () => ({ messages: [{ role: 'user', content: { type: 'text', text: `it is ${KEY}` } }] }),
    },
    { authType: 'API_KEY', apiKeyHeader: 'X-Key', apiKeyValue: KEY },
  );
  const path = '/mcp/servers/echo';
  const list = () => send(path, 'resources/list').then(({ result }) => result.resources.length);
  await expect.poll(list, { timeout: 30_000 }).toBe(1);
  const answers = [
    await send(path, 'resources/list'),
    await read(path),
    await read(path, 'test://b'),
    await send(path, 'prompts/get', { name: 'p' }),
  ];
  const text = JSON.stringify(answers);
  expect(text).not.toMatch(new RegExp(`${KEY}|${Buffer.from(KEY).toString('base64')}`));
  expect(answers[0].result.resources).toEqual([{ uri: 'test://a', name: 'Key [removed]' }]);
  expect(text.match(/\[removed\]/g)).toHaveLength(4);
});

test.concurrent('a server says with its own code that it does not know a URI or a name', async ({ expect }) => {
  let code = -32_602;
  const refuse: Answer = ({ id }, response) => sendJson(response, { id, error: { code, message: 'not told' } });
  await define('picky', { 'resources/read': refuse, 'prompts/get': refuse });
  const path = '/mcp/servers/picky';
  for (const [given, expected] of [
    [-32_602, [-32_602, 'UNKNOWN_AT_SERVER']],
    [-32_002, [-32_602, 'UNKNOWN_AT_SERVER']],
    [-32_603, [-32_603, 'REFUSED']],
  ] as const) {
    code = given;
    for (const { error } of [await read(path), await send(path, 'prompts/get', { name: 'p' })]) {
      expect([error.code, error.data.code]).toEqual(expected);
      expect(error.message).not.toContain('not told');
    }
  }
});

test.concurrent.each([
  ['no content', { contents: 'text' }],
  ['nothing', {}],
])('an answer with %s is the failure of the server', async (what, result) => {
  const slug = `odd-${what.replace(' ', '-')}`;
  await define(slug, { 'resources/read': () => result });
  expect((await read(`/mcp/servers/${slug}`)).error.data.code).toBe('PROTOCOL_ERROR');
});

test.concurrent('more than a server may answer is refused', async ({ expect }) => {
  await define('large', { 'resources/read': () => ({ contents: [{ uri: 'a', text: 'a'.repeat(5_000_000) }] }) });
  expect((await read('/mcp/servers/large')).error.data.code).toBe('TOO_LARGE');
});

describe.concurrent('while a server answers', () => {
  test('progress comes, and a client that goes away cancels', async () => {
    const { answer, came } = hold();
    await define('progress', { 'resources/read': answer });
    const end = new AbortController();
    const params = { uri: 'test://a', _meta: { progressToken: 'mine' } };
    const all = sendAll('/mcp/servers/progress', 'resources/read', params, end.signal).catch(() => 'ended');
    const { response, params: sent } = await came;
    expect(sent._meta.progressToken).not.toBe('mine');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const progress = { progressToken: sent._meta.progressToken, progress: 1, total: 2 };
    response.write(
      `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params: progress })}\n\n`,
    );
    end.abort();
    await closed(response);
    expect(await all).toBe('ended');
  });

  test('progress reaches a client under its own token', async () => {
    const { answer, came } = hold();
    await define('steps', { 'prompts/get': answer });
    const params = { name: 'p', _meta: { progressToken: 'mine' } };
    const all = sendAll('/mcp/servers/steps', 'prompts/get', params);
    const { id, response, params: sent } = await came;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const progress = { progressToken: sent._meta.progressToken, progress: 1, total: 2 };
    for (const message of [
      { method: 'notifications/progress', params: progress },
      { id, result: { messages: [] } },
    ]) {
      response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
    }
    response.end();
    expect(
      (await all).map(({ method, params: given, result }) => [method, given?.progressToken, result?.messages]),
    ).toEqual([
      ['notifications/progress', 'mine', undefined],
      [undefined, undefined, []],
    ]);
  });

  test.each([
    ['resources', 'resources/read', { uri: 'test://a' }, { exposeResources: false }, /^NOT_FOUND$/],
    ['prompts', 'prompts/get', { name: 'p' }, { exposePrompts: false }, /^NOT_FOUND$/],
    ['the server', 'resources/read', { uri: 'test://a' }, { enabled: false }, /^(?:NOT_FOUND|DISABLED)$/],
  ])('and an admin switches %s off, it ends', async (what, method, params, change, code) => {
    const { answer, came } = hold();
    const slug = `off-${what.replace(' ', '-')}`;
    const id = await define(slug, { [method]: answer });
    const asking = send(`/mcp/servers/${slug}`, method, params);
    const { response } = await came;
    await update(world.gateway, id, change);
    await closed(response);
    expect((await asking).error.data.code).toMatch(code);
  });
});

test.concurrent('an audit entry says what was read, without what was filled in, and limits count it', async ({
  expect,
}) => {
  const limited = await openDoorWorld({ env: { GATEHOUSE_MAX_TOOL_CALLS_PER_MINUTE: '3' } });
  try {
    const id = await limited.define({
      slug: 'echo',
      url: upstream.urlOf('/echo'),
      exposeResources: true,
      exposePrompts: true,
    });
    const ask = async (method: string, params: object) => {
      const token = limited.gateway.tokens.member;
      return (await readMessages(await limited.post('/mcp', { jsonrpc: '2.0', id: 1, method, params }, { token }))).at(
        -1,
      );
    };
    const uri = `gatehouse://echo/${encodeURIComponent('test://a?of=somebody#here')}`;
    await ask('resources/read', { uri });
    await ask('prompts/get', { name: 'echo__p', arguments: { of: 'somebody' } });
    await ask('resources/read', { uri: 'gatehouse://none/test://a' });
    const refused = await ask('resources/read', { uri });
    expect([refused.error.code, refused.error.data.code]).toEqual([-32_603, 'RATE_LIMITED']);
    const query = `{ auditLog(first: 10, filter: { targetId: "${id}" }) { nodes { action outcome changes { field after } } } }`;
    await expect
      .poll(async () => {
        const { data } = await limited.gateway.graphql(query, { token: limited.gateway.tokens.admin });
        return data.auditLog.nodes
          .filter(({ action }: any) => /RESOURCE|PROMPT/.test(action))
          .map(({ action, changes }: any) => [
            action,
            changes.find(({ field }: any) => /resource|prompt/.test(field)).after,
          ]);
      })
      .toEqual([
        ['MCP_PROMPT_GET', '"p"'],
        ['MCP_RESOURCE_READ', '"test://a"'],
      ]);
  } finally {
    await limited.close();
  }
});
