import type { RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  CANARY,
  type DiscoveryBench,
  OAUTH_PATH,
  OPENID_PATH,
  openDiscoveryBench,
  outcomes,
  paths,
  RESOURCE_PATH,
} from './discovery-bench.ts';

let bench: DiscoveryBench;

beforeEach(async () => {
  bench = await openDiscoveryBench();
});

afterEach(() => bench.close());

const CHALLENGE_FAILED = ['challenge failed'];
const RESOURCE_FAILED = [
  'challenge found',
  'protected_resource_metadata failed',
  // At the root.
  'protected_resource_metadata absent',
];
const ISSUER_FAILED = [
  'challenge found',
  'protected_resource_metadata found',
  'authorization_server_metadata failed',
  // The document of OpenID Connect.
  'authorization_server_metadata absent',
];

/** URLs to which neither the gateway nor a browser is sent. */
const BAD_URLS: [string, string][] = [
  ['http to a host that is not allowed', `http://${CANARY}.example.com/x`],
  ['http to a private address', `http://10.0.0.7/${CANARY}`],
  ['a script', `javascript:alert('${CANARY}')`],
  ['a script that looks like a URL', `javascript://example.com/%0aalert('${CANARY}')`],
  ['data', `data:text/html,${CANARY}`],
  ['a file', `file:///etc/${CANARY}`],
  ['a WebSocket', `wss://example.com/${CANARY}`],
  ['no URL', CANARY],
  ['nothing', ''],
  ['a relative URL', `/${CANARY}`],
  ['a URL without a scheme', `//example.com/${CANARY}`],
  ['user info', `https://user:${CANARY}@example.com/`],
  ['an empty user', `https://@example.com/${CANARY}`],
  ['a fragment', `https://example.com/#${CANARY}`],
  ['a host in disguise', `https://2130706433/${CANARY}`],
  ['a line break', `https://example.com/\n${CANARY}`],
  ['a turn of the writing direction', `https://example.com/\u202e${CANARY}`],
  ['letters beyond ASCII', `https://example.com/\u0430${CANARY}`],
  ['a backslash', `https://example.com\\${CANARY}`],
  ['2,049 characters', `https://example.com/${CANARY}`.padEnd(2_049, 'x')],
];

/** Answers that are not metadata, but not nothing either. */
const BROKEN: [string, RegExp, RequestListener][] = [
  ['a redirect', /redirect/, (_request, response) => response.writeHead(302, { location: `/${CANARY}` }).end()],
  [
    'an unknown coding',
    /content coding/,
    (_request, response) => response.writeHead(200, { 'content-encoding': 'zip' }).end(`{"issuer":"${CANARY}"}`),
  ],
  [
    'a small answer that expands to a large one',
    /more bytes/,
    (_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(`{"issuer":"${'x'.repeat(10_000_000)}"}`)),
  ],
  [
    '300 KB',
    /more bytes/,
    (_request, response) =>
      response.writeHead(200).end(`{"issuer":"x","resource":"x","${CANARY}":"${'x'.repeat(300_000)}"}`),
  ],
  ['an error', /HTTP status 503/, (_request, response) => response.writeHead(503, CANARY).end(CANARY)],
  [
    'half an answer',
    /is not an HTTP server/,
    (_request, response) => {
      response.writeHead(200, { 'content-length': 1_000 }).write(CANARY, () => response.destroy());
    },
  ],
];

/** Answers that are not metadata: the next location is tried. */
const NO_DOCUMENT: [string, RegExp, string][] = [
  ['a page', /JSON object/, `<!doctype html><title>${CANARY}</title>`],
  ['an array', /JSON object/, JSON.stringify([CANARY])],
  ['a text in JSON', /JSON object/, JSON.stringify(CANARY)],
  ['null', /JSON object/, 'null'],
  ['nothing', /JSON object/, ''],
  ['half an object', /JSON object/, `{"${CANARY}": `],
  ['200,000 brackets', /JSON object/, '['.repeat(200_000)],
  ['an object of another kind', /has no "/, JSON.stringify({ [CANARY]: CANARY })],
  ['an identifier that is no text', /has no "/, JSON.stringify({ issuer: [CANARY], resource: { [CANARY]: 1 } })],
];

describe('a challenge is refused without further requests', () => {
  test.each(BAD_URLS.filter(([, url]) => /^[\x20-\x7e]*$/.test(url)))(
    'when its metadata is at %s',
    async (_what, url) => {
      bench.challenge(`Bearer resource_metadata="${url.replaceAll('\\', '\\\\')}"`);
      const report = await bench.discover();
      expect(outcomes(report)).toEqual(CHALLENGE_FAILED);
      expect(bench.mcp.log).toEqual(['POST /mcp']);
    },
  );

  test('when the server itself is at an address that the gateway does not call', async () => {
    for (const serverUrl of [bench.serverUrl, bench.serverUrl.replace('http:', 'https:'), 'https://10.0.0.7/mcp']) {
      const report = await bench.discover({ serverUrl, opened: '' });
      expect(outcomes(report)).toEqual(CHALLENGE_FAILED);
      expect(report.problems).toEqual([expect.stringContaining('GATEHOUSE_ALLOWED_PRIVATE_CIDRS')]);
    }
    expect(bench.mcp.log).toEqual([]);
  });
});

describe('the metadata of a resource is refused', () => {
  const of = (path: string) => `${bench.mcp.url}${path}`;

  test.each<[string, () => string]>([
    ['a sibling', () => of('/mcp2')],
    ['a sibling that the server starts with', () => of('/mc')],
    ['something below the server', () => of('/mcp/tools')],
    ['the server with two slashes', () => of('/mcp//')],
    ['the server in capitals', () => of('/MCP')],
    ['the server with a query', () => of('/mcp?tenant=1')],
    ['the server by a detour', () => of('/other/../mcp')],
    ['the root by a detour', () => of('/other/..')],
    ['the server by an escaped detour', () => of('/other/%2e%2e/mcp')],
    ['the server with a fragment', () => of('/mcp#x')],
    ['the server with user info', () => bench.serverUrl.replace('//', '//x@')],
    ['the server by https', () => bench.serverUrl.replace('http:', 'https:')],
    ['the server at another port', () => `http://127.0.0.1:${bench.issuer.port}/mcp`],
    ['the server by another name', () => `http://localhost:${bench.mcp.port}/mcp`],
    ['another host', () => `https://${CANARY}.example.com/mcp`],
    ['a host that starts alike', () => `${bench.mcp.url}.example.com/mcp`],
    ['no URL', () => CANARY],
    ['a script', () => `javascript:${CANARY}`],
    ['nothing', () => ''],
  ])('when it is of %s', async (_what, resource) => {
    bench.serveResource({ resource: resource() });
    const report = await bench.discover();
    expect(outcomes(report)).toEqual(RESOURCE_FAILED);
    expect(report.problems).toEqual([expect.stringContaining('another resource')]);
    expect(bench.issuer.log).toEqual([]);
  });

  test('when it is of another resource, also where the challenge names it on another host', async () => {
    bench.issuer.onJson('/metadata', {
      resource: `${bench.issuer.url}/mcp`,
      authorization_servers: [bench.issuer.url],
    });
    bench.challenge(`Bearer resource_metadata="${bench.issuer.url}/metadata"`);
    bench.mcp.onText(`${RESOURCE_PATH}/mcp`, CANARY, 404);
    expect(outcomes(await bench.discover())).toEqual([...RESOURCE_FAILED, 'protected_resource_metadata absent']);
    expect(bench.issuer.log).toEqual(['GET /metadata']);
  });

  test.each(BAD_URLS)('when its authorization server is %s', async (_what, url) => {
    bench.serveResource({ authorization_servers: [url] });
    const report = await bench.discover();
    expect(outcomes(report)).toEqual(RESOURCE_FAILED);
    expect(report.problems).toEqual([expect.stringContaining('authorization server')]);
    expect(bench.issuer.log).toEqual([]);
  });

  test.each(['?tenant=1', '?', '/a/../b', '/%2e/b'])('when its authorization server ends with %s', async (end) => {
    bench.serveResource({ authorization_servers: [`${bench.issuer.url}${end}`] });
    expect(outcomes(await bench.discover())).toEqual(RESOURCE_FAILED);
    expect(bench.issuer.log).toEqual([]);
  });

  test.each([
    ['has no authorization server', { authorization_servers: [] }],
    ['does not list authorization servers', { authorization_servers: undefined }],
    ['has an empty text for the list', { authorization_servers: '' }],
    ['has a number for the list', { authorization_servers: 1 }],
    ['has an object in the list', { authorization_servers: [{ [CANARY]: CANARY }] }],
  ])('when it %s', async (_what, change) => {
    bench.serveResource(change);
    expect(outcomes(await bench.discover())).toEqual(RESOURCE_FAILED);
  });

  test.each(BROKEN)('when there is %s', async (_what, reason, listener) => {
    bench.mcp.on(`${RESOURCE_PATH}/mcp`, listener);
    const report = await bench.discover();
    expect(outcomes(report)).toEqual(RESOURCE_FAILED);
    expect(report.problems).toEqual([expect.stringMatching(reason)]);
    expect(bench.issuer.log).toEqual([]);
  });

  test.each(NO_DOCUMENT)('as absent when there is %s, and the next place is asked', async (_what, reason, text) => {
    bench.mcp.onText(`${RESOURCE_PATH}/mcp`, text);
    bench.serveResource({}, RESOURCE_PATH);
    const report = await bench.discover();
    expect(outcomes(report)).toContain('protected_resource_metadata absent');
    expect(report.steps[1]?.message).toMatch(reason);
    expect(report.provider).not.toBeNull();
  });

  test.each([400, 401, 403, 404])(
    'as absent with status %i, whatever the body is, and the next place is asked',
    async (status) => {
      const metadata = { resource: bench.serverUrl, authorization_servers: ['https://not-this-one.example.com'] };
      bench.mcp.onJson(`${RESOURCE_PATH}/mcp`, metadata, status);
      bench.serveResource({}, RESOURCE_PATH);
      const report = await bench.discover();
      expect(report.steps[1]).toMatchObject({ outcome: 'absent', message: expect.stringContaining(String(status)) });
      expect(report.provider?.issuer).toBe(bench.issuer.url);
    },
  );

  test('when there is none at any place, and its origin is no authorization server either', async () => {
    bench.mcp.onText(`${RESOURCE_PATH}/mcp`, CANARY, 404);
    bench.mcp.onText('/mcp', CANARY, 200);
    const report = await bench.discover();
    expect(paths(report)).toEqual(['/mcp', `${RESOURCE_PATH}/mcp`, RESOURCE_PATH, OAUTH_PATH, OPENID_PATH]);
    expect(report.problems).toEqual([expect.stringContaining('RFC 9728')]);
  });

  test('when it is at an address that the gateway does not call, which nothing reaches', async () => {
    const opened = `127.0.0.1:${bench.mcp.port}`;
    for (const scheme of ['http', 'https']) {
      bench.challenge(`Bearer resource_metadata="${scheme}://127.0.0.1:${bench.issuer.port}/metadata"`);
      // Over http not even the URL is accepted.
      const expected =
        scheme === 'http' ? CHALLENGE_FAILED : [...RESOURCE_FAILED, 'protected_resource_metadata absent'];
      bench.mcp.onText(`${RESOURCE_PATH}/mcp`, CANARY, 404);
      expect(outcomes(await bench.discover({ opened }))).toEqual(expected);
    }
    expect(bench.issuer.log).toEqual([]);
  });

  test('when nobody answers there, and a server that is down is named as the reason', async () => {
    await bench.mcp.close();
    const report = await bench.discover();
    const failed = 'protected_resource_metadata failed';
    expect(outcomes(report)).toEqual(['challenge failed', failed, failed]);
    expect(report.problems[0]).toMatch(/^The MCP server cannot be reached/);
    bench.mcp.close = async () => undefined;
  });
});

describe('the metadata of an authorization server is refused', () => {
  test.each<[string, (issuer: string) => string]>([
    ['somebody else', () => `https://${CANARY}.example.com`],
    ['itself with two slashes', (issuer) => `${issuer}//`],
    ['itself in capitals', (issuer) => issuer.replace('http', 'HTTP')],
    ['itself at another port', (issuer) => issuer.replace(/\d+$/, '1')],
    ['itself by another name', (issuer) => issuer.replace('127.0.0.1', 'localhost')],
    ['itself with a path', (issuer) => `${issuer}/tenant`],
    ['itself with a space', (issuer) => `${issuer} `],
    ['nobody', () => ''],
  ])('when it says that it is of %s', async (_what, say) => {
    bench.serveIssuer({ issuer: say(bench.issuer.url) });
    const report = await bench.discover();
    expect(outcomes(report)).toEqual(ISSUER_FAILED);
    expect(report.problems).toEqual([expect.stringContaining('another issuer')]);
  });

  test('when the MCP server names it in another case than it has itself', async () => {
    bench.serveResource({ authorization_servers: [bench.issuer.url.replace('http', 'HTTP')] });
    expect(outcomes(await bench.discover())).toEqual(ISSUER_FAILED);
  });

  test.each(['/tenant', '/tenant/'])(
    'when it has a path, and a slash more or less than the server names',
    async (path) => {
      const issuer = `${bench.issuer.url}${path}`;
      bench.serveResource({ authorization_servers: [issuer] });
      bench.serveIssuer({ issuer: path.endsWith('/') ? issuer.slice(0, -1) : `${issuer}/` }, `${OAUTH_PATH}/tenant`);
      expect((await bench.discover()).problems).toEqual([expect.stringContaining('another issuer')]);
    },
  );

  const endpoints = ['authorization_endpoint', 'token_endpoint', 'revocation_endpoint', 'registration_endpoint'];
  test.each(endpoints.flatMap((name) => BAD_URLS.map(([what, url]) => [name, what, url] as const)))(
    'when its %s is %s',
    async (name, _what, url) => {
      // Nothing is how some servers write that they do not have an optional endpoint.
      if (url === '' && !['authorization_endpoint', 'token_endpoint'].includes(name)) return;
      bench.serveIssuer({ [name]: url });
      const report = await bench.discover();
      expect(outcomes(report)).toEqual(ISSUER_FAILED);
      expect(report.problems).toEqual([expect.stringContaining(`"${name}"`)]);
    },
  );

  test.each([
    ['has no authorization endpoint', { authorization_endpoint: undefined }],
    ['has no token endpoint', { token_endpoint: undefined }],
    ['has a list for an endpoint', { token_endpoint: [CANARY] }],
    ['does not list how it takes a code challenge', { code_challenge_methods_supported: undefined }],
    ['lists no S256', { code_challenge_methods_supported: ['plain', 's256', CANARY] }],
    ['has a number for the list of challenges', { code_challenge_methods_supported: 256 }],
    ['lists no code', { response_types_supported: ['token', 'code id_token', CANARY] }],
  ])('when it %s', async (_what, change) => {
    bench.serveIssuer(change);
    const report = await bench.discover();
    expect(outcomes(report)).toEqual(ISSUER_FAILED);
    expect(report.problems).toHaveLength(1);
  });

  test('with all of its problems at once', async () => {
    bench.serveIssuer({ token_endpoint: CANARY, registration_endpoint: CANARY, code_challenge_methods_supported: [] });
    expect((await bench.discover()).problems).toEqual([
      expect.stringContaining('"token_endpoint"'),
      expect.stringContaining('"registration_endpoint"'),
      expect.stringContaining('S256'),
    ]);
  });

  test.each(BROKEN)('when there is %s', async (_what, reason, listener) => {
    bench.issuer.on(OAUTH_PATH, listener);
    const report = await bench.discover();
    expect(outcomes(report)).toEqual(ISSUER_FAILED);
    expect(report.problems).toEqual([expect.stringMatching(reason)]);
  });

  test('when it does not arrive', async () => {
    bench.issuer.on(OAUTH_PATH, () => undefined);
    const report = await bench.discover({ timeoutMs: 1_500 });
    expect(outcomes(report)).toEqual(ISSUER_FAILED);
    expect(report.problems).toEqual([expect.stringMatching(/in time/)]);
  });

  test.each(NO_DOCUMENT)('as absent when there is %s, and the next place is asked', async (_what, reason, text) => {
    bench.issuer.onText(OAUTH_PATH, text);
    bench.serveIssuer({}, OPENID_PATH);
    const report = await bench.discover();
    expect(outcomes(report)).toContain('authorization_server_metadata absent');
    expect(report.steps[2]?.message).toMatch(reason);
    expect(report.provider).not.toBeNull();
  });

  test('when there is none at any place', async () => {
    bench.issuer.onText(OAUTH_PATH, CANARY, 410);
    const report = await bench.discover();
    expect(report.problems).toEqual([expect.stringContaining('no metadata')]);
    expect(bench.issuer.log).toEqual([`GET ${OAUTH_PATH}`, `GET ${OPENID_PATH}`]);
  });

  test('when it is at an address that the gateway does not call, which nothing reaches', async () => {
    const opened = `127.0.0.1:${bench.mcp.port}`;
    for (const scheme of ['http', 'https']) {
      bench.serveResource({ authorization_servers: [`${scheme}://127.0.0.1:${bench.issuer.port}`] });
      const report = await bench.discover({ opened });
      const barred = ISSUER_FAILED.map((outcome) => outcome.replace('absent', 'failed'));
      expect(outcomes(report)).toEqual(scheme === 'http' ? RESOURCE_FAILED : barred);
      expect(report.problems).toEqual([expect.stringContaining('GATEHOUSE_ALLOWED_PRIVATE_CIDRS')]);
    }
    expect(bench.issuer.log).toEqual([]);
  });
});
