import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
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

describe('a provider', () => {
  test('is found in three steps, with the defaults of RFC 8414 for missing fields', async () => {
    const report = await bench.discover();
    expect(report).toEqual({
      steps: [
        { name: 'challenge', url: bench.serverUrl, outcome: 'found', message: expect.any(String) },
        {
          name: 'protected_resource_metadata',
          url: `${bench.mcp.url}${RESOURCE_PATH}/mcp`,
          outcome: 'found',
          message: expect.any(String),
        },
        {
          name: 'authorization_server_metadata',
          url: `${bench.issuer.url}${OAUTH_PATH}`,
          outcome: 'found',
          message: expect.any(String),
        },
      ],
      provider: {
        resource: bench.serverUrl,
        issuer: bench.issuer.url,
        authorizationEndpoint: `${bench.issuer.url}/authorize`,
        tokenEndpoint: `${bench.issuer.url}/token`,
        revocationEndpoint: '',
        registrationEndpoint: '',
        isIssParameterSupported: false,
        tokenAuthMethods: ['client_secret_basic'],
        revocationAuthMethods: ['client_secret_basic'],
        scopes: [],
        isClientIdMetadataDocumentSupported: false,
        isAssumed: false,
      },
      problems: [],
    });
  });

  test('is found with all fields set', async () => {
    bench.serveIssuer({
      revocation_endpoint: `${bench.issuer.url}/revoke?tenant=1`,
      registration_endpoint: 'https://register.example.com/clients',
      token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
      revocation_endpoint_auth_methods_supported: ['client_secret_post'],
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
    });
    expect((await bench.discover()).provider).toMatchObject({
      revocationEndpoint: `${bench.issuer.url}/revoke?tenant=1`,
      registrationEndpoint: 'https://register.example.com/clients',
      tokenAuthMethods: ['none', 'private_key_jwt'],
      revocationAuthMethods: ['client_secret_post'],
      isIssParameterSupported: true,
      isClientIdMetadataDocumentSupported: true,
    });
  });

  test('is found if null stands for missing fields', async () => {
    bench.serveResource({ scopes_supported: null });
    bench.serveIssuer({ registration_endpoint: null, scopes_supported: null, response_types_supported: null });
    expect((await bench.discover()).provider).toMatchObject({ registrationEndpoint: '', scopes: [] });
  });

  test.each([
    ['the root', ''],
    ['the root with its slash', '/'],
    ['a folder', '/a'],
    ['a folder with its slash', '/a/'],
    ['the server', '/a/mcp'],
    ['the server with a slash', '/a/mcp/'],
  ])('is found for a resource that is %s, which is kept letter by letter', async (_what, path) => {
    bench.mcp.on('/a/mcp', (_request, response) => response.writeHead(401).end());
    const resource = `${bench.mcp.url}${path}`;
    bench.serveResource({ resource }, `${RESOURCE_PATH}/a/mcp`);
    const report = await bench.discover({ serverUrl: `${bench.mcp.url}/a/mcp` });
    expect(report.provider?.resource).toBe(resource);
  });
});

describe('the requests', () => {
  test('go in the order of MCP for an issuer without a path', async () => {
    bench.serveResource({}, RESOURCE_PATH);
    bench.mcp.onText(`${RESOURCE_PATH}/mcp`, 'nothing', 404);
    bench.issuer.onText(OAUTH_PATH, 'nothing', 404);
    bench.serveIssuer({}, OPENID_PATH);
    const report = await bench.discover();
    expect(report.provider).not.toBeNull();
    expect(bench.mcp.log).toEqual(['POST /mcp', `GET ${RESOURCE_PATH}/mcp`, `GET ${RESOURCE_PATH}`]);
    expect(bench.issuer.log).toEqual([`GET ${OAUTH_PATH}`, `GET ${OPENID_PATH}`]);
    expect(paths(report)).toEqual(['/mcp', `${RESOURCE_PATH}/mcp`, RESOURCE_PATH, OAUTH_PATH, OPENID_PATH]);
    expect(outcomes(report)).toEqual([
      'challenge found',
      'protected_resource_metadata absent',
      'protected_resource_metadata found',
      'authorization_server_metadata absent',
      'authorization_server_metadata found',
    ]);
  });

  test.each(['/tenant', '/tenant/'])('go in the order of MCP for an issuer with the path %s', async (path) => {
    const issuer = `${bench.issuer.url}${path}`;
    bench.serveResource({ authorization_servers: [issuer] });
    bench.serveIssuer({ issuer }, `/tenant${OPENID_PATH}`);
    expect((await bench.discover()).provider?.issuer).toBe(issuer);
    const order = [`GET ${OAUTH_PATH}/tenant`, `GET ${OPENID_PATH}/tenant`, `GET /tenant${OPENID_PATH}`];
    expect(bench.issuer.log).toEqual(order);
  });

  test('end with the first metadata found', async () => {
    const issuer = `${bench.issuer.url}/tenant`;
    bench.serveResource({ authorization_servers: [issuer, 'https://second.example.com'] });
    bench.serveIssuer({ issuer }, `${OPENID_PATH}/tenant`);
    bench.serveIssuer({ issuer }, `/tenant${OPENID_PATH}`);
    await bench.discover();
    expect(bench.mcp.log).toEqual(['POST /mcp', `GET ${RESOURCE_PATH}/mcp`]);
    expect(bench.issuer.log).toEqual([`GET ${OAUTH_PATH}/tenant`, `GET ${OPENID_PATH}/tenant`]);
  });

  test.each([
    ['with a query keep it', '/mcp?v=1', [`${RESOURCE_PATH}/mcp?v=1`, RESOURCE_PATH]],
    ['with a slash at the end keep it', '/mcp/', [`${RESOURCE_PATH}/mcp/`, RESOURCE_PATH]],
    ['at the root are one', '/', [RESOURCE_PATH]],
  ])('to the well-known places of a server %s', async (_what, path, expected) => {
    bench.mcp.on(path, (_request, response) => response.writeHead(401).end());
    await bench.discover({ serverUrl: `${bench.mcp.url}${path}` });
    // The last two because there is no resource metadata: the server may be its own authorization server.
    const asked = [...expected, OAUTH_PATH, OPENID_PATH].map((each) => `GET ${each}`);
    expect(bench.mcp.log).toEqual([`POST ${path}`, ...asked]);
  });

  test('start with an initialize that accepts what MCP requires, without credentials', async () => {
    await bench.discover();
    const [first] = bench.mcp.requests;
    expect(first?.headers).toMatchObject({
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    });
    expect(JSON.parse(first?.body ?? '')).toMatchObject({
      jsonrpc: '2.0',
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'gatehouse' } },
    });
    for (const { headers } of [...bench.mcp.requests, ...bench.issuer.requests]) {
      expect(headers).not.toHaveProperty('authorization');
      expect(headers).not.toHaveProperty('cookie');
    }
  });

  test('start with the stream for a server with the old transport', async () => {
    await bench.discover({ transport: 'sse' });
    expect(bench.mcp.requests[0]).toMatchObject({ method: 'GET', path: '/mcp', body: '' });
    expect(bench.mcp.requests[0]?.headers.accept).toBe('text/event-stream');
  });
});

describe('the challenge', () => {
  test('gives the location of the metadata, and the well-known locations are skipped', async () => {
    bench.serveResource({ authorization_servers: ['https://not-this-one.example.com'] });
    bench.serveResource({}, '/elsewhere');
    bench.challenge('Basic realm="x"', `Bearer scope="a", resource_metadata="${bench.mcp.url}/elsewhere"`);
    const report = await bench.discover();
    expect(report.provider).toMatchObject({ issuer: bench.issuer.url, scopes: ['a'] });
    expect(bench.mcp.log).toEqual(['POST /mcp', 'GET /elsewhere']);
  });

  test('may name metadata of this server on another host', async () => {
    bench.issuer.onJson('/metadata', { resource: bench.serverUrl, authorization_servers: [bench.issuer.url] });
    bench.challenge(`Bearer resource_metadata="${bench.issuer.url}/metadata"`);
    expect((await bench.discover()).provider?.resource).toBe(bench.serverUrl);
  });

  test.each([200, 400, 403, 404, 405, 500])(
    'is none with status %i, and the well-known places are asked',
    async (status) => {
      const headers = { 'www-authenticate': `Bearer resource_metadata="${bench.mcp.url}/elsewhere"` };
      bench.mcp.onText('/mcp', '{}', status, headers);
      const report = await bench.discover();
      expect(outcomes(report)[0]).toBe('challenge absent');
      expect(report.provider).not.toBeNull();
      expect(bench.mcp.log).not.toContain('GET /elsewhere');
    },
  );

  test.each([
    ['there is none', []],
    ['it is of another scheme', ['Basic realm="x"']],
    ['it cannot be read', ['Bearer resource_metadata="https://x']],
  ])('is none with status 401 when %s, and the well-known places are asked', async (_what, lines) => {
    bench.challenge(...lines);
    const report = await bench.discover();
    expect(outcomes(report)[0]).toBe('challenge absent');
    expect(report.provider).not.toBeNull();
  });

  test('is absent for a server that streams to everybody, and the well-known locations are used', async () => {
    bench.mcp.on('/mcp', (_request, response) => response.writeHead(200).write('event: endpoint\n'));
    const report = await bench.discover({ transport: 'sse', timeoutMs: 1_500 });
    expect(outcomes(report)[0]).toBe('challenge failed');
    expect(report.provider).not.toBeNull();
  });
});

describe('the scopes', () => {
  const many = Array.from({ length: 150 }, (_, index) => `scope:${index}`);

  test.each<[string, { challenge?: string; listed?: string[]; supported?: string[] }, string[]]>([
    ['are those of the challenge', { challenge: 'a b', listed: ['c'], supported: ['d'] }, ['a', 'b']],
    ['are else those that the server lists', { listed: ['c', 'd'], supported: ['e'] }, ['c', 'd']],
    ['are else none, whatever the issuer has', { supported: ['e', 'offline_access'] }, []],
    ['are the listed ones when the challenge has none that is one', { challenge: ' " ', listed: ['c'] }, ['c']],
    [
      'have offline access where the issuer has it',
      { challenge: 'a', supported: ['offline_access'] },
      ['a', 'offline_access'],
    ],
    ['have it once', { listed: ['offline_access', 'a'], supported: ['offline_access'] }, ['offline_access', 'a']],
    ['are not repeated', { challenge: 'a  b a' }, ['a', 'b']],
    [
      'are only what RFC 6749 calls one',
      { listed: ['a b', '', 'q"', 'b\\', 'tab\t', 'caf\xe9', 'x'.repeat(129), 'urn:ok?a=1#b', "it's"] },
      ['urn:ok?a=1#b', "it's"],
    ],
    ['are at most 100', { challenge: many.join(' ') }, many.slice(0, 100)],
    [
      'are at most 100 with offline access',
      { listed: many, supported: ['offline_access'] },
      [...many.slice(0, 99), 'offline_access'],
    ],
  ])('%s', async (_what, { challenge, listed, supported }, expected) => {
    if (challenge !== undefined) bench.challenge(`Bearer scope="${challenge.replaceAll('"', '\\"')}"`);
    bench.serveResource({ scopes_supported: listed });
    bench.serveIssuer({ scopes_supported: supported });
    expect((await bench.discover()).provider?.scopes).toEqual(expected);
  });

  test('are exactly those that the admin set, if any', async () => {
    bench.challenge('Bearer scope="a"');
    bench.serveIssuer({ scopes_supported: ['offline_access'] });
    expect((await bench.discover({ knownScopes: ['chosen'] })).provider?.scopes).toEqual(['chosen']);
    expect((await bench.discover({ knownScopes: [] })).provider?.scopes).toEqual(['a', 'offline_access']);
  });
});
