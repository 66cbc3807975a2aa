import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { beginChat, newChat, readChat, writeMessage } from './chat-operations.ts';
import { createId, issuesOf, update } from './config-operations.ts';

let gateway: TestGateway;
let shown: string;
let other: string;
let hidden: string;

beforeAll(async () => {
  gateway = await createTestGateway();
  shown = await createId(gateway, { enabled: true });
  other = await createId(gateway, { enabled: true });
  hidden = await createId(gateway, { enabled: false });
});
afterAll(() => gateway?.close());

async function deleteConfig(id: string): Promise<void> {
  const query = 'mutation ($id: UUID!) { deleteMcpServerConfig(id: $id) { deletedId } }';
  await gateway.graphql(query, { token: gateway.tokens.admin, variables: { id } });
}

const idsOf = async (chatId: string) => (await readChat(gateway, 'member', chatId)).mcpServerIds;

describe('a new chat', () => {
  test('has the selected servers once each, in the given order, whatever the case of the ids', async () => {
    const mcpServerIds = [other, shown.toUpperCase(), other, shown];
    expect((await newChat(gateway, 'member', { mcpServerIds })).mcpServerIds).toEqual([other, shown]);
  });

  test.each([
    ['left out', {}],
    ['null', { mcpServerIds: null }],
  ])('has the enabled default servers if the selection is %s', async (_name, input) => {
    const on = await createId(gateway, { availability: 'DEFAULT_ON', enabled: true });
    const off = await createId(gateway, { availability: 'DEFAULT_ON', enabled: false });
    const forced = await createId(gateway, { availability: 'FORCE_ON', enabled: true });
    expect((await newChat(gateway, 'member', input)).mcpServerIds).toEqual([on]);
    expect((await newChat(gateway, 'member', { mcpServerIds: [] })).mcpServerIds).toEqual([]);
    for (const id of [on, off, forced]) await deleteConfig(id);
  });

  test.each(['member', 'admin'] as const)(
    'is refused to a %s with each id that may not be selected',
    async (caller) => {
      const missing = randomUUID();
      const answer = await beginChat(gateway, caller, { mcpServerIds: [shown, hidden, missing, hidden] });
      expect(issuesOf(answer)).toEqual(['mcpServerIds.1: UNKNOWN_SERVER', 'mcpServerIds.2: UNKNOWN_SERVER']);
      const messages = answer.errors?.[0].extensions.issues.map(({ message }: { message: string }) => message);
      expect(messages[0]).toContain(hidden);
      // A hidden server looks like a missing one.
      expect(messages[0].replace(hidden, '')).toBe(messages[1].replace(missing, ''));
      expect(answer.data ?? null).toBeNull();
    },
  );

  test('is refused with all problems at once', async () => {
    const answer = await beginChat(gateway, 'member', { title: 'x'.repeat(201), mcpServerIds: [hidden] });
    expect(issuesOf(answer)).toEqual(['title: TOO_LONG', 'mcpServerIds.0: UNKNOWN_SERVER']);
  });

  test('takes at most 200 servers', async () => {
    const ids = Array.from({ length: 201 }, () => randomUUID());
    expect(issuesOf(await beginChat(gateway, 'member', { mcpServerIds: ids }))).toEqual(['mcpServerIds: TOO_MANY']);
    const others = issuesOf(await beginChat(gateway, 'member', { mcpServerIds: ids.slice(1) }));
    expect(new Set(others.map((issue) => issue.split(': ')[1]))).toEqual(new Set(['UNKNOWN_SERVER']));
    const repeated = Array.from({ length: 300 }, () => shown);
    expect((await newChat(gateway, 'member', { mcpServerIds: repeated })).mcpServerIds).toEqual([shown]);
  });

  test.each([
    ['title', { title: 'a\0b' }],
    ['title', { title: 'a\nb' }],
    ['title', { title: '\ud800' }],
  ])('refuses a %s that cannot be stored or shown', async (field, input) => {
    expect(issuesOf(await beginChat(gateway, 'member', input))[0]).toMatch(`${field}: `);
  });
});

describe('a message', () => {
  test('keeps the servers if it names none, clears them with [], replaces them with a list', async () => {
    const chat = await newChat(gateway, 'member', { mcpServerIds: [shown] });
    const write = (input: object) => writeMessage(gateway, 'member', { chatId: chat.id, ...input });
    await write({});
    expect(await idsOf(chat.id)).toEqual([shown]);
    await write({ mcpServerIds: null });
    expect(await idsOf(chat.id)).toEqual([shown]);
    await write({ mcpServerIds: [other, shown, other] });
    expect(await idsOf(chat.id)).toEqual([other, shown]);
    await write({ mcpServerIds: [] });
    expect(await idsOf(chat.id)).toEqual([]);
  });

  test('that is refused is not stored and does not change the servers', async () => {
    const chat = await newChat(gateway, 'member', { mcpServerIds: [shown] });
    const answer = await writeMessage(gateway, 'member', {
      chatId: chat.id,
      content: ' ',
      mcpServerIds: [other, hidden],
    });
    expect(issuesOf(answer)).toEqual(['content: REQUIRED', 'mcpServerIds.1: UNKNOWN_SERVER']);
    const query = `{ chat(id: "${chat.id}") { mcpServerIds messages { totalCount } } }`;
    const { data } = await gateway.graphql(query, { token: gateway.tokens.member });
    expect(data.chat).toEqual({ mcpServerIds: [shown], messages: { totalCount: 0 } });
  });

  test('may keep a server that was disabled since, though nobody can newly select it', async () => {
    const once = await createId(gateway, { enabled: true });
    const chat = await newChat(gateway, 'member', { mcpServerIds: [once] });
    await update(gateway, once, { enabled: false });
    const keep = await writeMessage(gateway, 'member', { chatId: chat.id, mcpServerIds: [once, shown] });
    expect(keep.errors).toBeUndefined();
    expect(await idsOf(chat.id)).toEqual([once, shown]);
    // Checked again at use.
    expect((await readChat(gateway, 'member', chat.id)).mcpServers.map(({ config }: any) => config.id)).toEqual([
      shown,
    ]);
    await writeMessage(gateway, 'member', { chatId: chat.id, mcpServerIds: [shown] });
    const again = await writeMessage(gateway, 'member', { chatId: chat.id, mcpServerIds: [once, shown] });
    expect(issuesOf(again)).toEqual(['mcpServerIds.0: UNKNOWN_SERVER']);
  });

  test('is listed oldest first, page by page', async () => {
    const chat = await newChat(gateway, 'member', { mcpServerIds: [] });
    const contents = ['one', 'two', 'three', 'four', 'five'];
    for (const content of contents) await writeMessage(gateway, 'member', { chatId: chat.id, content });
    const found: string[] = [];
    let after: string | null = null;
    for (let hasNextPage = true; hasNextPage; ) {
      const query = `query ($after: String) { chat(id: "${chat.id}") {
        messages(first: 2, after: $after) { totalCount nodes { content } pageInfo { hasNextPage endCursor } } } }`;
      const { data } = await gateway.graphql(query, { token: gateway.tokens.member, variables: { after } });
      const { messages } = data.chat;
      expect(messages.totalCount).toBe(5);
      found.push(...messages.nodes.map(({ content }: { content: string }) => content));
      ({ hasNextPage, endCursor: after } = messages.pageInfo);
    }
    expect(found.toSorted()).toEqual(contents.toSorted());
    // Two messages may have the same millisecond.
    expect(new Set(found).size).toBe(5);

    const read = async (args: string) => {
      const query = `{ chat(id: "${chat.id}") { messages(${args}) { edges { cursor node { content } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`;
      const { data, errors } = await gateway.graphql(query, { token: gateway.tokens.member });
      if (errors !== undefined) return { errors };
      const { edges, pageInfo } = data.chat.messages;
      expect([pageInfo.startCursor, pageInfo.endCursor]).toEqual([
        edges.at(0)?.cursor ?? null,
        edges.at(-1)?.cursor ?? null,
      ]);
      return { ...pageInfo, contents: edges.map(({ node }: any) => node.content) };
    };
    // The same from the end: page by page, and each page in the order of the list.
    const last = await read('last: 2');
    expect(last).toMatchObject({ contents: found.slice(3), hasPreviousPage: true, hasNextPage: false });
    const middle = await read(`last: 2, before: "${last.startCursor}"`);
    expect(middle).toMatchObject({ contents: found.slice(1, 3), hasPreviousPage: true, hasNextPage: true });
    const first = await read(`last: 2, before: "${middle.startCursor}"`);
    expect(first).toMatchObject({ contents: found.slice(0, 1), hasPreviousPage: false, hasNextPage: true });
    expect(await read('last: 0')).toMatchObject({ contents: [], hasPreviousPage: true });
    for (const [args, problem] of [
      [`last: 2, after: "${first.startCursor}"`, 'after: AMBIGUOUS'],
      [`before: "${first.startCursor}"`, 'last: REQUIRED'],
      ['last: 501', 'last: OUT_OF_RANGE'],
      ['last: -1', 'last: OUT_OF_RANGE'],
    ] as const) {
      expect(issuesOf(await read(args)), args).toEqual([problem]);
    }
    const shared = 'a: messages(last: 300) { totalCount } b: messages(last: 201) { totalCount }';
    const tooMany = await gateway.graphql(`{ chat(id: "${chat.id}") { ${shared} } }`, { token: gateway.tokens.member });
    expect(issuesOf(tooMany)).toEqual(['last: OUT_OF_RANGE']);
  });
});

test('a deleted server disappears from all chats, and the others stay', async () => {
  const gone = await createId(gateway, { enabled: true });
  const chats = [];
  for (const caller of ['member', 'admin'] as const) {
    chats.push((await newChat(gateway, caller, { mcpServerIds: [shown, gone, other] })).id);
  }
  await deleteConfig(gone);
  for (const id of chats) {
    const { mcpServerIds, mcpServers } = await readChat(gateway, 'service', id);
    expect(mcpServerIds).toEqual([shown, other]);
    expect(mcpServers.map(({ config }: any) => config.id).toSorted()).toEqual([shown, other].toSorted());
  }
});

describe('access to a chat', () => {
  test('its owner and services can read it; for all others it does not exist', async () => {
    const { id } = await newChat(gateway, 'member', { title: 'Mine' });
    for (const caller of ['member', 'service'] as const)
      expect((await readChat(gateway, caller, id)).title).toBe('Mine');
    for (const caller of ['admin', 'auditor', 'bootstrap'] as const) {
      expect(await readChat(gateway, caller, id), caller).toBeNull();
    }
    expect(await readChat(gateway, 'admin', randomUUID())).toBeNull();
  });

  test.each(['admin', 'bootstrap'] as const)('nobody else can write to it, not even the %s', async (caller) => {
    const { id } = await newChat(gateway, 'member', { mcpServerIds: [shown] });
    const { errors } = await writeMessage(gateway, caller, { chatId: id, mcpServerIds: [] });
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['NOT_FOUND']);
    expect(await idsOf(id)).toEqual([shown]);
  });

  test("a list has only the caller's own chats, newest first", async () => {
    const list = async (caller: 'member' | 'admin' | 'service' | 'auditor') => {
      const query = '{ chats(first: 200) { totalCount nodes { id owner { id } } } }';
      const { data } = await gateway.graphql(query, { token: gateway.tokens[caller] });
      return data.chats;
    };
    const { id } = await newChat(gateway, 'admin');
    const { totalCount, nodes } = await list('admin');
    expect(totalCount).toBe(nodes.length);
    expect(nodes.map((chat: any) => chat.id)).toContain(id);
    for (const { owner } of nodes) expect(owner.id).toBe(gateway.userIds.admin);
    for (const caller of ['service', 'auditor'] as const) expect((await list(caller)).nodes).toEqual([]);
  });

  test('chats are deleted with their owner', async () => {
    const email = `${randomUUID()}@example.com`;
    const token = gateway.tokens.admin;
    const created = await gateway.graphql(`mutation { createUser(input: { email: "${email}" }) { id } }`, { token });
    const userId = created.data.createUser.id;
    const issued = await gateway.graphql(
      `mutation { createApiToken(input: { userId: "${userId}", name: "t" }) { token } }`,
      { token },
    );
    const begun = await gateway.graphql('mutation { createChat(input: {}) { id } }', {
      token: issued.data.createApiToken.token,
    });
    const chatId = begun.data.createChat.id;
    expect(await readChat(gateway, 'service', chatId)).not.toBeNull();
    await gateway.graphql(`mutation { deleteUser(id: "${userId}") { deletedId } }`, { token });
    expect(await readChat(gateway, 'service', chatId)).toBeNull();
  });
});
