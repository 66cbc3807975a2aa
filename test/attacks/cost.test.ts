import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AttackedGateway, expectHarmless, startAttackedGateway } from './harness.ts';

const SERVERS = 300;
const CHATS = 100;
const AT_ONCE = 4;

/** Does something many times, some of them at once. */
async function times(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const workOff = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await work(next - 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, workOff));
}

let gateway: AttackedGateway;
beforeAll(async () => {
  gateway = await startAttackedGateway();
  const mutation = 'mutation ($input: CreateMcpServerConfigInput!) { createMcpServerConfig(input: $input) { id } }';
  await times(SERVERS, async (index) => {
    const input = { displayName: `Server ${index}`, slug: `server-${index}`, url: 'https://mcp.example.com/mcp' };
    const description = 'What this server is good for. '.repeat(60);
    await gateway.asAdmin(mutation, {
      input: { ...input, description, enabled: true, availability: index < 20 ? 'DEFAULT_ON' : 'FORCE_ON' },
    });
  });
  const createChat = 'mutation ($title: String) { createChat(input: { title: $title }) { id } }';
  await times(CHATS, async (index) => {
    const { body } = await gateway.graphql(createChat, { variables: { title: `Chat ${index}` } });
    expect(body.errors).toBeUndefined();
  });
});
afterAll(() => gateway?.close());

const FIELDS =
  'id slug displayName description authType availability enabled toolAllowList version viewerState createdAt';
const aliases = (count: number, field: string) =>
  Array.from({ length: count }, (_, index) => `a${index}: ${field}`).join(' ');

/** Sends an operation a few times at once. @returns the codes of issues */
const attack = async (query: string): Promise<string[]> => {
  const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => gateway.graphql(query)));
  return answers.flatMap(
    ({ body }) => body.errors?.[0].extensions.issues.map(({ code }: { code: string }) => code) ?? [],
  );
};

test.each<[string, string, string]>([
  [
    'the servers of many chats, each under many names',
    `{ chats(first: 100) { nodes { ${aliases(15, `mcpServers { source state reason config { ${FIELDS} } }`)} } } }`,
    'TOO_MANY',
  ],
  [
    'a page whose nodes have many names',
    `{ mcpServerConfigs(first: 500) { ${aliases(15, `nodes { ${FIELDS} }`)} } }`,
    'TOO_LONG',
  ],
])('%s is refused', async (_name, query, code) => {
  const codes = new Set<string>();
  await expectHarmless(gateway, async () => {
    for (const each of await attack(query)) codes.add(each);
  });
  expect([...codes]).toEqual([code]);
});

test('the largest lists that are allowed let others run in between', async () => {
  const query = `{ chats(first: 35) { nodes { mcpServers { source state reason config { ${FIELDS} } } } } }`;
  await expectHarmless(gateway, () => attack(query));
  const { body } = await gateway.graphql(`{ chats(first: 30) { nodes { mcpServers { source } } } }`);
  expect(body.data.chats.nodes[29].mcpServers).toHaveLength(SERVERS);
});

test('long messages are refused before they are read', async () => {
  const { body } = await gateway.graphql('mutation { createChat(input: {}) { id } }');
  const chatId = body.data.createChat.id;
  const mutation = 'mutation ($input: CreateChatMessageInput!) { createChatMessage(input: $input) { id } }';
  const content = 'ガ'.repeat(65_000);
  await times(100, async () => {
    const { body: created } = await gateway.graphql(mutation, { variables: { input: { chatId, content } } });
    expect(created.errors).toBeUndefined();
  });
  const query = `{ chat(id: "${chatId}") { messages(first: 500) { nodes { content } } } }`;
  await expectHarmless(gateway, async () => expect(new Set(await attack(query))).toEqual(new Set(['TOO_LONG'])));
});

test('the schema under many names is answered without delay for others', async () => {
  const types = '__schema { types { name fields { name description args { name } type { name ofType { name } } } } }';
  await expectHarmless(gateway, () => attack(`{ ${aliases(15, types)} }`));
});

test('counting again and again takes no more statements', async () => {
  const query = `{ chats(first: 40) { nodes { ${aliases(10, 'messages(first: 0) { totalCount nodes { id } }')} } } }`;
  await expectHarmless(gateway, () => attack(query));
});
