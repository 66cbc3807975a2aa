import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { type HostileUpstream, startHostileUpstream, toTool } from '../setup/hostile-upstream.ts';
import { type SmallMcpServer, startModernServer } from '../setup/mcp-servers.ts';
import { entriesOf } from './audit-entries.ts';
import { createId, issuesOf, update } from './config-operations.ts';

const KEY = 'canary-of-the-api-key';
const CALLS_PER_MINUTE = 40;
const CALL = `mutation ($input: CallMcpToolInput!) {
  callMcpTool(input: $input) { result { content structuredContent isError code connectUrl ms } } }`;

let gateway: TestGateway;
let server: SmallMcpServer;
let hostile: HostileUpstream;
let keyedId: string;
let oddId: string;

beforeAll(async () => {
  server = await startModernServer();
  hostile = await startHostileUpstream();
  hostile.onMethod('/odd', {
    'tools/list': () => ({ tools: ['fails', 'large', 'structured'].map((name) => toTool(name)) }),
    'tools/call': ({ params: { name } }) => {
      if (name === 'large') return { content: [{ type: 'text', text: 'x'.repeat(1_000_001) }] };
      if (name === 'fails') return { content: [{ type: 'text', text: 'no such file' }], isError: true };
      return { content: [], structuredContent: { found: [1, 2] } };
    },
  });
  gateway = await createTestGateway({
    env: {
      GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8',
      GATEHOUSE_MAX_TOOL_CALLS_PER_MINUTE: String(CALLS_PER_MINUTE),
    },
  });
  keyedId = await listed({
    url: server.url,
    authType: 'API_KEY',
    apiKeyHeader: 'Authorization',
    apiKeyValue: KEY,
    toolDenyList: ['echo'],
  });
  oddId = await listed({ url: hostile.urlOf('/odd') });
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([server?.close(), hostile?.close()]);
});

async function listed(input: object): Promise<string> {
  const id = await createId(gateway, { enabled: true, ...input });
  const refresh = `mutation { refreshMcpServerTools(input: { id: "${id}" }) { problem } }`;
  expect(
    (await gateway.graphql(refresh, { token: gateway.tokens.admin })).data.refreshMcpServerTools.problem,
  ).toBeNull();
  return id;
}

const send = (input: object, token = gateway.tokens.member) => gateway.graphql(CALL, { token, variables: { input } });

async function call(input: object, token?: string) {
  const { data, errors } = await send(input, token);
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data.callMcpTool.result;
}
const codeOf = async (answer: ReturnType<typeof send>) => (await answer).errors?.[0].extensions.code ?? 'ok';

async function tokenOf(limits: object): Promise<string> {
  const mutation = 'mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }';
  const input = { userId: gateway.userIds.member, name: 'Limited', ...limits };
  const { data } = await gateway.graphql(mutation, { token: gateway.tokens.admin, variables: { input } });
  return data.createApiToken.token;
}

describe('a call', () => {
  test("returns the server's result, without what the gateway sent", async () => {
    const result = await call({ configId: keyedId, tool: 'who' });
    expect(server.seen.at(-1)).toMatchObject({ method: 'tools/call', headers: { authorization: KEY } });
    expect(result).toEqual({
      content: [{ type: 'text', text: '[removed]' }],
      structuredContent: null,
      isError: false,
      code: null,
      connectUrl: null,
      ms: expect.any(Number),
    });
  });

  test('passes the arguments on as they are', async () => {
    const id = await listed({ url: server.url });
    const args = { text: 'ü', list: [1, { deep: null }], '': true };
    const result = await call({ configId: id, tool: 'echo', arguments: args });
    expect(JSON.parse(result.content[0].text)).toEqual(args);
    expect((await call({ configId: id, tool: 'echo' })).content[0].text).toBe('{}');
  });

  test('returns structured content, and what a tool says of its failure', async () => {
    expect(await call({ configId: oddId, tool: 'structured' })).toMatchObject({
      content: [],
      structuredContent: { found: [1, 2] },
      isError: false,
    });
    expect(await call({ configId: oddId, tool: 'fails' })).toMatchObject({
      content: [{ text: 'no such file' }],
      isError: true,
      code: null,
    });
  });

  test('has no answer that is larger than 1 MB', async () => {
    expect(await call({ configId: oddId, tool: 'large' })).toMatchObject({ isError: true, code: 'TOO_LARGE' });
  });

  test('is in the audit log before it is answered, without what was said', async () => {
    const entries = await entriesOf(gateway, async () => {
      await call({ configId: keyedId, tool: 'who', arguments: { text: 'canary-of-the-arguments' } });
    });
    expect(entries).toMatchObject([
      { action: 'mcpTool.call', outcome: 'success', actor_id: gateway.userIds.member, target_id: keyedId },
    ]);
    expect(JSON.stringify(entries)).not.toContain('canary');
  });
});

describe('what the door of the server would refuse is refused', () => {
  test('a tool on the deny list, in words and on the record', async () => {
    const entries = await entriesOf(gateway, async () => {
      const calls = server.seen.length;
      expect(await call({ configId: keyedId, tool: 'echo' })).toMatchObject({
        content: [{ type: 'text', text: expect.stringMatching(/switched this tool off/) }],
        isError: true,
        code: 'DENIED',
        connectUrl: null,
      });
      expect(server.seen.length).toBe(calls);
    });
    expect(entries).toMatchObject([{ action: 'mcpTool.call', outcome: 'denied' }]);
  });

  test('a tool that is not in the catalogue', async () => {
    expect(await call({ configId: keyedId, tool: 'keyed__who' })).toMatchObject({ isError: true, code: 'NOT_FOUND' });
  });

  test('a server that the user has to connect to, with the link', async () => {
    const id = await createId(gateway, {
      enabled: true,
      authType: 'OAUTH2',
      oauth2ClientId: 'client',
      oauth2AuthUrl: 'https://login.example.com/authorize',
      oauth2TokenUrl: 'https://login.example.com/token',
    });
    await gateway.database.query(
      `INSERT INTO mcp_server_tools (id, mcp_server_config_id, name, skeleton, definition, digest, status)
       SELECT gen_random_uuid(), $1::uuid, name, skeleton, definition, digest, status FROM mcp_server_tools
       WHERE mcp_server_config_id = $2::uuid`,
      [id, keyedId],
    );
    const connectUrl = `${gateway.config.publicUrl}/api/experimental/mcp/servers/${id}/oauth2/connect`;
    expect(await call({ configId: id, tool: 'who' })).toMatchObject({
      isError: true,
      code: 'NEEDS_CONNECT',
      connectUrl,
    });
  });

  test('a disabled server: members learn nothing of it, an admin learns why', async () => {
    const id = await listed({ url: server.url });
    await update(gateway, id, { enabled: false });
    const missing = '00000000-0000-4000-8000-00000000dead';
    const [hidden, none] = [await send({ configId: id, tool: 'who' }), await send({ configId: missing, tool: 'who' })];
    expect(hidden.errors?.[0].extensions.code).toBe('NOT_FOUND');
    expect(hidden.errors?.[0].message).toBe(none.errors?.[0].message);
    const asAdmin = await call({ configId: id, tool: 'who' }, gateway.tokens.admin);
    expect(asAdmin).toMatchObject({ isError: true, code: 'DISABLED' });
  });

  test('to roles that call no tools here, and to tokens that are not for it', async () => {
    const input = { configId: keyedId, tool: 'who' };
    const calls = server.seen.length;
    for (const role of ['service', 'auditor'] as const) {
      expect(await codeOf(send(input, gateway.tokens[role])), role).toBe('FORBIDDEN');
    }
    expect(await codeOf(send(input, await tokenOf({ scopes: ['GRAPH'] })))).toBe('FORBIDDEN');
    expect(server.seen.length).toBe(calls);
  });

  test.each([[['a']], ['text'], [7]])('arguments that are no object: %j', async (args) => {
    const answer = await send({ configId: keyedId, tool: 'who', arguments: args });
    expect(issuesOf(answer)).toEqual(['arguments: INVALID_TYPE']);
  });
});

test('counts with the calls at doors, and is refused beyond them', async () => {
  const post = async (): Promise<string> => {
    const response = await gateway.fetch('/mcp', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${gateway.tokens.admin}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'none', arguments: {} } }),
    });
    return response.text();
  };
  // The clock of the test stands still.
  let last = '';
  for (let calls = 0; calls <= CALLS_PER_MINUTE && !last.includes('RATE_LIMITED'); calls += 1) last = await post();
  expect(last).toContain('RATE_LIMITED');
  const entries = await entriesOf(gateway, async () => {
    expect(await call({ configId: keyedId, tool: 'who' }, gateway.tokens.admin)).toMatchObject({
      isError: true,
      code: 'RATE_LIMITED',
    });
  });
  expect(entries).toEqual([]);
});
