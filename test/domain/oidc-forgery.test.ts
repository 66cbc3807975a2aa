// On the embedded database: it stores nothing.

import { createHmac } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OidcVerifier } from '../../src/domain/credentials/oidc.ts';
import { NOBODY } from '../../src/policy/viewer.ts';
import { type HandmadeIssuer, startHandmadeIssuer } from '../setup/oidc-issuer.ts';
import { createOidcSigner, type OidcSigner } from '../setup/oidc-signer.ts';
import { AUDIENCE, type OidcBench, openOidcBench } from '../setup/oidc-verifier.ts';

let bench: OidcBench;
let issuer: HandmadeIssuer;
let signer: OidcSigner;
let verify: OidcVerifier;

beforeAll(async () => {
  bench = await openOidcBench();
  issuer = await startHandmadeIssuer();
  signer = await createOidcSigner();
  issuer.serve([signer]);
  verify = bench.verifier({ issuer: issuer.url });
});

afterAll(async () => {
  await issuer?.close();
  await bench?.close();
});

const seconds = (offset = 0): number => Math.floor(bench.clock.now.getTime() / 1_000) + offset;

/** The claims of a valid token. */
const good = () => ({ iss: issuer.url, aud: AUDIENCE, sub: 'ada', exp: seconds(60), gatehouse_role: 'admin' });

test('the valid token that the forgeries are based on is accepted', async () => {
  expect(await verify(await signer.sign(good()))).toMatchObject({ kind: 'user', role: 'admin' });
  expect(await verify(await signer.sign({ ...good(), aud: ['https://other.example', AUDIENCE] }))).not.toEqual(NOBODY);
});

describe('an invalid signature', () => {
  test('none at all', async () => {
    expect(await verify(new UnsecuredJWT(good()).encode())).toEqual(NOBODY);
  });

  test.each(['none', 'None', 'NONE', ''])('the algorithm %o over a real signature', async (alg) => {
    const [, payload, signature] = (await signer.sign(good())).split('.');
    const header = Buffer.from(JSON.stringify({ alg, kid: signer.kid, typ: 'at+jwt' })).toString('base64url');
    expect(await verify(`${header}.${payload}.${signature}`)).toEqual(NOBODY);
  });

  test('HS256 with the public key as the secret', async () => {
    const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: signer.kid, typ: 'at+jwt' })).toString('base64url');
    const signed = `${header}.${Buffer.from(JSON.stringify(good())).toString('base64url')}`;
    for (const secret of [signer.publicPem, signer.publicPem.trim(), JSON.stringify(signer.publicJwk)]) {
      const signature = createHmac('sha256', secret).update(signed).digest('base64url');
      expect(await verify(`${signed}.${signature}`)).toEqual(NOBODY);
    }
  });

  test("another key under the issuer's key id", async () => {
    const thief = await createOidcSigner('RS256', signer.kid);
    expect(await verify(await thief.sign(good()))).toEqual(NOBODY);
  });

  test('a key that the token brings itself', async () => {
    const thief = await createOidcSigner('ES256', 'thief');
    const { importJWK } = await import('jose');
    const token = await new SignJWT(good())
      .setProtectedHeader({ alg: 'ES256', kid: 'thief', typ: 'at+jwt', jwk: thief.publicJwk })
      .sign(await importJWK(thief.privateJwk, 'ES256'));
    expect(await verify(token)).toEqual(NOBODY);
  });

  test('claims changed after signing', async () => {
    const [header, , signature] = (await signer.sign({ ...good(), gatehouse_role: 'member' })).split('.');
    const claims = Buffer.from(JSON.stringify(good())).toString('base64url');
    expect(await verify(`${header}.${claims}.${signature}`)).toEqual(NOBODY);
  });

  test.each(['a.b.c', '..', 'e30.e30.', 'eyJhbGciOiJSUzI1NiJ9.bnVsbA.AA', ' . . '])(
    'no JWT at all: %o',
    async (text) => {
      expect(await verify(text)).toEqual(NOBODY);
    },
  );
});

describe('claims that do not apply here and now', () => {
  test.each<[string, (claims: ReturnType<typeof good>) => Record<string, unknown>]>([
    ['another issuer', (claims) => ({ ...claims, iss: 'https://evil.example' })],
    ['the issuer with a slash more', (claims) => ({ ...claims, iss: `${claims.iss}/` })],
    ['no issuer', ({ iss: _, ...claims }) => claims],
    ['another audience', (claims) => ({ ...claims, aud: 'https://other.example' })],
    ['an audience that only begins alike', (claims) => ({ ...claims, aud: `${AUDIENCE}/more` })],
    ['no audience', ({ aud: _, ...claims }) => claims],
    ['expired', (claims) => ({ ...claims, exp: seconds(-31) })],
    ['no expiry', ({ exp: _, ...claims }) => claims],
    ['an expiry that is no time', (claims) => ({ ...claims, exp: 1e300 })],
    ['an expiry that is text', (claims) => ({ ...claims, exp: String(claims.exp) })],
    ['not good yet', (claims) => ({ ...claims, nbf: seconds(31) })],
    ['no subject', ({ sub: _, ...claims }) => claims],
    ['an empty subject', (claims) => ({ ...claims, sub: '' })],
    ['a subject that is no text', (claims) => ({ ...claims, sub: 7 })],
    ['a subject that cannot be stored', (claims) => ({ ...claims, sub: 'a\0b' })],
    ['a subject of 256 characters', (claims) => ({ ...claims, sub: 'a'.repeat(256) })],
  ])('%s', async (_name, change) => {
    const before = (await bench.listUsers()).rows;
    expect(await verify(await signer.sign(change(good())))).toEqual(NOBODY);
    expect((await bench.listUsers()).rows).toEqual(before);
  });

  test('clocks may differ by less than 30 seconds', async () => {
    expect(await verify(await signer.sign({ ...good(), exp: seconds(-29) }))).toMatchObject({ kind: 'user' });
    expect(await verify(await signer.sign({ ...good(), nbf: seconds(29) }))).toMatchObject({ kind: 'user' });
  });

  test('a token becomes invalid when it expires, even if it was accepted before', async () => {
    const token = await signer.sign(good());
    expect(await verify(token)).toMatchObject({ kind: 'user' });
    bench.clock.advance(91_000);
    expect(await verify(token)).toEqual(NOBODY);
  });
});

test.each(['at+jwt', 'application/at+jwt', 'AT+JWT', 'JWT', 'jwt', undefined])('the type %o is good', async (typ) => {
  expect(await verify(await signer.sign(good(), { typ }))).toMatchObject({ kind: 'user' });
});

test.each(['logout+jwt', 'dpop+jwt', 'secevent+jwt', 'at+jwt2', ''])('a token of type %o is refused', async (typ) => {
  expect(await verify(await signer.sign(good(), { typ }))).toEqual(NOBODY);
});

test('a forged token is not reported: nothing of it may reach the log', () => {
  expect(bench.reports).toEqual([]);
});
