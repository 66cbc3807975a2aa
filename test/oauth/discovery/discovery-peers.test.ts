import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import { registerClient } from '../../../src/domain/oauth/discovery/client-registration.ts';
import { discoverProvider } from '../../../src/domain/oauth/discovery/discover-provider.ts';
import { createPrivateHosts } from '../../../src/outbound/private-hosts.ts';
import { createSafeFetch } from '../../../src/outbound/safe-fetch.ts';
import { startAuthorizationServer, type TestAuthorizationServer } from '../../setup/authorization-server.ts';
import { type ProtectedMcpServer, startProtectedMcpServer } from '../../setup/protected-mcp-server.ts';

// Checks our reading of the specifications against servers written by others.

const ranges = readConfig({ GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8' }).allowedPrivateRanges;
const { fetch, close: closeFetch } = createSafeFetch({ ranges });

let issuer: TestAuthorizationServer;
let mcp: ProtectedMcpServer;

beforeAll(async () => {
  issuer = await startAuthorizationServer();
  mcp = await startProtectedMcpServer({ authorizationServer: issuer, scopes: ['mcp:tools'] });
});

afterAll(async () => {
  await mcp?.close();
  await issuer?.close();
  await closeFetch();
});

describe('a certified authorization server', () => {
  test('is found, and registers the gateway', async () => {
    const report = await discoverProvider({
      fetch,
      serverUrl: mcp.url,
      transport: 'streamable_http',
      isAllowedPrivateHost: createPrivateHosts(ranges).isAllowed,
    });
    expect(report.problems).toEqual([]);
    expect(report.provider).toMatchObject({
      resource: mcp.url,
      issuer: issuer.issuer,
      authorizationEndpoint: issuer.endpoints.authorization,
      tokenEndpoint: issuer.endpoints.token,
      revocationEndpoint: issuer.endpoints.revocation,
      registrationEndpoint: issuer.endpoints.registration,
      isIssParameterSupported: true,
      scopes: ['mcp:tools', 'offline_access'],
    });
    const { provider } = report;
    if (provider === null) throw new Error('nothing was found');

    const client = await registerClient({
      fetch,
      registrationEndpoint: provider.registrationEndpoint,
      redirectUri: 'http://localhost:4000/callback',
      clientName: 'Gatehouse',
      clientUri: 'http://localhost:4000',
      tokenAuthMethods: provider.tokenAuthMethods,
      scopes: provider.scopes,
    });
    expect(client).toMatchObject({ clientId: expect.any(String), tokenAuthMethod: 'client_secret_basic' });
    expect(client.clientSecret?.expose()).toMatch(/^[\x21-\x7e]{20,}$/);
  });
});
