import type { RequestListener } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isSameIssuer } from '../../../src/domain/oauth/discovery/issuer-identifier.ts';
import { limitFetch } from '../../../src/domain/oauth/discovery/limited-fetch.ts';
import { type HandmadeServer, startHandmadeServer } from '../../setup/handmade-server.ts';
import {
  CANARY,
  type DiscoveryBench,
  OAUTH_PATH,
  OPENID_PATH,
  openDiscoveryBench,
  outcomes,
  RESOURCE_PATH,
} from './discovery-bench.ts';

let bench: DiscoveryBench;
let second: HandmadeServer;
beforeEach(async () => {
  bench = await openDiscoveryBench();
  second = await startHandmadeServer();
});
afterEach(async () => {
  await bench?.close();
  await second?.close();
});

const text = (body: string, status = 200): RequestListener => {
  return (_request, response) => response.writeHead(status, { 'content-type': 'text/html' }).end(body);
};

/** What a place may answer instead of a document. */
const FAULTS: [string, RequestListener][] = [
  ['404', text('', 404)],
  ['401', text(CANARY, 401)],
  ['403', text(CANARY, 403)],
  ['500', text(CANARY, 500)],
  ['503', text(CANARY, 503)],
  ['a page', text(`<!doctype html><title>${CANARY}</title>`)],
  ['invalid JSON', text(`{"${CANARY}"`)],
  ['no fields', text('{}')],
  ['a redirect', (_request, response) => response.writeHead(302, { location: '/' }).end()],
  ['300 KB', text('x'.repeat(300_000))],
  ['half an answer', (_request, response) => void response.write('{', () => response.destroy())],
];

describe('the next place is asked', () => {
  test.each(FAULTS)("when the metadata of the server's path is %s", async (_what, fault) => {
    bench.mcp.on(`${RESOURCE_PATH}/mcp`, fault);
    bench.serveResource({}, RESOURCE_PATH);
    expect((await bench.discover()).provider?.resource).toBe(bench.serverUrl);
  });

  test.each(FAULTS)('when the metadata that the challenge names is %s', async (_what, fault) => {
    bench.challenge(`Bearer resource_metadata="${bench.mcp.url}/announced"`);
    bench.mcp.on('/announced', fault);
    expect((await bench.discover()).provider?.resource).toBe(bench.serverUrl);
  });

  test.each<[string, Record<string, unknown>]>([
    ['is of another resource', { resource: 'https://other.example.com/mcp' }],
    ['names no authorization server', { authorization_servers: undefined }],
    ['has an empty list of authorization servers', { authorization_servers: [] }],
    ['names one that the gateway does not accept', { authorization_servers: ['ftp://x.example.com'] }],
  ])("when the metadata of the server's path %s", async (_what, change) => {
    bench.serveResource(change);
    bench.serveResource({ resource: `${bench.mcp.url}/` }, RESOURCE_PATH);
    expect((await bench.discover()).provider).toMatchObject({
      resource: `${bench.mcp.url}/`,
      issuer: bench.issuer.url,
    });
  });

  test('but the metadata at the root must be of this server, too', async () => {
    bench.serveResource({ authorization_servers: [] });
    bench.serveResource({ resource: `${bench.mcp.url}/other` }, RESOURCE_PATH);
    const report = await bench.discover();
    expect(report.provider).toBeNull();
    expect(report.problems).toEqual([
      expect.stringContaining('names no authorization server'),
      expect.stringContaining('another resource'),
    ]);
  });

  test.each(FAULTS)('when the OAuth document of an authorization server is %s', async (_what, fault) => {
    bench.issuer.on(OAUTH_PATH, fault);
    bench.serveIssuer({}, OPENID_PATH);
    expect((await bench.discover()).provider?.issuer).toBe(bench.issuer.url);
  });

  test.each<[string, Record<string, unknown>]>([
    ['has no code challenge methods', { code_challenge_methods_supported: undefined }],
    ['has no token endpoint', { token_endpoint: undefined }],
    ['is of another issuer', { issuer: 'https://other.example.com' }],
    ['has an endpoint that the gateway does not accept', { registration_endpoint: 'http://10.0.0.7/' }],
  ])('when the OAuth document %s, and nothing of it is used', async (_what, change) => {
    bench.serveIssuer({ registration_endpoint: 'https://first.example.com/register', ...change });
    bench.serveIssuer({}, OPENID_PATH);
    const { provider } = await bench.discover();
    expect(provider).toMatchObject({ issuer: bench.issuer.url, registrationEndpoint: '' });
  });
});

describe('the next authorization server is asked', () => {
  test.each<[string, () => string]>([
    ['cannot be used as a URL', () => 'http://10.0.0.7'],
    ['has no metadata', () => second.url],
    ['is at an address that the gateway does not call', () => 'https://10.0.0.7'],
  ])('when the first %s', async (_what, first) => {
    bench.serveResource({ authorization_servers: [first(), bench.issuer.url] });
    expect((await bench.discover()).provider?.issuer).toBe(bench.issuer.url);
  });

  test('when the first one has metadata of another issuer, even if that is the next', async () => {
    second.onJson(OAUTH_PATH, { issuer: bench.issuer.url, token_endpoint: `${second.url}/token` });
    bench.serveResource({ authorization_servers: [second.url, bench.issuer.url] });
    expect((await bench.discover()).provider?.tokenEndpoint).toBe(`${bench.issuer.url}/token`);
  });

  test('but not the fourth, and each once', async () => {
    const [a, b, c] = ['/a', '/b', '/c'].map((path) => `${second.url}${path}`);
    bench.serveResource({ authorization_servers: [a, a, b, c, bench.issuer.url] });
    const report = await bench.discover();
    expect(report.provider).toBeNull();
    expect(second.log).toHaveLength(9);
    expect(bench.issuer.log).toEqual([]);
    expect(report.steps).toHaveLength(11);
  });

  test('or as a text instead of a list', async () => {
    bench.serveResource({ authorization_servers: bench.issuer.url, scopes_supported: 'a b' });
    expect((await bench.discover()).provider).toMatchObject({ issuer: bench.issuer.url, scopes: ['a', 'b'] });
  });
});

describe('a server without resource metadata', () => {
  beforeEach(() => bench.mcp.onText(`${RESOURCE_PATH}/mcp`, 'nothing', 404));

  const serveOrigin = (change: Record<string, unknown> = {}) =>
    bench.mcp.onJson(OAUTH_PATH, {
      issuer: bench.mcp.url,
      authorization_endpoint: `${bench.mcp.url}/login`,
      token_endpoint: `${bench.mcp.url}/oauth/token`,
      code_challenge_methods_supported: ['S256'],
      scopes_supported: ['offline_access'],
      ...change,
    });

  test('is its own authorization server if its origin says so', async () => {
    serveOrigin();
    bench.challenge('Bearer scope="read"');
    expect((await bench.discover()).provider).toMatchObject({
      issuer: bench.mcp.url,
      resource: '',
      authorizationEndpoint: `${bench.mcp.url}/login`,
      scopes: ['read', 'offline_access'],
      isAssumed: false,
    });
  });

  test('has the default endpoints if its origin says nothing and the server asks for a token', async () => {
    const report = await bench.discover();
    expect(report.provider).toMatchObject({
      issuer: bench.mcp.url,
      resource: '',
      authorizationEndpoint: `${bench.mcp.url}/authorize`,
      tokenEndpoint: `${bench.mcp.url}/token`,
      registrationEndpoint: `${bench.mcp.url}/register`,
      isIssParameterSupported: false,
      isAssumed: true,
    });
    expect(outcomes(report).at(-1)).toBe('authorization_server_metadata found');
  });

  test('has none if it does not ask for a token', async () => {
    bench.mcp.onText('/mcp', '{}');
    expect((await bench.discover()).provider).toBeNull();
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['is of another issuer', { issuer: 'https://other.example.com' }, /another issuer/],
    ['has no PKCE', { code_challenge_methods_supported: undefined }, /S256/],
    ['has no token endpoint', { token_endpoint: undefined }, /"token_endpoint"/],
  ])('is refused, without default endpoints, if the metadata at its origin %s', async (_what, change, problem) => {
    serveOrigin(change);
    const report = await bench.discover();
    expect(report.provider).toBeNull();
    expect(report.problems.join(' ')).toMatch(problem);
  });

  test.each([500, 503])('is not asked for more if a place answers %i: the metadata may be there', async (status) => {
    bench.mcp.onText(RESOURCE_PATH, CANARY, status);
    serveOrigin();
    expect((await bench.discover()).provider).toBeNull();
    expect(bench.mcp.log).not.toContain(`GET ${OAUTH_PATH}`);
  });

  test('is not asked for more if its metadata is of another resource or names no authorization server', async () => {
    serveOrigin();
    for (const change of [{ resource: 'https://other.example.com/' }, { authorization_servers: [] }]) {
      bench.serveResource(change);
      expect((await bench.discover()).provider).toBeNull();
    }
    expect(bench.mcp.log).not.toContain(`GET ${OAUTH_PATH}`);
  });
});

describe('an issuer', () => {
  test.each([
    ['', '/'],
    ['/', ''],
  ])('that is an origin with %j is found as one with %j, and kept as it writes itself', async (named, own) => {
    bench.serveResource({ authorization_servers: [`${bench.issuer.url}${named}`] });
    bench.serveIssuer({ issuer: `${bench.issuer.url}${own}` });
    expect((await bench.discover()).provider?.issuer).toBe(`${bench.issuer.url}${own}`);
  });

  test.each([
    ['https://a.example', 'https://a.example/', true],
    ['https://a.example:8443/', 'https://a.example:8443', true],
    ['https://a.example', 'https://a.example', true],
    ['https://a.example/t', 'https://a.example/t', true],
    ['https://a.example/t', 'https://a.example/t/', false],
    ['https://a.example', 'https://a.example//', false],
    ['https://a.example', 'https://A.example', false],
    ['https://a.example', 'http://a.example/', false],
    ['https://a.example', 'https://a.example.evil/', false],
    ['https://a.example', 'https://a.example/?', false],
    ['', '/', false],
    ['urn:a', 'urn:a/', false],
  ])('%s and %s: the same? %s', (one, other, isSame) => {
    expect(isSameIssuer(one, other)).toBe(isSame);
    expect(isSameIssuer(other, one)).toBe(isSame);
  });
});

describe('the requests of one discovery', () => {
  const answer = async () => new Response();

  test('are limited in number', async () => {
    const fetch = limitFetch(answer, { maxRequests: 2, maxMs: 1_000 });
    await fetch('https://a.example');
    await fetch('https://a.example');
    await expect(fetch('https://a.example')).rejects.toMatchObject({ failure: 'timeout' });
  });

  test('are limited in time, from the first on', async () => {
    let now = 5_000;
    const fetch = limitFetch(answer, { maxRequests: 9, maxMs: 1_000 }, () => now);
    await fetch('https://a.example');
    now += 1_000;
    await fetch('https://a.example');
    now += 1;
    await expect(fetch('https://a.example')).rejects.toMatchObject({ failure: 'timeout' });
  });
});
