import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { buildSchema, parse, validate } from 'graphql';
import {
  CONFIG_EVENTS,
  type ConfigEvent,
  ConflictError,
  ConnectionFailedError,
  CursorLostError,
  createGatehouseClient,
  ERROR_CODES,
  type FollowOptions,
  ForbiddenError,
  GatehouseError,
  type ResetEvent,
  type TypedDocument,
  UnauthenticatedError,
  ValidationFailedError,
  VersionMismatchError,
} from 'mcp-gatehouse-client';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ERROR_CODES as CODES_OF_THE_GATEWAY } from '../../src/errors.ts';
import { CreateConfig, ListConfigs, UpdateConfig } from '../setup/operations.ts';
import { makePlace, type Place } from '../setup/place.ts';
import type { RunningCommand } from '../setup/process.ts';
import { startTcpProxy } from '../setup/tcp-proxy.ts';

type Followed = AsyncGenerator<ConfigEvent | ResetEvent, void, void>;

/** A gateway for all tests. The first one finds it new, and starts it again. */
let place: Place;
let gateway: RunningCommand;
const ends: (() => Promise<void>)[] = [];
beforeAll(async () => {
  place = await makePlace({ anyDatabase: true, atEnd: (end) => ends.push(end) });
  gateway = await place.serve();
});
afterAll(() => Promise.all(ends.map((end) => end())));

/** So that a test does not wait for longer than it must. */
const backoff = { minMs: 10, maxMs: 100 };

async function makeClient(place: Place, port = place.port) {
  const url = `http://127.0.0.1:${port}/graphql`;
  return createGatehouseClient({ url, token: await place.readAdminToken() });
}

async function define(place: Place, slug: string): Promise<string> {
  const input = { displayName: slug, slug, url: 'https://mcp.example.com/mcp', enabled: true };
  const client = await makeClient(place);
  const { createMcpServerConfig } = await client.request(CreateConfig, { input });
  return createMcpServerConfig.id;
}

/** Follows until the signal, and ends with the test. */
function startFollowing(client: Awaited<ReturnType<typeof makeClient>>, options: FollowOptions = {}) {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  return client.follow({ backoff, signal: abort.signal, ...options });
}

/** What changes when the gateway lists the tools of a server, which it does by itself. */
const LISTED: ReadonlySet<string> = new Set(['tools', 'reachability']);

function isListing(event: ConfigEvent | ResetEvent): boolean {
  return event.type === 'MODIFIED' && event.changedFields.every((field) => LISTED.has(field));
}

/** Takes events up to the first that fits. @returns it, and those before it but for bookmarks and listings */
async function readUntil(events: Followed, fits: (event: ConfigEvent | ResetEvent) => boolean) {
  const before: string[] = [];
  for (;;) {
    const { value, done } = await events.next();
    if (done === true) throw new Error(`ended after ${before.join(', ')}`);
    if (fits(value)) return { event: value as ConfigEvent, before };
    if (value.type !== 'BOOKMARK' && !isListing(value))
      before.push(`${value.type} ${value.type === 'RESET' ? value.reason : value.config?.slug}`);
  }
}

const isAdded = (slug: string) => (event: ConfigEvent | ResetEvent) =>
  event.type === 'ADDED' && event.config?.slug === slug;
const isBookmark = ({ type }: ConfigEvent | ResetEvent) => type === 'BOOKMARK';

test('following loads all, goes on, and resumes after the gateway is killed and started again', async () => {
  await define(place, 'before');
  const events = startFollowing(await makeClient(place));
  expect((await readUntil(events, isBookmark)).before).toEqual(['RESET START', 'ADDED before']);
  await define(place, 'meanwhile');
  await readUntil(events, isAdded('meanwhile'));
  const waiting = readUntil(events, isAdded('after'));
  await gateway.kill();
  await place.serve();
  await define(place, 'after');
  expect((await waiting).before).toEqual([]);
});

test('its document fits the schema, and its error codes are those of the gateway', () => {
  const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
  expect(validate(schema, parse(CONFIG_EVENTS))).toEqual([]);
  expect(ERROR_CODES).toEqual(CODES_OF_THE_GATEWAY);
});

describe('request', () => {
  test('returns typed data, and throws an error of the class of its code', async () => {
    const client = await makeClient(place);
    const id = await define(place, 'first');
    const { mcpServerConfigs } = await client.request(ListConfigs, {});
    expect(mcpServerConfigs.nodes.map(({ slug }) => slug)).toContain('first');

    const refusals: unknown[] = [];
    const input = { displayName: '', slug: 'Not a slug', url: 'http://mcp.example.com/mcp' };
    const wrong = await client.request(CreateConfig, { input }).catch((error: unknown) => error);
    expect(wrong).toBeInstanceOf(ValidationFailedError);
    expect((wrong as ValidationFailedError).issues.map(({ path }) => path.at(-1)).sort()).toEqual([
      'displayName',
      'slug',
      'url',
    ]);
    const taken = { displayName: 'x', slug: 'first', url: 'https://mcp.example.com/mcp' };
    refusals.push(await client.request(CreateConfig, { input: taken }).catch((error: unknown) => error));
    expect(refusals[0]).toBeInstanceOf(ConflictError);
    expect((refusals[0] as ConflictError).field).toBe('slug');
    const late = await client
      .request(UpdateConfig, { id, expectedVersion: 7, patch: { displayName: 'y' } })
      .catch((error: unknown) => error);
    expect(late).toBeInstanceOf(VersionMismatchError);
    expect((late as VersionMismatchError).currentVersion).toBe(1);

    const url = `http://127.0.0.1:${place.port}/graphql`;
    const stranger = createGatehouseClient({ url, token: () => 'nonsense' });
    await expect(stranger.request(ListConfigs, {})).rejects.toBeInstanceOf(UnauthenticatedError);
    const crossSite = createGatehouseClient({ url, headers: { origin: 'https://evil.example' }, token: 'x' });
    await expect(crossSite.request(ListConfigs, {})).rejects.toBeInstanceOf(GatehouseError);
  });

  test('fails within its time, when it is aborted, and when nobody is there', async () => {
    const proxy = await startTcpProxy(place.port);
    onTestFinished(proxy.close);
    const client = await makeClient(place, proxy.port);
    await client.request(ListConfigs, {});
    proxy.discard();
    await expect(client.request(ListConfigs, {}, { timeoutMs: 50 })).rejects.toBeInstanceOf(ConnectionFailedError);
    const abort = new AbortController();
    const asked = client.request(ListConfigs, {}, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    await proxy.close();
    await expect(client.request(ListConfigs, {})).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  });
});

describe('follow', () => {
  test('begins after a cursor, and misses nothing from there', async () => {
    const client = await makeClient(place);
    const { event } = await readUntil(startFollowing(client), isBookmark);
    await define(place, 'one');
    await define(place, 'two');
    const events = startFollowing(client, { after: event.cursor });
    expect((await readUntil(events, isAdded('two'))).before).toEqual(['ADDED one']);
  });

  test('connects anew when not even a bookmark comes through', async () => {
    const proxy = await startTcpProxy(place.port);
    onTestFinished(proxy.close);
    const retries: (string | undefined)[] = [];
    const events = startFollowing(await makeClient(place, proxy.port), {
      bookmarkTimeoutMs: 1_000,
      onRetry: ({ error }) => {
        retries.push(error?.code);
        // The timeout has been noticed: from now on the network works again.
        proxy.pass();
      },
    });
    await readUntil(events, isBookmark);
    proxy.discard();
    await define(place, 'unheard');
    expect((await readUntil(events, isAdded('unheard'))).before).toEqual([]);
    expect(retries[0]).toBe('CONNECTION_FAILED');
    expect(proxy.count()).toBeGreaterThan(1);
  });

  test('a cursor that the gateway cannot continue from ends it, or starts it anew', async () => {
    await define(place, 'there');
    const client = await makeClient(place);
    await expect(startFollowing(client, { after: 'nonsense' }).next()).rejects.toBeInstanceOf(CursorLostError);
    const events = startFollowing(client, { after: 'nonsense', ifCursorLost: 'restart' });
    const [first, ...others] = (await readUntil(events, isBookmark)).before;
    expect(first).toBe('RESET CURSOR_INVALID');
    expect(others).toContain('ADDED there');
  });

  test('asks once for a new token when the old one is refused, and then gives up', async () => {
    const tokens = ['expired', await place.readAdminToken()];
    const url = `http://127.0.0.1:${place.port}/graphql`;
    const renewing = createGatehouseClient({ url, token: () => tokens.shift() ?? 'none' });
    await readUntil(startFollowing(renewing), isBookmark);
    const asked: string[] = [];
    const token = (): string => {
      asked.push('wrong');
      return 'wrong';
    };
    const events = startFollowing(createGatehouseClient({ url, token }), { includeInitial: false });
    await expect(events.next()).rejects.toBeInstanceOf(UnauthenticatedError);
    expect(asked).toHaveLength(2);
    const fixed = startFollowing(createGatehouseClient({ url, token: 'wrong' }), { includeInitial: false });
    await expect(fixed.next()).rejects.toBeInstanceOf(UnauthenticatedError);
  });

  test('an abort ends it at once, also while it waits', async () => {
    const abort = new AbortController();
    const events = startFollowing(await makeClient(place), { signal: abort.signal });
    await readUntil(events, isBookmark);
    const next = readUntil(events, isAdded('never'));
    abort.abort(new Error('enough'));
    await expect(next).rejects.toThrow('enough');
    const away = createGatehouseClient({ url: 'http://127.0.0.1:1/graphql' });
    const second = new AbortController();
    const waiting = startFollowing(away, {
      signal: second.signal,
      includeInitial: false,
      backoff: { minMs: 1e8, maxMs: 1e8 },
      onRetry: () => second.abort(new Error('done')),
    });
    await expect(waiting.next()).rejects.toThrow('done');
  });
});

/** A server that gives these answers, one after the other, and then the last one again. */
async function startAnswering(answers: { status: number; body: string; headers?: Record<string, string> }[]) {
  let asked = 0;
  const server: Server = createServer((request, response) => {
    const { status, body, headers } = answers[Math.min(asked, answers.length - 1)] ?? { status: 500, body: '' };
    asked += 1;
    request.resume();
    request.on('end', () => response.writeHead(status, headers).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/graphql`, asked: () => asked };
}

describe('other answers', () => {
  const Ping = parse('{ __typename }') as TypedDocument<{ __typename: string }, Record<string, never>>;

  test.each([
    { status: 200, body: '<h1>Welcome</h1>', code: 'ANSWER_INVALID' },
    { status: 200, body: '{"errors": []}', code: 'ANSWER_INVALID' },
    { status: 502, body: '<h1>Bad gateway</h1>', code: 'ANSWER_INVALID' },
    { status: 429, body: '', code: 'RATE_LIMITED', retryAfterMs: 7_000, headers: { 'retry-after': '7' } },
    {
      status: 200,
      body: '{"errors": [{"message": "Wait.", "extensions": {"code": "RATE_LIMITED", "retryAfterSeconds": 9}}]}',
      code: 'RATE_LIMITED',
      retryAfterMs: 9_000,
    },
    { status: 302, body: '', code: 'CONNECTION_FAILED', headers: { location: 'https://elsewhere.example/' } },
    {
      status: 403,
      body: '{"errors": [{"message": "No.", "extensions": {"code": "FORBIDDEN"}}]}',
      code: 'FORBIDDEN',
    },
    {
      status: 200,
      body: '{"data": {"a": 1}, "errors": [{"message": "No.", "extensions": {"code": "constructor"}}]}',
      code: 'constructor',
    },
  ])('$status with $body is $code', async ({ status, body, headers, ...expected }) => {
    const { url } = await startAnswering([{ status, body, ...(headers !== undefined && { headers }) }]);
    const error = await createGatehouseClient({ url })
      .request(Ping)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(GatehouseError);
    expect(error).toMatchObject(expected);
    if (expected.code === 'FORBIDDEN') expect(error).toBeInstanceOf(ForbiddenError);
    if (expected.code === 'constructor') expect((error as GatehouseError).data).toEqual({ a: 1 });
  });

  test('following waits out a busy proxy, and gives up at an address that is not the graph', async () => {
    const page = { status: 404, body: '<h1>Not found</h1>' };
    const busy = await startAnswering([{ status: 503, body: '' }, { status: 429, body: '' }, page]);
    const delays: number[] = [];
    const events = startFollowing(createGatehouseClient({ url: busy.url }), {
      includeInitial: false,
      onRetry: ({ delayMs }) => delays.push(delayMs),
    });
    await expect(events.next()).rejects.toMatchObject({ code: 'ANSWER_INVALID', status: 404 });
    expect(busy.asked()).toBe(3);
    expect(delays).toHaveLength(2);
  });

  test('a slow reader gets all events of a long burst, over several connections', async () => {
    const lines = (from: number) =>
      Array.from({ length: 2_500 - from }, (_, index) => {
        const event = { type: 'ADDED', cursor: String(from + index), config: null };
        return `event: next\ndata: ${JSON.stringify({ data: { mcpServerConfigEvents: event } })}\n\n`;
      }).join('');
    const cursors: (string | undefined)[] = [];
    let close = (): void => undefined;
    const closed = new Promise<void>((resolve) => {
      close = resolve;
    });
    const server = createServer(async (request, response) => {
      response.once('close', close);
      let text = '';
      for await (const chunk of request) text += chunk;
      const { variables } = JSON.parse(text) as { variables: { after?: string } };
      cursors.push(variables.after);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(lines(variables.after === undefined ? 0 : Number(variables.after) + 1));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as { port: number };
    const events = startFollowing(createGatehouseClient({ url: `http://127.0.0.1:${port}/` }), {
      includeInitial: false,
    });
    // The first event is read, and no more until the client has closed the connection.
    expect((await events.next()).value).toMatchObject({ cursor: '0' });
    await closed;
    for (let count = 1; count < 2_500; count += 1) {
      expect((await events.next()).value).toMatchObject({ cursor: String(count) });
    }
    expect(cursors[0]).toBeUndefined();
    expect(Number(cursors[1])).toBeGreaterThan(900);
    expect(Number(cursors[1])).toBeLessThan(1_100);
  });
});
