import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EverythingServer, startEverythingServer } from '../setup/everything-server.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { type HostileUpstream, sendStatus, startHostileUpstream } from '../setup/hostile-upstream.ts';
import { createId } from './config-operations.ts';

let gateway: TestGateway;
let server: EverythingServer;
let hostile: HostileUpstream;

beforeAll(async () => {
  gateway = await createTestGateway({
    env: { GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8' },
    listsInBackground: true,
  });
  server = await startEverythingServer('streamable_http');
  hostile = await startHostileUpstream();
});
afterAll(async () => {
  await gateway?.close();
  await server?.close();
  await hostile?.close();
});

describe('a real server', () => {
  test('is listed when an admin enables it, and members see its tools', async () => {
    const id = await createId(gateway, { url: server.url, enabled: true });
    const query = `{ mcpServerConfig(id: "${id}") {
      reachability { state serverName protocolVersion }
      tools(first: 500) { nodes { name description inputSchema decision } } } }`;
    const ask = async () => (await gateway.graphql(query, { token: gateway.tokens.admin })).data.mcpServerConfig;
    await expect.poll(async () => (await ask()).reachability.state).toBe('REACHABLE');
    const { reachability, tools } = await ask();
    expect(reachability.serverName).toMatch(/everything/);
    expect(tools.nodes).toContainEqual(
      expect.objectContaining({
        name: 'echo',
        decision: 'ALLOWED',
        inputSchema: expect.objectContaining({ type: 'object' }),
      }),
    );
  });

  test('that is not there is unreachable, with a code, and has no tools', async () => {
    const id = await createId(gateway, { url: 'http://127.0.0.1:9/mcp', enabled: true });
    const query = `{ mcpServerConfig(id: "${id}") { reachability { state problem } tools { totalCount } } }`;
    const ask = async () => (await gateway.graphql(query, { token: gateway.tokens.admin })).data.mcpServerConfig;
    await expect.poll(async () => (await ask()).reachability.state).toBe('UNREACHABLE');
    expect(await ask()).toEqual({
      reachability: { state: 'UNREACHABLE', problem: 'CONNECTION_FAILED' },
      tools: { totalCount: 0 },
    });
  });
});

describe('a server with OAuth 2 to which nobody is connected', () => {
  const OAUTH = {
    authType: 'OAUTH2',
    enabled: true,
    oauth2ClientId: 'client',
    oauth2AuthUrl: 'https://login.example.com/authorize',
    oauth2TokenUrl: 'https://login.example.com/token',
  };
  const CHALLENGE = { 'www-authenticate': 'Bearer resource_metadata="https://mcp.example.com/.well-known"' };

  const read = async (id: string) => {
    const fields = 'reachability { state problem checkedAt } tools { totalCount } viewerState';
    const { data } = await gateway.graphql(`{ mcpServerConfig(id: "${id}") { ${fields} } }`, {
      token: gateway.tokens.admin,
    });
    return data.mcpServerConfig;
  };
  const refresh = async (id: string) => {
    const query = `mutation { refreshMcpServerTools(input: { id: "${id}" }) { problem } }`;
    return (await gateway.graphql(query, { token: gateway.tokens.admin })).data.refreshMcpServerTools.problem;
  };

  test('is reachable when it asks for credentials, and nobody’s were sent', async () => {
    const sent: (string | undefined)[] = [];
    hostile.on('/protected', (request, response) => {
      sent.push(request.headers.authorization);
      sendStatus(401, CHALLENGE)(request, response);
    });
    const id = await createId(gateway, { url: hostile.urlOf('/protected'), ...OAUTH });
    await expect.poll(async () => (await read(id)).reachability.state).toBe('REACHABLE');
    expect(await refresh(id)).toBe('NEEDS_CONNECT');
    expect(await read(id)).toEqual({
      reachability: { state: 'REACHABLE', problem: null, checkedAt: expect.any(String) },
      tools: { totalCount: 0 },
      viewerState: 'NEEDS_CONNECT',
    });
    expect(new Set(sent)).toEqual(new Set([undefined]));
  });

  test('is reachable when it lists its tools to everybody, which are not taken for those of users', async () => {
    hostile.onMethod('/open', {});
    const id = await createId(gateway, { url: hostile.urlOf('/open'), ...OAUTH });
    await expect.poll(async () => (await read(id)).reachability.state).toBe('REACHABLE');
    expect((await read(id)).tools.totalCount).toBe(0);
  });

  test('is unreachable when it does not answer, or answers something else', async () => {
    hostile.on('/broken', sendStatus(500));
    const id = await createId(gateway, { url: hostile.urlOf('/broken'), ...OAUTH });
    await expect.poll(async () => (await read(id)).reachability.state).toBe('UNREACHABLE');
    expect(await refresh(id)).toBe('UNAVAILABLE');
    expect((await read(id)).reachability.problem).toBe('UNAVAILABLE');
  });
});
