import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listen } from '../../src/http/node-server.ts';
import { createId, update } from '../graphql/config-operations.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { openSession } from './browser-session.ts';
import { SERVERS } from './rest-client.ts';

const FRIEND = 'https://chat.example.com';
const HTML = { accept: 'text/html' };
const SUBSCRIPTION = JSON.stringify({ query: 'subscription { mcpServerConfigEvents { cursor } }' });

let gateway: TestGateway;
let secure: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway({ env: { GATEHOUSE_CORS_ORIGINS: FRIEND } });
  secure = await createTestGateway({ env: { GATEHOUSE_PUBLIC_URL: 'https://gatehouse.example.com' } });
});
afterAll(async () => {
  await gateway?.close();
  await secure?.close();
});

const bearer = (to: TestGateway) => ({ authorization: `Bearer ${to.tokens.admin}` });
const post = (body: string, headers: Record<string, string>): RequestInit => ({
  method: 'POST',
  body,
  headers: { 'content-type': 'application/json', ...headers },
});

/** One response of each kind: its status, its type and the request. */
const KINDS: [string, number, string | null, (to: TestGateway) => Promise<Response>][] = [
  ['the playground', 200, 'text/html', async (to) => to.fetch('/graphql', { headers: { ...HTML, ...bearer(to) } })],
  ['the sign-in page', 200, 'text/html', async (to) => to.fetch('/graphql', { headers: HTML })],
  ['an asset', 200, 'text/javascript', async (to) => to.fetch(await findScript(to))],
  ['a file of the sign-in page', 200, 'text/css', async (to) => to.fetch(await findStyle(to))],
  ['the page after signing out', 200, 'text/html', async (to) => to.fetch('/auth/signed-out', { headers: HTML })],
  [
    'a page with an error',
    401,
    'text/html',
    async (to) => to.fetch(`${SERVERS}/00000000-0000-4000-8000-00000000dead/oauth2/connect`, { headers: HTML }),
  ],
  [
    'an answer of the graph',
    200,
    'application/',
    async (to) => to.fetch('/graphql', post('{"query":"{ viewer { id } }"}', bearer(to))),
  ],
  ['a refusal of the graph', 401, 'application/json', async (to) => to.fetch('/graphql', post('{}', {}))],
  [
    'a stream',
    200,
    'text/event-stream',
    async (to) => to.fetch('/graphql', post(SUBSCRIPTION, { ...bearer(to), accept: 'text/event-stream' })),
  ],
  ['a list of REST', 200, 'application/json', async (to) => to.fetch(SERVERS, { headers: bearer(to) })],
  ['a refusal of REST', 401, 'application/json', async (to) => to.fetch(SERVERS)],
  ['broken JSON', 400, 'application/json', async (to) => to.fetch(SERVERS, post('{', bearer(to)))],
  ['an unknown address', 404, 'application/json', async (to) => to.fetch('/nowhere')],
  ['another method', 405, 'application/json', async (to) => to.fetch('/', { method: 'DELETE' })],
  ['a redirect', 303, null, async (to) => to.fetch('/auth/sign-in', { headers: { ...HTML, ...bearer(to) } })],
  ['links', 200, 'application/json', async (to) => to.fetch('/')],
  ['an empty response', 204, null, async (to) => to.fetch('/auth/sign-in', { method: 'HEAD' })],
  ['a used sign-in link', 401, 'text/plain', async (to) => to.fetch('/auth/sign-in?token=used')],
  ['the OpenAPI document', 200, 'application/json', async (to) => to.fetch('/api/openapi.json')],
  ['a health check', 200, 'application/json', async (to) => to.fetch('/healthz')],
  ['metrics', 200, 'text/plain', async (to) => to.fetch('/metrics')],
];

/** The kinds that may be stored, or must be asked for again. */
const CACHED: Readonly<Record<string, string>> = {
  'an asset': 'public, max-age=31536000, immutable',
  'a file of the sign-in page': 'public, max-age=31536000, immutable',
  'a stream': 'no-cache',
};

/** Browsers tell the origin of a form only with this. */
const REFERRED: Readonly<Record<string, string>> = { 'the sign-in page': 'same-origin' };

async function findScript(to: TestGateway): Promise<string> {
  const page = await (await to.fetch('/graphql', { headers: { ...HTML, ...bearer(to) } })).text();
  return /src="(\/graphql\/assets\/[^"]+\.js)"/.exec(page)?.[1] ?? '/no-script';
}

async function findStyle(to: TestGateway): Promise<string> {
  const page = await (await to.fetch('/auth/sign-in', { headers: HTML })).text();
  return /href="(\/assets\/[^"]+\.css)"/.exec(page)?.[1] ?? '/no-style';
}

describe.each(KINDS)('%s', (name, status, type, ask) => {
  test('has every security header', async () => {
    const response = await ask(gateway);
    try {
      expect(response.status).toBe(status);
      expect(response.headers.get('content-type')?.slice(0, type?.length) ?? null).toBe(type);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': REFERRED[name] ?? 'no-referrer',
        'cache-control': CACHED[name] ?? 'no-store',
        'content-security-policy': expect.stringMatching(/^default-src 'none'; .*frame-ancestors 'none'(?:;|$)/),
      });
    } finally {
      await response.body?.cancel();
    }
  });

  test('asks for https exactly if the public URL does', async () => {
    const responses = [await ask(gateway), await ask(secure)];
    try {
      const asked = responses.map(({ headers }) => headers.get('strict-transport-security'));
      expect(asked).toEqual([null, 'max-age=31536000']);
    } finally {
      for (const response of responses) await response.body?.cancel();
    }
  });
});

test('an unexpected error and a preflight have them, too', async () => {
  const failing = await createTestGateway();
  try {
    const cookie = await openSession(failing, failing.tokens.admin);
    await failing.database.query('DROP TABLE sessions CASCADE');
    failing.clock.advance(60_000);
    const error = await failing.fetch(SERVERS, { headers: { cookie } });
    expect(error.status).toBe(500);
    const headers = { origin: FRIEND, 'access-control-request-method': 'POST' };
    const preflight = await gateway.fetch('/graphql', { method: 'OPTIONS', headers });
    expect(preflight.status).toBe(204);
    for (const { headers: received } of [error, preflight]) {
      expect(received.get('x-frame-options')).toBe('DENY');
      expect(received.get('x-content-type-options')).toBe('nosniff');
    }
  } finally {
    await failing.close();
  }
});

describe('answers are encoded as the client accepts', () => {
  const LIST = '{"query":"{ mcpServerConfigs { nodes { id slug displayName description url availability } } }"}';
  const ask = (headers: Record<string, string> = {}) =>
    gateway.fetch('/graphql', post(LIST, { ...bearer(gateway), ...headers }));
  const list = (headers: Record<string, string> = {}, token = gateway.tokens.admin) =>
    gateway.fetch(SERVERS, { headers: { authorization: `Bearer ${token}`, ...headers } });
  const decode = { br: brotliDecompressSync, gzip: gunzipSync };
  const status = () => gateway.caches().find(({ name }) => name === 'encoded answers');
  let id: string;

  beforeAll(async () => {
    for (let index = 0; index < 5; index += 1) {
      id = await createId(gateway, {
        slug: `encoded-${index}`,
        enabled: true,
        description: 'what it is for '.repeat(20),
      });
    }
  });

  test.each([
    ['br', 'gzip, deflate, br, zstd'],
    ['br', 'gzip;q=0.9, br;q=0.1'],
    ['gzip', 'gzip, deflate'],
    ['gzip', 'GZIP, br;q=0'],
  ] as const)('%s for "%s"', async (coding, accepted) => {
    const plain = await ask();
    const whole = Buffer.from(await plain.arrayBuffer());
    expect(whole.length).toBeGreaterThan(1_024);
    // The first, the second that is kept, and the third from memory.
    for (let time = 0; time < 3; time += 1) {
      const response = await ask({ 'accept-encoding': accepted });
      expect(response.headers.get('content-encoding')).toBe(coding);
      expect(response.headers.get('content-type')).toBe(plain.headers.get('content-type'));
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(bytes.length).toBeLessThan(whole.length / 2);
      expect(decode[coding](bytes)).toEqual(whole);
    }
  });

  test.each([[undefined], ['identity'], ['br;q=0, gzip;q=0'], ['deflate'], ['']])(
    'as they are for %s',
    async (accepted) => {
      const response = await ask(accepted === undefined ? {} : { 'accept-encoding': accepted });
      expect(response.headers.get('content-encoding')).toBeNull();
      expect(response.headers.get('vary')).toContain('Accept-Encoding');
      expect(await response.json()).toMatchObject({ data: { mcpServerConfigs: { nodes: expect.any(Array) } } });
    },
  );

  test('as they are if they are short, and streams always', async () => {
    const accepted = { ...bearer(gateway), 'accept-encoding': 'br' };
    const short = await gateway.fetch('/graphql', post('{"query":"{ viewer { id } }"}', accepted));
    expect(short.headers.get('content-encoding')).toBeNull();
    expect(await short.json()).toMatchObject({ data: {} });
    const stream = await gateway.fetch('/graphql', post(SUBSCRIPTION, { ...accepted, accept: 'text/event-stream' }));
    expect(stream.headers.get('content-encoding')).toBeNull();
    await stream.body?.cancel();
  });

  test('the same over a real connection', async () => {
    // Without allowed origins, whose headers would make every response anew.
    await createId(secure, { slug: 'encoded', description: 'what it is for '.repeat(100) });
    const server = await listen(secure.app, { host: '127.0.0.1', port: 0 });
    try {
      const url = `http://127.0.0.1:${server.port}${SERVERS}`;
      const get = (headers: Record<string, string>) => fetch(url, { headers: { ...bearer(secure), ...headers } });
      const encoded = await get({ 'accept-encoding': 'br' });
      expect(encoded.headers.get('content-encoding')).toBe('br');
      expect(await encoded.json()).toHaveLength(1);
      const plain = await get({ 'accept-encoding': 'identity' });
      expect(plain.headers.get('content-encoding')).toBeNull();
      expect(await plain.json()).toHaveLength(1);
      const same = await get({ 'if-none-match': plain.headers.get('etag') ?? '' });
      expect([same.status, await same.text()]).toEqual([304, '']);
      for (const { headers } of [encoded, plain, same]) {
        expect(headers.get('vary')).toContain('Accept-Encoding');
        expect(headers.get('x-content-type-options')).toBe('nosniff');
      }
    } finally {
      await server.close(0);
    }
  });

  test('an answer that is sent once is not kept', async () => {
    const name = 'n'.repeat(60);
    const fields = Array.from(
      { length: 8 },
      (_, index) => `t${index}: createApiToken(input: { name: "${name}${index}" }) { token apiToken { id name } }`,
    );
    const before = status();
    const query = `mutation { ${fields.join(' ')} }`;
    const response = await gateway.fetch(
      '/graphql',
      post(JSON.stringify({ query }), { ...bearer(gateway), 'accept-encoding': 'gzip' }),
    );
    expect(response.headers.get('content-encoding')).toBe('gzip');
    const text = gunzipSync(Buffer.from(await response.arrayBuffer())).toString();
    expect(text.match(/"token"/g)).toHaveLength(8);
    const after = status();
    expect((after?.entries ?? 0) - (before?.entries ?? 0)).toBe(1);
    expect((after?.bytes ?? 0) - (before?.bytes ?? 0)).toBeLessThan(200);
  });

  test('a list that the client has already is 304, until it changes, and only for those who see the same', async () => {
    const first = await list();
    const tag = first.headers.get('etag') ?? '';
    expect(tag).toMatch(/^W\/"[\w-]{22}"$/);
    for (const asked of [tag, tag.slice(2), `"other", ${tag}`, '*']) {
      const same = await list({ 'if-none-match': asked, 'accept-encoding': 'br' });
      expect([same.status, await same.text(), same.headers.get('etag')]).toEqual([304, '', tag]);
      expect(same.headers.get('cache-control')).toBe(first.headers.get('cache-control'));
    }
    const members = await list({ 'if-none-match': tag }, gateway.tokens.member);
    expect(members.status).toBe(200);
    expect(members.headers.get('etag')).not.toBe(tag);
    expect((await list({ 'if-none-match': tag }, 'wrong')).status).toBe(401);

    await update(gateway, id, { description: 'changed' });
    const changed = await list({ 'if-none-match': tag });
    expect([changed.status, changed.headers.get('etag') === tag]).toEqual([200, false]);

    const query = encodeURIComponent('{ mcpServerConfigs { nodes { id description } } }');
    const get = (headers = {}) =>
      gateway.fetch(`/graphql?query=${query}`, { headers: { ...bearer(gateway), ...headers } });
    const graphTag = (await get()).headers.get('etag') ?? '';
    expect((await get({ 'if-none-match': graphTag })).status).toBe(304);
    expect((await ask({ 'if-none-match': '*' })).status).toBe(200);
  });
});
