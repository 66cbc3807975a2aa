import { parse } from 'graphql';
import { Hono } from 'hono';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCaches } from '../../src/cache/caches.ts';
import { findAnswerReach } from '../../src/graphql/answer-reach.ts';
import { buildSchema } from '../../src/graphql/schema.ts';
import type { HttpEnv } from '../../src/http/context.ts';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { keepAnswers } from '../../src/http/repeats/keep-answers.ts';
import { createRepeatMemory } from '../../src/http/repeats/repeat-memory.ts';
import { McpServer } from '../../src/http/rest/server-schemas.ts';
import { createId, update } from '../graphql/config-operations.ts';
import { insertUserToken } from '../graphql/user-tokens.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { openSession } from './browser-session.ts';
import { SERVERS } from './rest-client.ts';

const LIST = 'query List { mcpServerConfigs { totalCount nodes { id slug url authConnected viewerState } } }';
const ONE = `query One($slug: String) { mcpServerConfig(slug: $slug) { id } }
  query Two($slug: String) { mcpServerConfig(slug: $slug) { id slug } }`;
const FRIEND = 'https://chat.example.com';
const OAUTH = {
  enabled: true,
  authType: 'OAUTH2',
  oauth2ClientId: 'client',
  oauth2AuthUrl: 'https://login.example.com/authorize',
  oauth2TokenUrl: 'https://login.example.com/token',
};

let gateway: TestGateway;
let server: RunningServer;
let origin: string;
let configId: string;
beforeAll(async () => {
  gateway = await createTestGateway({
    env: { GATEHOUSE_CORS_ORIGINS: FRIEND, GATEHOUSE_TRUSTED_PROXIES: '127.0.0.1/32' },
  });
  server = await listen(gateway.app, { host: '127.0.0.1', port: 0 });
  origin = `http://127.0.0.1:${server.port}`;
  configId = await createId(gateway, OAUTH);
});
afterAll(async () => {
  await server?.close(0);
  await gateway?.close();
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const post = (token: string, body: object, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', accept: 'application/json', ...bearer(token), ...headers },
});

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
  /** Whether it was sent again. */
  isRepeat: boolean;
}

/** Sends a request over a real connection. */
async function send(path: string, init: RequestInit): Promise<Answer> {
  const before = await countRepeats();
  const response = await fetch(new URL(path, origin), init);
  const body = await response.text();
  const { date: _, ...headers } = Object.fromEntries(response.headers);
  return { status: response.status, headers, body, isRepeat: (await countRepeats()) > before };
}

async function countRepeats(): Promise<number> {
  const text = await (await gateway.fetch('/metrics')).text();
  return Number(/^gatehouse_http_repeats_total (\d+)$/m.exec(text)?.[1]);
}

/** Sends a request until its answer is sent again. @returns the first answer and the one that was sent again */
async function sendUntilRepeated(path: string, init: RequestInit): Promise<[Answer, Answer]> {
  const first = await send(path, init);
  expect(first.isRepeat).toBe(false);
  return [first, await sendUntilRepeat(path, init)];
}

/** The same, whatever was sent before. A process that was too busy to look at the feed has to ask the database first. */
async function sendUntilRepeat(path: string, init: RequestInit): Promise<Answer> {
  let answer = await send(path, init);
  await expect
    .poll(async () => {
      answer = await send(path, init);
      return answer.isRepeat;
    })
    .toBe(true);
  return answer;
}

/** Without what differs in each answer, whoever makes it. */
function comparable({ status, headers, body }: Answer) {
  const { 'x-request-id': id, ratelimit, ...rest } = headers;
  expect(id).toMatch(/^[A-Za-z0-9._-]{8,64}$/);
  expect(ratelimit).toMatch(/^"operations";r=\d+;t=\d+$/);
  return { status, headers: rest, body };
}

describe('a request that is sent again while nothing has changed', () => {
  test.each<[string, (tokens: TestGateway['tokens']) => [string, RequestInit]]>([
    ['a query', ({ member }) => ['/graphql', post(member, { query: LIST })]],
    ['a query of an admin', ({ admin }) => ['/graphql', post(admin, { query: LIST })]],
    [
      'a query with variables',
      ({ member }) => ['/graphql', post(member, { query: ONE, operationName: 'Two', variables: { slug: 'none' } })],
    ],
    [
      'a query by GET',
      ({ member }) => [`/graphql?query=${encodeURIComponent(LIST)}`, { headers: { ...bearer(member) } }],
    ],
    ['a list of REST', ({ auditor }) => [SERVERS, { headers: { ...bearer(auditor) } }]],
    [
      'a query without compression',
      ({ member }) => ['/graphql', post(member, { query: LIST }, { 'accept-encoding': 'identity' })],
    ],
    [
      'a query in the media type of GraphQL',
      ({ member }) => ['/graphql', post(member, { query: LIST }, { accept: 'application/graphql-response+json' })],
    ],
    ['a query of an allowed page', ({ member }) => ['/graphql', post(member, { query: LIST }, { origin: FRIEND })]],
  ])('gets the same answer: %s', async (_name, toRequest) => {
    await update(gateway, configId, { description: crypto.randomUUID() });
    const [first, again] = await sendUntilRepeated(...toRequest(gateway.tokens));
    expect(first.status).toBe(200);
    expect(comparable(again)).toEqual(comparable(first));
    expect(again.headers['x-request-id']).not.toBe(first.headers['x-request-id']);
  });

  test('gets 304 again, if the client has the answer', async () => {
    const target = `/graphql?query=${encodeURIComponent(LIST)}`;
    const { headers } = await send(target, { headers: bearer(gateway.tokens.member) });
    const init = { headers: { ...bearer(gateway.tokens.member), 'if-none-match': headers['etag'] ?? '' } };
    const [first, again] = await sendUntilRepeated(target, init);
    expect(first).toMatchObject({ status: 304, body: '' });
    expect(comparable(again)).toEqual(comparable(first));
  });

  test('gets the bytes that were compressed', async () => {
    for (let index = 0; index < 8; index += 1) await createId(gateway, { enabled: true });
    const init = post(gateway.tokens.member, { query: LIST }, { 'accept-encoding': 'br' });
    const [first, again] = await sendUntilRepeated('/graphql', init);
    expect(again.headers['content-encoding']).toBe('br');
    expect(again.body).toBe(first.body);
    expect(JSON.parse(again.body).data.mcpServerConfigs.totalCount).toBe(9);
  });

  test('is logged, counted and limited like any other', async () => {
    const init = post(gateway.tokens.auditor, { query: LIST }, { 'x-request-id': 'from-the-proxy' });
    const readCounts = async () => {
      const text = await (await gateway.fetch('/metrics')).text();
      const requests = /duration_seconds_count\{method="POST",route="\/graphql",status="200"\} (\d+)/.exec(text)?.[1];
      const operations = /operations_total\{operation="List",type="query",outcome="ok"\} (\d+)/.exec(text)?.[1];
      return [Number(requests), Number(operations)];
    };
    const lines = () =>
      gateway
        .logs()
        .split('\n')
        .filter((line) => line.includes('"requestId":"from-the-proxy"'))
        .map((line) => Object.keys(JSON.parse(line)).join());
    const [requests = 0, operations = 0] = await readCounts();
    const answers: Answer[] = [];
    await expect
      .poll(async () => {
        answers.push(await send('/graphql', init));
        return answers.filter(({ isRepeat }) => isRepeat).length;
      })
      .toBe(3);
    expect(answers.slice(0, 2).map(({ isRepeat }) => isRepeat)).toEqual([false, false]);
    const { length } = answers;
    expect(await readCounts()).toEqual([requests + length, operations + length]);
    expect(new Set(answers.map(({ headers }) => headers['x-request-id']))).toEqual(new Set(['from-the-proxy']));
    const left = answers.map(({ headers }) => Number(/r=(\d+)/.exec(headers['ratelimit'] ?? '')?.[1]));
    expect(left).toEqual(answers.map((_answer, used) => (left[0] ?? 0) - used));
    expect(lines()).toHaveLength(2 * length);
    expect(new Set(lines()).size).toBe(2);
  });
});

test('a list of REST has no fields but those that GraphQL keeps, too', () => {
  const schema = buildSchema();
  for (const name of Object.keys(McpServer.shape)) {
    const field = name
      .replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
      .replace('hasOauth', 'hasOAuth');
    const document = parse(`{ mcpServerConfigs { nodes { ${field} } } }`);
    expect([name, findAnswerReach(schema, document)]).toEqual([name, expect.stringMatching(/^(role|viewer)$/)]);
  }
});

test('requests beyond the limit are refused, whatever they got before', async () => {
  const limited = await createTestGateway({ env: { GATEHOUSE_MAX_OPERATIONS_PER_MINUTE: '20' } });
  const listening = await listen(limited.app, { host: '127.0.0.1', port: 0 });
  try {
    const statuses: number[] = [];
    for (let round = 0; round < 22; round += 1) {
      const url = `http://127.0.0.1:${listening.port}/graphql`;
      const response = await fetch(url, post(limited.tokens.member, { query: LIST }));
      statuses.push(response.status);
      await response.text();
      if (response.status === 429) expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
    }
    expect(statuses).toEqual([...Array(20).fill(200), 429, 429]);
    expect(await (await limited.fetch('/metrics')).text()).toMatch(/^gatehouse_http_repeats_total [1-9]/m);
  } finally {
    await listening.close(0);
    await limited.close();
  }
});

describe('nobody gets an answer that is not theirs, or is old', () => {
  let token: string;
  let userId: string;
  let tokenId: string;
  const asAdmin = async (query: string) => {
    const { data, errors } = await gateway.graphql(query, { token: gateway.tokens.bootstrap });
    expect(errors).toBeUndefined();
    return data;
  };
  beforeEach(async () => {
    const email = `${crypto.randomUUID()}@example.com`;
    userId = (await asAdmin(`mutation { createUser(input: { email: "${email}", role: AUDITOR }) { id } }`)).createUser
      .id;
    const expiresAt = new Date(gateway.clock.now.getTime() + 3_600_000).toISOString();
    const { createApiToken } = await asAdmin(
      `mutation { createApiToken(input: { userId: "${userId}", name: "t", expiresAt: "${expiresAt}" }) { token apiToken { id } } }`,
    );
    token = createApiToken.token;
    tokenId = createApiToken.apiToken.id;
  });

  const setUser = (patch: string) => asAdmin(`mutation { updateUser(id: "${userId}", patch: ${patch}) { id } }`);

  test.each<[string, () => Promise<unknown>, (answer: Answer) => void]>([
    [
      'a config changed',
      () => update(gateway, configId, { url: 'https://changed.example.com/mcp' }),
      ({ body }) => expect(body).toContain('changed.example.com'),
    ],
    [
      'a config was made',
      () => createId(gateway, { slug: `made-${tokenId.slice(0, 8)}` }),
      ({ body }) => expect(body).toContain(`made-${tokenId.slice(0, 8)}`),
    ],
    ['their role changed', () => setUser('{ role: MEMBER }'), ({ body }) => expect(body).not.toContain('https://')],
    ['they were suspended', () => setUser('{ status: SUSPENDED }'), ({ status }) => expect(status).toBe(401)],
    [
      'their token was revoked',
      () => asAdmin(`mutation { revokeApiToken(id: "${tokenId}") { apiToken { id } } }`),
      ({ status }) => expect(status).toBe(401),
    ],
    ['their token expired', async () => gateway.clock.advance(3_600_000), ({ status }) => expect(status).toBe(401)],
    [
      'they connected',
      () => insertUserToken(gateway, { configId, userId }),
      ({ body }) => expect(body).toContain(body.startsWith('[') ? '"auth_connected":true' : '"authConnected":true'),
    ],
  ])('after %s', async (_name, change, check) => {
    const requests: [string, RequestInit][] = [
      ['/graphql', post(token, { query: LIST })],
      [SERVERS, { headers: bearer(token) }],
    ];
    for (const request of requests) await sendUntilRepeated(...request);
    await change();
    for (const request of requests) {
      const after = await send(...request);
      expect(after.isRepeat).toBe(false);
      check(after);
    }
  });

  test('after their session ended', async () => {
    const cookie = await openSession(gateway, token);
    const init = post(token, { query: LIST }, { cookie, origin: gateway.config.publicUrl });
    delete (init.headers as Record<string, string>)['authorization'];
    await sendUntilRepeated('/graphql', init);
    const crossSite = { ...init, headers: { ...init.headers, origin: 'https://elsewhere.example.com' } };
    expect(await send('/graphql', crossSite)).toMatchObject({ status: 403, isRepeat: false });
    await gateway.fetch('/auth/session', { method: 'DELETE', headers: { cookie, origin: gateway.config.publicUrl } });
    expect(await send('/graphql', init)).toMatchObject({ status: 401, isRepeat: false });
  });

  test('when anything in their request is different', async () => {
    const usual = post(token, { query: ONE, operationName: 'One', variables: { slug: 'a' } });
    await sendUntilRepeated('/graphql', usual);
    const other = async (path: string, init: RequestInit) => {
      const answer = await send(path, init);
      expect(answer.isRepeat).toBe(false);
      return answer;
    };
    // As long as the usual body, so that nothing but its content tells them apart.
    await other('/graphql', post(token, { query: ONE, operationName: 'Two', variables: { slug: 'a' } }));
    await other('/graphql', post(token, { query: ONE, operationName: 'One', variables: { slug: 'b' } }));
    await other(
      '/graphql',
      post(gateway.tokens.member, { query: ONE, operationName: 'One', variables: { slug: 'a' } }),
    );
    await other('/graphql', { ...usual, headers: { ...usual.headers, accept: 'application/graphql-response+json' } });
    await other('/graphql?x=1', usual);
    const wrong = { ...usual, headers: { ...usual.headers, 'content-type': 'text/plain' } };
    expect((await other('/graphql', wrong)).status).toBe(415);
    const nobody = { ...usual, headers: { 'content-type': 'application/json', accept: 'application/json' } };
    expect((await other('/graphql', nobody)).status).toBe(401);
  });

  test('when their role changed after they were authenticated, and before the answer was made', async () => {
    let stamp = 'old';
    const answerStamp = { fresh: () => stamp, current: () => stamp };
    const memory = createRepeatMemory({ caches: createCaches(), answerStamp, now: () => new Date() });
    let onStarted = (): void => undefined;
    let pause: Promise<void> | undefined;
    const credential = { kind: 'bootstrap' } as const;
    const app = new Hono<HttpEnv>().use(keepAnswers(memory)).post('/graphql', async (c) => {
      const role = stamp === 'old' ? 'admin' : 'member';
      onStarted();
      await pause;
      c.set('viewer', { kind: 'user', userId: 'u', role, credential });
      c.set('repeatable', { stamp, body: undefined });
      return c.text(`as ${role}`);
    });
    const incoming = { method: 'POST', url: '/graphql', rawHeaders: [], socket: { remoteAddress: '127.0.0.1' } };
    const send = async () => app.fetch(new Request('http://localhost:4000/graphql', { method: 'POST' }), { incoming });
    const head = memory.hashHead(incoming) ?? '';
    const started = new Promise<void>((resolve) => {
      onStarted = resolve;
    });
    let go = (): void => undefined;
    pause = new Promise((resolve) => {
      go = resolve;
    });
    const late = send();
    await started;
    stamp = 'new';
    pause = undefined;
    await send();
    go();
    expect(await (await late).text()).toBe('as admin');
    expect(memory.find(head, undefined)).toBeUndefined();
    await send();
    expect(String(Buffer.from(memory.find(head, undefined)?.body ?? []))).toBe('as member');
  });

  test('and what is not the same each time is never kept', async () => {
    const requests: [string, RequestInit][] = [
      ['/graphql', post(token, { query: '{ viewer { id } }' })],
      ['/graphql', post(token, { query: '{ mcpServerConfigs(first: 501) { totalCount } }' })],
      ['/graphql', post(token, { query: 'mutation { updateChat(input: {}) { chat { id } } }' })],
      [`${SERVERS}/${configId}`, { headers: bearer(token) }],
      ['/graphql', post(token, { query: LIST }, { accept: 'text/event-stream' })],
    ];
    for (const request of requests) {
      for (let round = 0; round < 4; round += 1) expect((await send(...request)).isRepeat).toBe(false);
    }
  });
});
