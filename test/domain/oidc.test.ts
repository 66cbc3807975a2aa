import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OidcVerifier } from '../../src/domain/credentials/oidc.ts';
import { NOBODY } from '../../src/policy/viewer.ts';
import { OIDC_CLIENT_ID, startOidcProvider, type TestOidcProvider } from '../setup/oidc-provider.ts';
import { createOidcSigner, type OidcSigner } from '../setup/oidc-signer.ts';
import { AUDIENCE, COOLDOWN_MS, type OidcBench, openOidcBench } from '../setup/oidc-verifier.ts';

const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];

let bench: OidcBench;
let provider: TestOidcProvider;
let verify: OidcVerifier;

beforeAll(async () => {
  bench = await openOidcBench();
  provider = await startOidcProvider(await createSigners('first'));
  verify = bench.verifier({ issuer: provider.issuer });
});

afterAll(async () => {
  await provider?.close();
  await bench?.close();
});

function createSigners(name: string): Promise<OidcSigner[]> {
  return Promise.all(ALGORITHMS.map((alg) => createOidcSigner(alg, `${name}-${alg}`)));
}

describe('with the tokens of a certified provider', () => {
  test('the bearer is the user named by the token, until it expires', async () => {
    const token = await provider.issueToken({ audience: AUDIENCE, claims: { gatehouse_role: 'auditor' } });
    const [, payload] = token.split('.');
    const { exp } = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()) as { exp: number };
    const viewer = await verify(token);
    expect(viewer).toEqual({
      kind: 'user',
      userId: expect.any(String),
      role: 'auditor',
      credential: { kind: 'oidc', expiresAt: new Date(exp * 1_000) },
    });
    const { rows } = await bench.listUsers();
    expect(rows).toMatchObject([{ role: 'auditor', status: 'active', email: `${OIDC_CLIENT_ID}@127.0.0.1` }]);
    expect(viewer).toMatchObject({ userId: rows[0]?.id });
  });

  test.each(ALGORITHMS)('a token signed with %s is valid', async (alg) => {
    expect(await verify(await provider.issueToken({ audience: AUDIENCE, alg }))).toMatchObject({ kind: 'user' });
  });

  test('a token for another audience is refused', async () => {
    expect(await verify(await provider.issueToken({ audience: 'https://elsewhere.example' }))).toEqual(NOBODY);
  });

  test('a token with an algorithm that is not pinned is refused, even if the provider signed it', async () => {
    const extra = await createOidcSigner('ES512', 'es512');
    const other = await startOidcProvider([extra, ...(await createSigners('other'))]);
    try {
      const token = await other.issueToken({ audience: AUDIENCE, alg: 'ES512' });
      expect(await bench.verifier({ issuer: other.issuer })(token)).toEqual(NOBODY);
      const pinned = await other.issueToken({ audience: AUDIENCE, alg: 'ES256' });
      expect(await bench.verifier({ issuer: other.issuer })(pinned)).toMatchObject({ kind: 'user' });
    } finally {
      await other.close();
    }
  });

  test('after the cooldown a token signed with a new key is accepted, and one of the old key refused', async () => {
    const old = await provider.issueToken({ audience: AUDIENCE });
    expect(await verify(old)).toMatchObject({ kind: 'user' });
    await provider.rotateTo(await createSigners('second'));
    const fresh = await provider.issueToken({ audience: AUDIENCE });
    bench.clock.advance(COOLDOWN_MS);
    expect(await verify(fresh)).toMatchObject({ kind: 'user' });
    expect(await verify(old)).toEqual(NOBODY);
  });
});
