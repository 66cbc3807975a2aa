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
    const path = `/graphql?${new URLSearchParams({ query: mutation() })}`;
    for (const headers of [{}, { 'sec-fetch-site': 'cross-site' }, { accept: 'text/event-stream' }]) {
      expect(await forge(path, { method, headers })).toEqual({ status: 403, changed: false });
    }
    const own = { 'sec-fetch-site': 'same-origin' };
    expect(await forge(path, { method, headers: own })).toEqual({ status: 405, changed: false });
  });

  test.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS'])('by %s', async (method) => {
    const headers = { ...JSON_TYPE, origin: EVIL };
    const outcome = await forge('/graphql', { method, headers, body: json() });
    expect(outcome.changed).toBe(false);
    expect([204, 403]).toContain(outcome.status);
  });
});

describe("a page of another site reads nothing with a visitor's session", () => {
  const QUERY = `/graphql?${new URLSearchParams({ query: '{ viewer { id } }' })}`;
  const SERVERS = '/api/experimental/mcp/servers';
  const READS = [QUERY, SERVERS, `${SERVERS}/00000000-0000-4000-8000-00000000dead`, '/auth/session', '/nowhere'];
  const HTML = { accept: 'text/html,*/*;q=0.8' };
  const LINK = { ...HTML, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'cross-site' };
  const read = (path: string, headers: Record<string, string>, method = 'GET') =>
    gateway.fetch(path, { method, headers: { cookie, ...headers } });

  test.each<[string, Record<string, string>]>([
    [
      'its fetch',
      { origin: EVIL, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
    ],
    ['an image', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
    ['a script element', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' }],
    ['a frame', { ...LINK, 'sec-fetch-dest': 'iframe' }],
    ['a link', { ...LINK, accept: 'application/json' }],
    ['another port', { 'sec-fetch-site': 'same-site' }],
    ['an older browser', { origin: EVIL }],
    ['an older browser that says only the page before', { referer: `${EVIL}/` }],
    ['a page that begins like ours', { referer: 'http://localhost:4000.evil.example/' }],
    [
      'a page that says our address, in a browser that knows better',
      { referer: 'http://localhost:4000/', 'sec-fetch-site': 'cross-site' },
    ],
    ['a request that does not say where it is from', {}],
  ])('by %s', async (_name, headers) => {
    for (const path of READS) {
      for (const method of ['GET', 'HEAD']) {
        expect((await read(path, headers, method)).status, `${method} ${path}`).toBe(403);
      }
    }
  });

  test.each<[string, Record<string, string>]>([
    ['our own page', { 'sec-fetch-site': 'same-origin' }],
    ['our own page in an older browser', { referer: 'http://localhost:4000/graphql' }],
    ['someone who types the address', { 'sec-fetch-site': 'none' }],
    ['a friend', { origin: FRIEND, 'sec-fetch-site': 'cross-site' }],
  ])('but %s reads', async (_name, headers) => {
    for (const path of [QUERY, SERVERS]) expect((await read(path, headers)).status, path).toBe(200);
  });

  test('and a link may lead to a page, but not into a frame', async () => {
    const page = await read('/graphql', LINK);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
    expect((await read('/auth/sign-in?token=used', LINK)).status).toBe(401);
    for (const path of ['/graphql', '/auth/sign-in?token=used', `${SERVERS}/x/oauth2/callback?state=x`]) {
      for (const dest of ['iframe', 'frame', 'object', 'embed', 'image']) {
        expect((await read(path, { ...LINK, 'sec-fetch-dest': dest })).status, `${dest} ${path}`).toBe(403);
      }
    }
  });

  test('and no link starts a verification or a discovery', async () => {
    // Without the playground, the address of the page is the one of the query.
    const alone = await createTestGateway({ env: { GATEHOUSE_GRAPHIQL: 'false' } });
    try {
      const own = await openSession(alone, alone.tokens.admin);
      for (const query of [
        '{ verifyAuditLog { checked } }',
        '{ discoverMcpServerOAuth(url: "https://a.example/") { issuer } }',
      ]) {
        const path = `/graphql?${new URLSearchParams({ query })}`;
        for (const headers of [LINK, { ...LINK, accept: '*/*' }, HTML, {}] as Record<string, string>[]) {
          expect((await alone.fetch(path, { headers: { cookie: own, ...headers } })).status, query).toBe(403);
        }
        // As a mutation it needs POST, which no link sends.
        const mutation = `/graphql?${new URLSearchParams({ query: 'mutation { verifyAuditLog { verification { checked } } }' })}`;
        expect((await alone.fetch(mutation, { headers: { cookie: own, 'sec-fetch-site': 'none' } })).status).toBe(405);
      }
      expect(await alone.database.query("SELECT 1 FROM audit_entries WHERE action = 'auditLog.verify'")).toEqual([]);
    } finally {
      await alone.close();
    }
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
