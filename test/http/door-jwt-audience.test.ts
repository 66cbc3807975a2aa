import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestGateway, TEST_PUBLIC_URL, type TestGateway } from '../setup/gateway.ts';
import { startOidcProvider, type TestOidcProvider } from '../setup/oidc-provider.ts';
import { createOidcSigner } from '../setup/oidc-signer.ts';

const API = 'https://gatehouse.example.com/api';
const DOOR = `${TEST_PUBLIC_URL}/mcp`;

let gateway: TestGateway;
let provider: TestOidcProvider;

beforeAll(async () => {
  provider = await startOidcProvider([await createOidcSigner()]);
  gateway = await createTestGateway({
    env: { GATEHOUSE_OIDC_ISSUER: provider.issuer, GATEHOUSE_OIDC_AUDIENCE: API },
  });
  const slug = 'shown';
  const input = `{ displayName: "A", slug: "${slug}", url: "https://a.example", enabled: true }`;
  await gateway.graphql(`mutation { createMcpServerConfig(input: ${input}) { id } }`, { token: gateway.tokens.admin });
});
afterAll(async () => {
  await gateway?.close();
  await provider?.close();
});

const statusAt = async (path: string, audience: string): Promise<number> => {
  const token = await provider.issueToken({ audience });
  const isGraph = path === '/graphql';
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };
  const response = await gateway.fetch(path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify(isGraph ? { query: '{ viewer { id } }' } : message),
  });
  const text = await response.text();
  return isGraph && text.includes('UNAUTHENTICATED') ? 401 : response.status;
};

test.each([
  ['/mcp', DOOR, 200],
  ['/mcp/servers/shown', DOOR, 200],
  ['/mcp/servers/shown', `${DOOR}/servers/shown`, 200],
  ['/graphql', API, 200],
  // A token that an IDE got for one door is not one for others, nor for the rest of the gateway.
  ['/mcp', `${DOOR}/servers/shown`, 401],
  ['/mcp/servers/other', `${DOOR}/servers/shown`, 401],
  ['/mcp/servers/shown', `${DOOR}/servers`, 401],
  ['/graphql', DOOR, 401],
  // And the other way round.
  ['/mcp', API, 401],
  ['/mcp/servers/shown', API, 401],
  ['/mcp', TEST_PUBLIC_URL, 401],
  ['/mcp', `${DOOR}/`, 401],
  ['/mcp', 'https://elsewhere.example.com/mcp', 401],
])('at %s, a token for %s gets %i', async (path, audience, status) => {
  expect(await statusAt(path, audience)).toBe(status);
});

test('the metadata names the issuer, and the audience that a token needs', async () => {
  const response = await gateway.fetch('/.well-known/oauth-protected-resource/mcp/servers/shown');
  const { resource, authorization_servers: issuers } = (await response.json()) as any;
  expect(issuers).toEqual([provider.issuer]);
  expect(await statusAt('/mcp/servers/shown', resource)).toBe(200);
});

test('an issuer that is only for browsers is not named: its tokens open no door', async () => {
  const env = { GATEHOUSE_OIDC_ISSUER: provider.issuer, GATEHOUSE_OIDC_CLIENT_ID: 'gatehouse' };
  const browsersOnly = await createTestGateway({ env });
  try {
    for (const path of ['/mcp', '/mcp/servers/shown']) {
      const metadata = await browsersOnly.fetch(`/.well-known/oauth-protected-resource${path}`);
      expect(await metadata.json()).toEqual({
        resource: `${TEST_PUBLIC_URL}${path}`,
        resource_name: 'Gatehouse',
        bearer_methods_supported: ['header'],
      });
    }
    const headers = {
      authorization: `Bearer ${await provider.issueToken({ audience: DOOR })}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });
    const refused = await browsersOnly.fetch('/mcp', { method: 'POST', headers, body });
    expect(refused.status).toBe(401);
  } finally {
    await browsersOnly.close();
  }
});
