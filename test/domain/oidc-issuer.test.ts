// On the embedded database: it stores nothing.

import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { toHostRange } from '../../src/outbound/private-ranges.ts';
import { createSafeFetch } from '../../src/outbound/safe-fetch.ts';
import { NOBODY } from '../../src/policy/viewer.ts';
import { type HandmadeIssuer, JWKS_PATH, METADATA_PATH, startHandmadeIssuer } from '../setup/oidc-issuer.ts';
import { createOidcSigner, type OidcSigner } from '../setup/oidc-signer.ts';
import { AUDIENCE, COOLDOWN_MS, type OidcBench, openOidcBench } from '../setup/oidc-verifier.ts';

const OAUTH_METADATA_PATH = '/.well-known/oauth-authorization-server';
const MINUTE_MS = 60_000;

let bench: OidcBench;
let signer: OidcSigner;
let issuer: HandmadeIssuer;

beforeAll(async () => {
  bench = await openOidcBench();
  signer = await createOidcSigner();
});

afterAll(() => bench?.close());

beforeEach(async () => {
  issuer = await startHandmadeIssuer();
  bench.reports.length = 0;
});

afterEach(() => issuer.close());

/** A token with valid claims. */
function tokenOf(iss: string, by = signer): Promise<string> {
  const exp = Math.floor(bench.clock.now.getTime() / 1_000) + 3_600;
  return by.sign({ iss, aud: AUDIENCE, sub: 'lovelace', exp });
}

describe('finding the keys', () => {
  test('fetches metadata and keys once for any number of concurrent tokens', async () => {
    issuer.serve([signer]);
    const verify = bench.verifier({ issuer: issuer.url });
    expect(issuer.requests).toEqual([]);
    const token = await tokenOf(issuer.url);
    const viewers = await Promise.all(Array.from({ length: 10 }, () => verify(token)));
    expect(viewers).not.toContainEqual(NOBODY);
    expect(issuer.requests).toEqual([METADATA_PATH, JWKS_PATH]);
  });

  // modelcontextprotocol/python-sdk#3531: firewalls refuse requests without a User-Agent.
  test('says in every request who asks', async () => {
    const names: unknown[] = [];
    const serve = (path: string, body: object) =>
      issuer.on(path, (request, response) => {
        names.push(request.headers['user-agent']);
        response.end(JSON.stringify(body));
      });
    serve(METADATA_PATH, { issuer: issuer.url, jwks_uri: `${issuer.url}${JWKS_PATH}` });
    serve(JWKS_PATH, { keys: [signer.publicJwk] });
    expect(await bench.verifier({ issuer: issuer.url })(await tokenOf(issuer.url))).toMatchObject({ kind: 'user' });
    const name = expect.stringMatching(/^Gatehouse\/\d/);
    expect(names).toEqual([name, name]);
  });

  test('uses the OAuth metadata if there is no OpenID metadata', async () => {
    issuer.onJson(OAUTH_METADATA_PATH, { issuer: issuer.url, jwks_uri: `${issuer.url}${JWKS_PATH}` });
    issuer.onJson(JWKS_PATH, { keys: [signer.publicJwk] });
    expect(await bench.verifier({ issuer: issuer.url })(await tokenOf(issuer.url))).toMatchObject({ kind: 'user' });
    expect(issuer.requests).toEqual([METADATA_PATH, OAUTH_METADATA_PATH, JWKS_PATH]);
  });

  test.each([
    ['/tenant', '/tenant/.well-known/openid-configuration'],
    ['/tenant/', '/tenant/.well-known/openid-configuration'],
    ['/tenant', '/.well-known/oauth-authorization-server/tenant'],
  ])('for an issuer with the path %s requests the metadata at %s', async (path, metadataPath) => {
    const withPath = `${issuer.url}${path}`;
    issuer.onJson(metadataPath, { issuer: withPath, jwks_uri: `${issuer.url}${JWKS_PATH}` });
    issuer.onJson(JWKS_PATH, { keys: [signer.publicJwk] });
    expect(await bench.verifier({ issuer: withPath })(await tokenOf(withPath))).toMatchObject({ kind: 'user' });
  });

  test('sends no request for a token of another issuer', async () => {
    issuer.serve([signer]);
    expect(await bench.verifier({ issuer: issuer.url })(await tokenOf('https://other.example'))).toEqual(NOBODY);
    expect(issuer.requests).toEqual([]);
  });

  test('is refused immediately for an issuer without TLS', () => {
    expect(() => bench.verifier({ issuer: 'http://issuer.example' })).toThrow(RangeError);
    expect(() => bench.verifier({ issuer: 'ftp://127.0.0.1' })).toThrow(RangeError);
  });
});

describe('a faulty issuer', () => {
  const cases: [string, RegExp, () => void][] = [
    ['metadata of another issuer', /another issuer/, () => serveMetadata({ issuer: `${issuer.url}/` })],
    ['metadata without an issuer', /another issuer/, () => serveMetadata({ issuer: undefined })],
    ['metadata without keys', /no jwks_uri/, () => serveMetadata({ jwks_uri: undefined })],
    ['keys without TLS', /does not use https/, () => serveMetadata({ jwks_uri: 'http://keys.example/keys' })],
    ['keys that are elsewhere', /responded with a redirect/, () => redirect(JWKS_PATH)],
    ['metadata that is elsewhere', /responded with a redirect/, () => redirect(METADATA_PATH)],
    ['metadata of more than 256 KB', /more than 262144 bytes/, () => serveMetadata({ padding: 'x'.repeat(300_000) })],
    ['metadata that is no JSON', /JSON object/, () => answer('<html>private words</html>')],
    ['metadata that is no object', /JSON object/, () => answer('["private words"]')],
    ['keys that are no key set', /JSON Web Key Set/, () => issuer.onJson(JWKS_PATH, { keys: 'private words' })],
    ['no metadata', /openid-configuration answered 404.*oauth-authorization-server answered 404/, forget],
    ['an error', /answered 500/, () => answer('private words', 500)],
    ['half an answer', /failed/, () => issuer.on(METADATA_PATH, (_request, response) => response.destroy())],
  ];

  function serveMetadata(change: Record<string, unknown>): void {
    issuer.onJson(METADATA_PATH, { issuer: issuer.url, jwks_uri: `${issuer.url}${JWKS_PATH}`, ...change });
  }

  /** The redirect leads to a valid answer, which must not be used. */
  function redirect(path: string): void {
    const honest: Record<string, unknown> = {
      [METADATA_PATH]: { issuer: issuer.url, jwks_uri: `${issuer.url}${JWKS_PATH}` },
      [JWKS_PATH]: { keys: [signer.publicJwk] },
    };
    issuer.onJson('/elsewhere', honest[path]);
    issuer.on(path, (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end());
  }

  function answer(text: string, status = 200): void {
    issuer.on(METADATA_PATH, (_request, response) => response.writeHead(status).end(text));
  }

  function forget(): void {
    answer('', 404);
  }

  test.each(cases)('%s: the caller is unauthenticated, and the reason is reported', async (_name, reason, spoil) => {
    issuer.serve([signer]);
    spoil();
    expect(await bench.verifier({ issuer: issuer.url })(await tokenOf(issuer.url))).toEqual(NOBODY);
    expect(bench.reports).toHaveLength(1);
    expect(bench.reports[0]).toMatch(reason);
    expect(bench.reports[0]).not.toMatch(/private words|lovelace/);
  });

  test('no answer: the request times out, the caller is unauthenticated', async () => {
    const closed: Promise<unknown>[] = [];
    issuer.on(METADATA_PATH, (_request, response) => {
      closed.push(once(response, 'close'));
      // The beginning of an answer without an end: the timeout must cover the body too.
      response.writeHead(200).write('{');
    });
    const outbound = createSafeFetch({ ranges: [toHostRange(new URL(issuer.url))], timeoutMs: 200 });
    const verify = bench.verifier({ issuer: issuer.url, fetch: outbound.fetch });
    expect(await verify(await tokenOf(issuer.url))).toEqual(NOBODY);
    expect(bench.reports).toEqual([expect.stringMatching(/\(timeout\)/)]);
    await Promise.all(closed);
    await outbound.close();
  });

  test('a key that is too weak: the caller is unauthenticated, and the operator learns why', async () => {
    issuer.serve([signer]);
    issuer.onJson(JWKS_PATH, { keys: [{ kty: 'RSA', kid: signer.kid, alg: 'RS256', n: 'AQAB', e: 'AQAB' }] });
    const verify = bench.verifier({ issuer: issuer.url });
    // Anybody can send such tokens: they cannot fill the log.
    for (let attempt = 0; attempt < 3; attempt += 1) expect(await verify(await tokenOf(issuer.url))).toEqual(NOBODY);
    expect(bench.reports).toEqual([expect.stringMatching(/cannot be used/)]);
  });
});

describe('the issuer is not flooded with requests', () => {
  test('by tokens with unknown key ids', async () => {
    issuer.serve([signer]);
    const verify = bench.verifier({ issuer: issuer.url });
    expect(await verify(await tokenOf(issuer.url))).toMatchObject({ kind: 'user' });
    const unknown = await Promise.all(
      Array.from({ length: 5 }, async (_, index) =>
        tokenOf(issuer.url, await createOidcSigner('ES256', `made-up-${index}`)),
      ),
    );
    for (const token of unknown) expect(await verify(token)).toEqual(NOBODY);
    expect(issuer.count(JWKS_PATH)).toBe(1);
    bench.clock.advance(COOLDOWN_MS);
    for (const token of unknown) expect(await verify(token)).toEqual(NOBODY);
    expect(issuer.count(JWKS_PATH)).toBe(2);
    expect(await verify(await tokenOf(issuer.url))).toMatchObject({ kind: 'user' });
  });

  test('while it is down; it is tried again after the cooldown', async () => {
    const verify = bench.verifier({ issuer: issuer.url });
    for (let call = 0; call < 5; call += 1) expect(await verify(await tokenOf(issuer.url))).toEqual(NOBODY);
    expect(issuer.count(METADATA_PATH)).toBe(1);
    expect(bench.reports).toHaveLength(1);
    issuer.serve([signer]);
    bench.clock.advance(COOLDOWN_MS - 1);
    expect(await verify(await tokenOf(issuer.url))).toEqual(NOBODY);
    bench.clock.advance(1);
    expect(await verify(await tokenOf(issuer.url))).toMatchObject({ kind: 'user' });
  });

  test('and a clock that is set back does not lock it out', async () => {
    const verify = bench.verifier({ issuer: issuer.url });
    expect(await verify(await tokenOf(issuer.url))).toEqual(NOBODY);
    issuer.serve([signer]);
    bench.clock.advance(-24 * 60 * MINUTE_MS);
    expect(await verify(await tokenOf(issuer.url))).toMatchObject({ kind: 'user' });
  });
});

describe('keys in memory', () => {
  test('work through a short outage, but not through a long one', async () => {
    issuer.serve([signer]);
    let report: (message: string) => void = () => undefined;
    const reported = new Promise<string>((resolve) => {
      report = resolve;
    });
    const verify = bench.verifier({ issuer: issuer.url, onError: (error) => report(error.message) });
    expect(await verify(await tokenOf(issuer.url))).toMatchObject({ kind: 'user' });
    issuer.on(METADATA_PATH, (_request, response) => response.writeHead(503).end());
    bench.clock.advance(14 * MINUTE_MS);
    expect(await verify(await tokenOf(issuer.url))).toMatchObject({ kind: 'user' });
    expect(await reported).toMatch(/answered 503/);
    bench.clock.advance(MINUTE_MS);
    expect(await verify(await tokenOf(issuer.url))).toEqual(NOBODY);
  });

  test('that the issuer withdrew stop working', async () => {
    const next = await createOidcSigner('ES256', 'next');
    issuer.serve([signer]);
    const verify = bench.verifier({ issuer: issuer.url });
    const token = await tokenOf(issuer.url);
    expect(await verify(token)).toMatchObject({ kind: 'user' });
    issuer.serve([next]);
    bench.clock.advance(15 * MINUTE_MS);
    expect(await verify(token)).toEqual(NOBODY);
    expect(await verify(await tokenOf(issuer.url, next))).toMatchObject({ kind: 'user' });
  });

  test("are fetched again from the issuer's current address", async () => {
    issuer.serve([signer]);
    const verify = bench.verifier({ issuer: issuer.url });
    await verify(await tokenOf(issuer.url));
    const next = await createOidcSigner('ES256', 'moved');
    issuer.onJson(METADATA_PATH, { issuer: issuer.url, jwks_uri: `${issuer.url}/moved` });
    issuer.onJson('/moved', { keys: [next.publicJwk] });
    bench.clock.advance(COOLDOWN_MS);
    expect(await verify(await tokenOf(issuer.url, next))).toMatchObject({ kind: 'user' });
  });
});
