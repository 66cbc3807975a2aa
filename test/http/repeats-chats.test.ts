import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { changeChat, dropChat, newChat, writeMessage } from '../graphql/chat-operations.ts';
import { createId, update } from '../graphql/config-operations.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';

const CHAT = `query Chat($id: UUID!) { chat(id: $id) { id title mcpServerIds updatedAt
  mcpServers { source state reason config { id slug viewerState } } availableMcpServers { isLocked config { slug } } } }`;

let gateway: TestGateway;
let server: RunningServer;
let serverId: string;
let otherId: string;
let id: string;
beforeAll(async () => {
  gateway = await createTestGateway();
  server = await listen(gateway.app, { host: '127.0.0.1', port: 0 });
  serverId = await createId(gateway, { slug: 'chosen', enabled: true });
  otherId = await createId(gateway, { slug: 'other', enabled: true });
});
afterAll(async () => {
  await server?.close(0);
  await gateway?.close();
});
beforeEach(async () => {
  id = (await newChat(gateway, 'member', { title: 'First', mcpServerIds: [serverId] })).id;
});

type Caller = 'member' | 'service' | 'auditor';

/** Asks for the chat over a connection, with whether the answer was sent again. */
async function ask(caller: Caller, query = CHAT) {
  const before = await countRepeats();
  const response = await fetch(`http://127.0.0.1:${server.port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${gateway.tokens[caller]}` },
    body: JSON.stringify({ query, variables: { id } }),
  });
  const { data, errors } = (await response.json()) as { data?: any; errors?: any[] };
  expect(errors).toBeUndefined();
  return { chat: data.chat, data, isRepeat: (await countRepeats()) > before };
}

async function countRepeats(): Promise<number> {
  const text = await (await gateway.fetch('/metrics')).text();
  return Number(/^gatehouse_http_repeats_total (\d+)$/m.exec(text)?.[1]);
}

/** Asks until the answer is sent again. */
async function askUntilRepeated(caller: Caller) {
  const first = await ask(caller);
  expect(first.isRepeat).toBe(false);
  // A process that was too busy to look at the feed has to ask the database first.
  await expect.poll(async () => (await ask(caller)).isRepeat).toBe(true);
  expect((await ask(caller)).chat).toEqual(first.chat);
  return first.chat;
}

/** As another replica does, of which this one is not told. */
const writeElsewhere = (text: string) => gateway.database.query(text);

describe.each(['member', 'service'] as const)('what the %s was told of a chat is sent again', (caller) => {
  test('as long as nothing has changed', async () => {
    const chat = await askUntilRepeated(caller);
    expect(chat).toMatchObject({ title: 'First', mcpServers: [{ source: 'SELECTED', config: { slug: 'chosen' } }] });
    // A change of another chat is no change of this one.
    await newChat(gateway, 'member', { title: 'Second' });
    await expect.poll(async () => (await ask(caller)).isRepeat).toBe(true);
    expect((await ask(caller)).chat).toEqual(chat);
  });

  test.each<[string, () => Promise<unknown>, (() => object) | null]>([
    [
      'it got another title',
      () => changeChat(gateway, 'member', { id, title: 'Renamed' }),
      () => ({ title: 'Renamed' }),
    ],
    [
      'other servers were selected',
      () => changeChat(gateway, 'member', { id, mcpServerIds: [otherId] }),
      () => ({ mcpServers: [{ config: { slug: 'other' } }] }),
    ],
    [
      'a message chose its servers',
      () => writeMessage(gateway, 'member', { chatId: id, mcpServerIds: [] }),
      () => ({ mcpServerIds: [], mcpServers: [] }),
    ],
    [
      'another replica changed it',
      () => writeElsewhere(`UPDATE chats SET mcp_server_ids = '{${otherId}}' WHERE id = '${id}'`),
      () => ({ mcpServerIds: [otherId] }),
    ],
    ['another replica deleted it', () => writeElsewhere(`DELETE FROM chats WHERE id = '${id}'`), null],
    ['it was deleted', () => dropChat(gateway, 'member', id), null],
  ])('but not after %s', async (_name, change, expected) => {
    await askUntilRepeated(caller);
    await change();
    const after = await ask(caller);
    expect(after.isRepeat).toBe(false);
    if (expected === null) expect(after.chat).toBeNull();
    else expect(after.chat).toMatchObject(expected());
  });

  test('and not after a server in it was switched off', async () => {
    await askUntilRepeated(caller);
    await update(gateway, serverId, { enabled: false });
    const { chat, isRepeat } = await ask(caller);
    await update(gateway, serverId, { enabled: true });
    expect({ servers: chat.mcpServers, isRepeat }).toEqual({ servers: [], isRepeat: false });
  });
});

test('who may not see the chat is told so again and again, until there is one that they may see', async () => {
  expect(await askUntilRepeated('auditor')).toBeNull();
  await writeElsewhere(`UPDATE chats SET owner_id = '${gateway.userIds.auditor}' WHERE id = '${id}'`);
  expect((await ask('auditor')).chat).toMatchObject({ title: 'First' });
  await writeElsewhere(`UPDATE chats SET owner_id = '${gateway.userIds.member}' WHERE id = '${id}'`);
  expect((await ask('auditor')).chat).toBeNull();
});

test('messages of a chat are read each time', async () => {
  const query = `query ($id: UUID!) { chat(id: $id) { messages { nodes { content } } } }`;
  for (const count of [0, 1, 2, 3]) {
    if (count > 0)
      await writeElsewhere(`INSERT INTO chat_messages (id, chat_id, content) VALUES (gen_random_uuid(), '${id}', 'M')`);
    expect((await ask('member', query)).chat.messages.nodes).toHaveLength(count);
  }
});
