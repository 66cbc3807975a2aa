import dns from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openSession } from '../http/browser-session.ts';
import { createRestClient, minimalServer, type RestClient, SERVERS } from '../http/rest-client.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { type HandmadeServer, startHandmadeServer } from '../setup/handmade-server.ts';

// Found by trying a server on the developer's machine: http://localhost:3001 was 201, and discovery refused it with a
// message about the setting that was set. Names of a private network, as of containers, could not be used with http.

let provider: HandmadeServer;
let open: Opened;
let closed: Opened;
/** What names resolve to; several lists are answers in order. Others have no address. */
let zone: Record<string, string[][]>;

interface Opened {
  gateway: TestGateway;
  rest: RestClient;
}

async function openGateway(ranges: string): Promise<Opened> {
  const gateway = await createTestGateway({ env: { GATEHOUSE_ALLOWED_PRIVATE_CIDRS: ranges } });
  return { gateway, rest: createRestClient(gateway) };
}

beforeAll(async () => {
  provider = await startHandmadeServer();
  open = await openGateway('127.0.0.0/8');
  closed = await openGateway('10.0.0.0/8');
});
beforeEach(() => {
  zone = { localhost: [['::1', '127.0.0.1']] };
  const lookup = async (name: string) => {
    const answers = zone[name] ?? [];
    const [addresses] = answers.length > 1 ? answers.splice(0, 1) : answers;
    if (addresses === undefined) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    return addresses.map((address) => ({ address, family: net.isIP(address) }));
  };
  vi.spyOn(dns, 'lookup').mockImplementation(lookup as unknown as typeof dns.lookup);
  syncBuiltinESMExports();
});
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});
afterAll(async () => {
  await open?.gateway.close();
  await closed?.gateway.close();
  await provider?.close();
});

/** Makes the server an MCP server with its own authorization server, with all URLs on this host. */
function serveAs(host: string): string {
  const base = `http://${host}:${provider.port}`;
  provider.requests.length = 0;
  provider.on('/mcp', (_request, response) => {
    const challenge = `Bearer resource_metadata="${base}/resource"`;
    response.writeHead(401, { 'www-authenticate': challenge }).end();
  });
  provider.onJson('/resource', { resource: `${base}/mcp`, authorization_servers: [`${base}/as`] });
  provider.onJson('/.well-known/oauth-authorization-server/as', {
    issuer: `${base}/as`,
    authorization_endpoint: `${base}/authorize`,
    token_endpoint: `${base}/token`,
    registration_endpoint: `${base}/register`,
    revocation_endpoint: `${base}/revoke`,
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none'],
  });
  provider.onJson('/register', { client_id: 'client', token_endpoint_auth_method: 'none' }, 201);
  provider.onJson('/token', { access_token: 'access-token-of-a-test', token_type: 'Bearer', expires_in: 3_600 });
  provider.onText('/revoke', '');
  return base;
}

let slugs = 0;
function fieldsOf(url: string, change: object = {}) {
  slugs += 1;
  return { ...minimalServer(`host-${slugs}`), url, auth_type: 'oauth2', enabled: true, ...change };
}

describe('a host with addresses in allowed ranges only', () => {
  test.each([
    ['localhost', ['::1', '127.0.0.1']],
    ['mcp.internal', ['127.0.0.1']],
    ['mcp_server', ['127.0.0.1']],
    ['127.0.0.1', []],
  ])('%s may be called with http on every path', async (host, addresses) => {
    zone[host] = [addresses];
    const base = serveAs(host);
    const { gateway, rest } = open;
    const { id } = await rest.define(fieldsOf(`${base}/mcp`));
    const cookie = await openSession(gateway, gateway.tokens.member);
    const begun = await gateway.fetch(`${SERVERS}/${id}/oauth2/connect`, {
      headers: { cookie, 'sec-fetch-site': 'same-origin' },
    });
    expect(begun.status).toBe(307);
    const authorization = new URL(begun.headers.get('location') ?? '');
    expect(authorization.origin).toBe(base);
    const answer = new URLSearchParams({ code: 'a-code', state: authorization.searchParams.get('state') ?? '' });
    const [flow = ''] = (begun.headers.getSetCookie()[0] ?? '').split(';');
    const finished = await gateway.fetch(`${SERVERS}/${id}/oauth2/callback?${answer}`, {
      headers: { cookie: `${cookie}; ${flow}` },
    });
    expect(finished.status).toBe(200);
    const query = `mutation { disconnectMcpServer(id: "${id}") { tokenRevoked } }`;
    const { data } = await gateway.graphql(query, { token: gateway.tokens.member });
    expect(data.disconnectMcpServer).toEqual({ tokenRevoked: true });
    const paths = ['/mcp', '/resource', '/register', '/token', '/revoke'];
    expect(paths.filter((path) => !provider.log.some((line) => line.endsWith(path)))).toEqual([]);
    const changed = await rest.call('admin', 'PATCH', `${SERVERS}/${id}`, { description: 'still valid' });
    expect(changed.status).toBe(200);
  });

  test('may be called with http when an admin enters every URL', async () => {
    zone['given.internal'] = [['127.0.0.1']];
    const base = serveAs('given.internal');
    const oauth2 = { oauth2_client_id: 'c', oauth2_auth_url: `${base}/authorize`, oauth2_token_url: `${base}/token` };
    await open.rest.define(fieldsOf(`${base}/mcp`, { ...oauth2, oauth2_issuer: `${base}/as`, icon_url: `${base}/i` }));
  });
});

describe('a host that is not opened', () => {
  test.each<[string, string[]]>([
    ['public.example.com', ['93.184.216.34']],
    ['both.example.com', ['127.0.0.1', '93.184.216.34']],
    ['two.internal', ['127.0.0.1', '10.0.0.1']],
    ['elsewhere.internal', ['10.0.0.1']],
    ['nobody.internal', []],
  ])('%s is refused with http, and the message has what to set', async (host, addresses) => {
    if (addresses.length > 0) zone[host] = [addresses];
    const { status, body } = await open.rest.call('admin', 'POST', SERVERS, fieldsOf(`http://${host}:81/mcp`));
    const detail =
      'Must start with https://. For a host in a private network, its operator can allow http by adding ' +
      `${host}:81 to GATEHOUSE_ALLOWED_PRIVATE_CIDRS.`;
    expect([status, body.validations]).toEqual([400, [{ field: 'url', detail }]]);
  });

  test.each([
    ['http://localhost:PORT', 'localhost:PORT'],
    ['http://127.0.0.1:PORT', '127.0.0.1:PORT'],
    ['http://[::1]:PORT', '[::1]:PORT'],
    ['https://localhost', 'localhost:443'],
    ['https://mcp.internal', 'mcp.internal:443'],
  ])('%s is not called, and setting %s is enough', async (origin, setting) => {
    zone['mcp.internal'] = [['127.0.0.1']];
    const insert = (text: string) => text.replace('PORT', String(provider.port));
    const url = `${insert(origin)}/mcp`;
    serveAs(new URL(url).hostname);
    const refused = await closed.rest.call('admin', 'POST', SERVERS, fieldsOf(url));
    expect(refused.status).toBe(502);
    expect(refused.body.message).toContain(`by adding ${insert(setting)} to GATEHOUSE_ALLOWED_PRIVATE_CIDRS.`);
    expect(provider.requests).toEqual([]);
    const opened = await openGateway(insert(setting));
    try {
      const { body } = await opened.rest.call('admin', 'POST', SERVERS, fieldsOf(url));
      expect(body.message ?? '').not.toContain('GATEHOUSE_ALLOWED_PRIVATE_CIDRS');
    } finally {
      await opened.gateway.close();
    }
  });

  test('is not called when its name leads elsewhere by then', async () => {
    zone['rebind.internal'] = [['127.0.0.1'], ['10.0.0.1']];
    const { status, body } = await open.rest.call('admin', 'POST', SERVERS, fieldsOf('http://rebind.internal:9/mcp'));
    expect([status, body.message]).toEqual([502, expect.stringContaining('address that this gateway may not call')]);
    zone['later.internal'] = [['127.0.0.1'], ['93.184.216.34']];
    const later = await open.rest.call('admin', 'POST', SERVERS, fieldsOf('http://later.internal:9/mcp'));
    expect([later.status, later.body.message]).toEqual([502, expect.stringContaining('must use https')]);
  });

  test('is not accepted from the documents of other servers, where it would be called or shown to a browser', async () => {
    const base = serveAs('localhost');
    zone['public.example.com'] = [['93.184.216.34']];
    provider.onJson('/resource', { resource: `${base}/mcp`, authorization_servers: ['http://public.example.com/as'] });
    const { status, body } = await open.rest.call('admin', 'POST', SERVERS, fieldsOf(`${base}/mcp`));
    expect([status, body.message]).toEqual([502, expect.stringContaining('the gateway does not accept')]);
  });
});

test('no name is looked up where the operator opened no ranges', async () => {
  const own = await openGateway(`localhost:${provider.port}`);
  try {
    const { status } = await own.rest.call('admin', 'POST', SERVERS, fieldsOf('http://mcp.internal/mcp'));
    expect(status).toBe(400);
    expect(dns.lookup).not.toHaveBeenCalled();
  } finally {
    await own.gateway.close();
  }
});
