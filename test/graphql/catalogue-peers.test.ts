import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EverythingServer, startEverythingServer } from '../setup/everything-server.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createId } from './config-operations.ts';

let gateway: TestGateway;
let server: EverythingServer;

beforeAll(async () => {
  gateway = await createTestGateway({
    env: { GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8' },
    listsInBackground: true,
  });
  server = await startEverythingServer('streamable_http');
});
afterAll(async () => {
  await gateway?.close();
  await server?.close();
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
