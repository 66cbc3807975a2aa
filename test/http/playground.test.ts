import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PlaygroundSettings } from '../../src/http/playground/playground-page.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';

/** What Chromium sends when somebody opens an address. */
const NAVIGATION = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';
const QUERY = `/graphql?query=${encodeURIComponent('{ viewer { role } }')}`;

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway.close());

async function open(
  path: string,
  { token, from = gateway }: { token?: string; from?: TestGateway } = {},
): Promise<Response> {
  const authorization = token === undefined ? undefined : { authorization: `Bearer ${token}` };
  return from.fetch(path, { headers: { accept: NAVIGATION, ...authorization } });
}

function readSettings(page: string): PlaygroundSettings {
  return JSON.parse(/id="settings">([^<]*)<\/script>/.exec(page)?.[1] ?? '');
}

/** The addresses of all files that a page loads, those of workers included. */
function readAssetUrls(page: string): string[] {
  return [
    ...new Set(
      [...page.matchAll(/(?:src|href)="([^"]+)"|"(\/graphql\/assets\/[^"]+)"/g)].map(([, a, b]) => a ?? b ?? ''),
    ),
  ];
}

/** The address of GraphiQL's script. */
function findScript(page: string): string {
  return readAssetUrls(page).find((url) => url.startsWith('/graphql/assets/graphiql.') && url.endsWith('.js')) ?? '';
}

function readDirectives(response: Response): Record<string, string> {
  const policy = response.headers.get('content-security-policy') ?? '';
  return Object.fromEntries(
    policy.split('; ').map((directive) => [directive.split(' ')[0], directive.replace(/^\S+ /, '')]),
  );
}

describe('GET /graphql in a browser', () => {
  test('shows a sign-in page to a visitor who is not signed in', async () => {
    const response = await open('/graphql');
    const page = await response.text();
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/html/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('vary')).toContain('Cookie');
    expect(page).toContain('<code>admin-token</code>');
    expect(page).toContain('terminal');
    expect(page).not.toContain('id="settings"');
  });

  test('shows it to a visitor with an invalid token or session', async () => {
    expect(await (await open('/graphql', { token: gateway.tokens.suspended })).text()).toContain('id="token"');
    const expired = await gateway.fetch('/graphql', { headers: { accept: NAVIGATION, cookie: 'gatehouse_session=x' } });
    expect(await expired.text()).toContain('id="token"');
  });

  test('shows the playground to a session until it ends', async () => {
    const opened = await gateway.fetch('/auth/session', {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.tokens.member}` },
    });
    const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? '';
    const visit = async () => (await gateway.fetch('/graphql', { headers: { accept: NAVIGATION, cookie } })).text();
    expect(readSettings(await visit()).userId).toBe(gateway.userIds.member);
    await gateway.fetch('/auth/session', { method: 'DELETE', headers: { cookie, 'sec-fetch-site': 'same-origin' } });
    expect(await visit()).toContain('id="token"');
  });

  test('is a small page: everything large is a separate file', async () => {
    const page = await (await open('/graphql', { token: gateway.tokens.admin })).text();
    expect(page.length).toBeLessThan(16_384);
    expect(page).not.toMatch(/<style|style="| on[a-z]+="/);
    expect(page.match(/<script (?!(?:type="module" )?src=|type="application\/json")/g)).toBeNull();
  });

  test("lets no page run anything but the gateway's files", async () => {
    const shared = {
      'default-src': "'none'",
      'script-src': "'self'",
      'connect-src': "'self'",
      'base-uri': "'none'",
      'form-action': "'self'",
      'frame-ancestors': "'none'",
    };
    const { 'script-src': _scripts, 'connect-src': _connections, ...withoutScripts } = shared;
    const signIn = {
      ...withoutScripts,
      'style-src': "'self'",
      'img-src': "'self'",
      'require-trusted-types-for': "'script'",
      'trusted-types': "'none'",
    };
    expect(readDirectives(await open('/graphql'))).toEqual(signIn);
    expect(readDirectives(await open('/graphql', { token: gateway.tokens.admin }))).toEqual({
      ...shared,
      'style-src': "'self' 'unsafe-inline'",
      'img-src': "'self' data:",
      'font-src': "'self' data:",
      'worker-src': "'self'",
    });
  });

  test.each([
    [
      'admin',
      [
        'WhoAmI',
        'CreateOpenServer',
        'CreateApiKeyServer',
        'CreateOAuthServer',
        'ListServers',
        'EnableServer',
        'DisableServer',
        'FollowChanges',
        'ListUsers',
        'RemoveUserTokens',
      ],
    ],
    ['auditor', ['WhoAmI', 'ListServers', 'FollowChanges', 'ListUsers']],
    ['service', ['WhoAmI', 'ListServers', 'FollowChanges']],
    ['member', ['WhoAmI', 'ListServers', 'FollowChanges']],
  ] as const)('offers the %s the examples that they may run', async (role, names) => {
    const { tabs } = readSettings(await (await open('/graphql', { token: gateway.tokens[role] })).text());
    expect(tabs.map(({ query }) => /^(?:query|mutation|subscription) (\w+)/m.exec(query)?.[1])).toEqual(names);
  });
});

describe('the files of the pages', () => {
  test('come from the gateway, compressed, and are cached permanently', async () => {
    const page = await (await open('/graphql', { token: gateway.tokens.admin })).text();
    // The address of the console is no file.
    const urls = readAssetUrls(page).filter((url) => url !== '/');
    expect(urls).toHaveLength(8);
    for (const url of urls) {
      const plain = await gateway.fetch(url);
      const zipped = await gateway.fetch(url, { headers: { 'accept-encoding': 'gzip, deflate' } });
      for (const response of [plain, zipped]) {
        expect(response.status, url).toBe(200);
        expect(response.headers.get('content-type')).toMatch(
          { js: /^text\/javascript/, css: /^text\/css/, svg: /^image\/svg/ }[url.split('.').at(-1) ?? ''] ?? /never/,
        );
        expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
        expect(response.headers.get('vary')).toContain('Accept-Encoding');
        expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
      }
      expect(plain.headers.get('content-encoding')).toBeNull();
      expect(zipped.headers.get('content-encoding')).toBe('gzip');
      const text = Buffer.from(await plain.arrayBuffer());
      expect(gunzipSync(await zipped.arrayBuffer()).equals(text), url).toBe(true);
    }
  });

  test('are not found under the hash of another version, nor if there are none', async () => {
    const url = findScript(await (await open('/graphql', { token: gateway.tokens.admin })).text());
    const others = [
      url.replace(/\.[0-9a-f]{16}\./, '.0123456789abcdef.'),
      url.replace(/\.[0-9a-f]{16}\./, '.'),
      '/graphql/assets/constructor',
      '/graphql/assets/icon.svg',
      '/graphql/assets/..%2f..%2fpackage.json',
    ];
    for (const other of others) expect((await gateway.fetch(other)).status, other).toBe(404);
  });
});

describe('programs', () => {
  test.each([undefined, '*/*', 'application/json', 'application/graphql-response+json', 'text/event-stream'])(
    'that accept %s get no page',
    async (accept) => {
      const headers = accept === undefined ? undefined : { accept };
      const response = await gateway.fetch('/graphql', { headers: { ...headers } });
      expect(response.status).toBe(401);
      expect(response.headers.get('content-type')).toMatch(/json/);
    },
  );

  test('that prefer JSON to HTML get their answer', async () => {
    const response = await gateway.fetch(QUERY, {
      headers: { accept: 'application/json, text/html;q=0.5', authorization: `Bearer ${gateway.tokens.member}` },
    });
    expect(await response.json()).toEqual({ data: { viewer: { role: 'MEMBER' } } });
  });
});

describe('with the playground off', () => {
  let plain: TestGateway;

  beforeAll(async () => {
    plain = await createTestGateway({ env: { GATEHOUSE_GRAPHIQL: 'false' } });
  });
  afterAll(() => plain.close());

  test('there is no page and no file of it, signed in or not', async () => {
    const asset = findScript(await (await open('/graphql', { token: gateway.tokens.admin })).text());
    expect((await open('/graphql', { from: plain })).status).toBe(404);
    expect((await open('/graphql', { from: plain, token: plain.tokens.admin })).status).toBe(404);
    expect((await open(asset)).status).toBe(200);
    expect((await open(asset, { from: plain })).status).toBe(404);
  });

  test('a query in the address is still answered', async () => {
    const response = await open(QUERY, { from: plain, token: plain.tokens.member });
    expect(await response.json()).toEqual({ data: { viewer: { role: 'MEMBER' } } });
  });
});
