import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { type HostileUpstream, sendEvents, startHostileUpstream, toTool } from '../setup/hostile-upstream.ts';
import { createId } from './config-operations.ts';

const CHANGED = { method: 'notifications/tools/list_changed' };

let gateway: TestGateway;
let upstream: HostileUpstream;
let tools = ['first'];

beforeAll(async () => {
  upstream = await startHostileUpstream();
  upstream.onMethod('/mcp', {
    'tools/list': () => ({ tools: tools.map((name) => toTool(name)) }),
    'tools/call': (request, response) => {
      const changes = Array.from({ length: 100 }, () => CHANGED);
      sendEvents(...changes, { id: request.id, result: { content: [] } })(request, response);
    },
  });
  gateway = await createTestGateway({
    env: { GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8' },
    listsInBackground: true,
  });
});
afterAll(() => upstream?.close());

const countLists = () => upstream.seen('/mcp').filter((method) => method === 'tools/list').length;

test('a server that says that its tools changed is listed anew, once for thousands of times that it says so', async () => {
  const id = await createId(gateway, { url: upstream.urlOf('/mcp'), enabled: true });
  const token = gateway.tokens.member;
  const readNames = async (): Promise<string[]> => {
    const query = `{ mcpServerConfig(by: { id: "${id}" }) { tools { nodes { name } } } }`;
    const { data } = await gateway.graphql(query, { token });
    return data.mcpServerConfig.tools.nodes.map(({ name }: { name: string }) => name);
  };
  const call = async (): Promise<void> => {
    const mutation = `mutation { callMcpTool(input: { configId: "${id}", tool: "first" }) { result { code } } }`;
    expect((await gateway.graphql(mutation, { token })).data.callMcpTool.result.code).toBeNull();
  };
  let before = 0;
  try {
    await expect.poll(readNames).toEqual(['first']);
    before = countLists();
    tools = ['first', 'second'];
    await call();
    await expect.poll(readNames).toEqual(['first', 'second']);
    for (let calls = 0; calls < 20; calls += 1) await call();
  } finally {
    // Ends what runs in the background.
    await gateway.close();
  }
  expect(countLists()).toBe(before + 1);
});
