// On the embedded database: it compares headers.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
  return /href="(\/auth\/assets\/[^"]+\.css)"/.exec(page)?.[1] ?? '/no-style';
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
