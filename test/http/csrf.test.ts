import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readAllRows } from '../graphql/database-rows.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { openSession } from './browser-session.ts';

const FRIEND = 'https://chat.example.com';
const EVIL = 'https://evil.example';

let gateway: TestGateway;
let cookie: string;
beforeAll(async () => {
  gateway = await createTestGateway({ env: { GATEHOUSE_CORS_ORIGINS: FRIEND } });
  cookie = await openSession(gateway, gateway.tokens.admin);
});
afterAll(() => gateway?.close());

let emails = 0;
/** A mutation whose effect would be visible in the database. */
function mutation(): string {
  emails += 1;
  return `mutation { createUser(input: { email: "forged${emails}@example.com" }) { id } }`;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const json = () => JSON.stringify({ query: mutation() });

/** Sends it with the admin's cookie, as their browser would. @returns the status, and whether anything changed */
async function forge(path: string, init: RequestInit): Promise<{ status: number; changed: boolean }> {
  const before = await readAllRows(gateway.database);
  const headers = new Headers(init.headers);
  headers.set('cookie', cookie);
  const response = await gateway.fetch(path, { ...init, headers });
  const after = await readAllRows(gateway.database);
  return { status: response.status, changed: JSON.stringify(before) !== JSON.stringify(after) };
}

describe("a page of another site changes nothing with a visitor's session", () => {
  test.each<[string, number, Record<string, string>]>([
    ['its fetch', 403, { origin: EVIL, 'sec-fetch-site': 'cross-site' }],
    ['a fetch of an older browser', 403, { origin: EVIL }],
    ['a fetch of another subdomain', 403, { origin: 'http://evil.localhost:4000', 'sec-fetch-site': 'same-site' }],
    ['a fetch of another port', 403, { origin: 'http://localhost:4001', 'sec-fetch-site': 'same-site' }],
    ['a fetch of another scheme', 403, { origin: 'https://localhost:4000', 'sec-fetch-site': 'cross-site' }],
    ['a sandboxed frame', 403, { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ['an older sandboxed frame', 403, { origin: 'null' }],
    ['a request that does not say where it is from', 403, {}],
    ['a request with only a referrer', 403, { referer: 'http://localhost:4000/graphql' }],
    ['an origin that begins like ours', 403, { origin: 'http://localhost:4000.evil.example' }],
    ['an origin that only looks like a friend', 403, { origin: `${FRIEND}.evil.example` }],
    ['a friend over http', 403, { origin: FRIEND.replace('https', 'http') }],
    ['an address that is typed', 403, { 'sec-fetch-site': 'none' }],
  ])('by %s', async (_name, status, headers) => {
    expect(await forge('/graphql', { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body: json() })).toEqual({
      status,
      changed: false,
    });
    const deleted = await forge('/auth/session', { method: 'DELETE', headers });
    expect(deleted).toEqual({ status: 403, changed: false });
    const body = JSON.stringify({ display_name: 'A', slug: 'forged', url: 'https://mcp.example.com/' });
    const rest = await forge('/api/experimental/mcp/servers', {
      method: 'POST',
      headers: { ...JSON_TYPE, ...headers },
      body,
    });
    expect(rest).toEqual({ status: 403, changed: false });
  });

  const forms: [string, () => RequestInit][] = [
    ['a form', () => ({ body: new URLSearchParams({ query: mutation() }) })],
    ['a multipart form', () => ({ body: toMultipart() })],
    ['a form of plain text', () => ({ headers: { 'content-type': 'text/plain' }, body: json() })],
    ['a form without a type', () => ({ body: Buffer.from(json()) })],
    [
      'a form that says text/plain; application/json',
      () => ({ headers: { 'content-type': 'text/plain; application/json' }, body: json() }),
    ],
    ['application/graphql', () => ({ headers: { 'content-type': 'application/graphql' }, body: mutation() })],
    ['application/graphql+json', () => ({ headers: { 'content-type': 'application/graphql+json' }, body: json() })],
    ['application/jsonx', () => ({ headers: { 'content-type': 'application/jsonx' }, body: json() })],
  ];
  function toMultipart(): FormData {
    const form = new FormData();
    form.set('operations', json());
    form.set('map', '{}');
    return form;
  }

  test.each(forms)('by %s', async (_name, toInit) => {
    const headers = new Headers(toInit().headers);
    headers.set('origin', EVIL);
    headers.set('sec-fetch-site', 'cross-site');
    expect(await forge('/graphql', { ...toInit(), method: 'POST', headers })).toEqual({ status: 403, changed: false });
  });

  test.each(forms)('and not even our own page by %s, which needs no preflight', async (_name, toInit) => {
    const headers = new Headers(toInit().headers);
    headers.set('origin', gateway.config.publicUrl);
    headers.set('sec-fetch-site', 'same-origin');
    expect(await forge('/graphql', { ...toInit(), method: 'POST', headers })).toEqual({ status: 415, changed: false });
  });

  test.each(['GET', 'HEAD'])('by %s, which only reads', async (method) => {
    for (const headers of [{}, { 'sec-fetch-site': 'cross-site' }, { accept: 'text/event-stream' }]) {
      const outcome = await forge(`/graphql?${new URLSearchParams({ query: mutation() })}`, { method, headers });
      expect(outcome).toEqual({ status: 405, changed: false });
    }
  });

  test.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS'])('by %s', async (method) => {
    const headers = { ...JSON_TYPE, origin: EVIL };
    const outcome = await forge('/graphql', { method, headers, body: json() });
    expect(outcome.changed).toBe(false);
    expect([204, 403]).toContain(outcome.status);
  });
});

describe('requests that may use the session', () => {
  test.each<[string, Record<string, string>]>([
    ['our own page', { origin: 'http://localhost:4000', 'sec-fetch-site': 'same-origin' }],
    ['our own page in an older browser', { origin: 'http://localhost:4000' }],
    ['a friend', { origin: FRIEND, 'sec-fetch-site': 'cross-site' }],
    ['a friend in an older browser', { origin: FRIEND }],
  ])('%s may', async (_name, headers) => {
    const outcome = await forge('/graphql', { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body: json() });
    expect(outcome).toEqual({ status: 200, changed: true });
  });

  test('a program with a bearer token needs no origin, and a cookie does not prevent it', async () => {
    for (const headers of [{}, { origin: EVIL }, { cookie }] as Record<string, string>[]) {
      const { errors } = await gateway.graphql(mutation(), { token: gateway.tokens.admin, headers });
      expect(errors).toBeUndefined();
    }
  });
});

describe('answers that browsers let other sites read', () => {
  const corsHeaders = (response: Response) =>
    Object.fromEntries([...response.headers].filter(([name]) => name.startsWith('access-control-')));
  const ask = (origin: string, method = 'POST') =>
    gateway.fetch('/graphql', {
      method,
      headers: {
        ...JSON_TYPE,
        cookie,
        origin,
        ...(method === 'OPTIONS' && { 'access-control-request-method': 'POST' }),
      },
      ...(method === 'POST' && { body: '{"query":"{ viewer { id } }"}' }),
    });

  test('are those to listed origins, by name', async () => {
    const answer = await ask(FRIEND);
    expect(corsHeaders(answer)).toMatchObject({
      'access-control-allow-origin': FRIEND,
      'access-control-allow-credentials': 'true',
    });
    expect(answer.headers.get('vary')).toContain('Origin');
    const preflight = await ask(FRIEND, 'OPTIONS');
    expect(preflight.status).toBe(204);
    expect(corsHeaders(preflight)).toMatchObject({ 'access-control-allow-origin': FRIEND });
  });

  test.each([EVIL, 'null', `${FRIEND}.evil.example`, 'http://chat.example.com', '*'])(
    'exclude those to %s',
    async (origin) => {
      for (const method of ['POST', 'OPTIONS']) {
        const headers = corsHeaders(await ask(origin, method));
        expect(headers['access-control-allow-origin']).toBeUndefined();
      }
    },
  );

  test('are none if no origin is listed', async () => {
    const alone = await createTestGateway();
    try {
      for (const method of ['OPTIONS', 'GET']) {
        const response = await alone.fetch('/graphql', { method, headers: { origin: FRIEND } });
        expect(corsHeaders(response)).toEqual({});
      }
    } finally {
      await alone.close();
    }
  });
});
