import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { OIDC_CLIENT_ID, startOidcProvider, type TestOidcProvider } from '../setup/oidc-provider.ts';
import { createOidcSigner } from '../setup/oidc-signer.ts';
import { AUDIENCE } from '../setup/oidc-verifier.ts';

const VIEWER = '{ viewer { id email role } }';
const CREATE = `mutation { createMcpServerConfig(input: { displayName: "A", slug: "a", url: "https://a.example" }) { id } }`;
const SUSPEND = 'mutation ($id: UUID!) { updateUser(id: $id, patch: { status: SUSPENDED }) { status } }';

let gateway: TestGateway;
let provider: TestOidcProvider;

beforeAll(async () => {
  provider = await startOidcProvider([await createOidcSigner()]);
  gateway = await createTestGateway({
    env: {
      GATEHOUSE_OIDC_ISSUER: provider.issuer,
      GATEHOUSE_OIDC_AUDIENCE: AUDIENCE,
      GATEHOUSE_OIDC_ROLE_CLAIM: 'https://claims.example/role',
    },
  });
});

afterAll(async () => {
  await gateway?.close();
  await provider?.close();
});

function issueToken(role?: string): Promise<string> {
  return provider.issueToken({ audience: AUDIENCE, claims: { 'https://claims.example/role': role } });
}

test("a provider's token gives access to the graph with its role", async () => {
  // First the higher role: of two tokens of the same second, the lower role counts.
  expect((await gateway.graphql(CREATE, { token: await issueToken('admin') })).errors).toBeUndefined();
  const member = await gateway.graphql(VIEWER, { token: await issueToken() });
  expect(member.data).toMatchObject({ viewer: { email: `${OIDC_CLIENT_ID}@127.0.0.1`, role: 'MEMBER' } });
  expect((await gateway.graphql(CREATE, { token: await issueToken() })).errors).toMatchObject([
    { extensions: { code: 'FORBIDDEN' } },
  ]);
});

test('a token and its session end with the user', async () => {
  const token = await issueToken();
  const opened = await gateway.fetch('/auth/session', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  const cookie = opened.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const bySession = { headers: { cookie, 'sec-fetch-site': 'same-origin' } };
  const { data } = await gateway.graphql(VIEWER, bySession);
  expect(data).toMatchObject({ viewer: { role: 'MEMBER' } });
  await gateway.graphql(SUSPEND, { token: gateway.tokens.admin, variables: { id: data.viewer.id } });
  for (const options of [{ token }, bySession]) {
    expect((await gateway.graphql(VIEWER, options)).errors).toMatchObject([
      { extensions: { code: 'UNAUTHENTICATED' } },
    ]);
  }
});

test('no token, and no part of one, is in the log', async () => {
  const token = await issueToken();
  await gateway.graphql(VIEWER, { token });
  await gateway.graphql(VIEWER, { token: `${token}x` });
  for (const part of token.split('.')) expect(gateway.logs()).not.toContain(part);
  expect(gateway.logs()).toContain('"request"');
});
