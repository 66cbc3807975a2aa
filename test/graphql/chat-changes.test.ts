import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { entriesOf } from './audit-entries.ts';
import { changeChat, dropChat, newChat, readChat, writeMessage } from './chat-operations.ts';
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

const partsOf = async (id: string) => {
  const { title, mcpServerIds } = await readChat(gateway, 'member', id);
  return { title, mcpServerIds };
};

describe('updateChat', () => {
  test('changes what it is given, and keeps the rest', async () => {
    const { id } = await newChat(gateway, 'member', { title: 'First', mcpServerIds: [shown] });
    const change = async (input: object) => {
      const { data, errors } = await changeChat(gateway, 'member', { id, ...input });
      expect(errors).toBeUndefined();
      const { title, mcpServerIds } = data.updateChat.chat;
      expect(await partsOf(id)).toEqual({ title, mcpServerIds });
      return { title, mcpServerIds };
    };
    expect(await change({ title: ' Second ' })).toEqual({ title: 'Second', mcpServerIds: [shown] });
    expect(await change({ mcpServerIds: [other, shown.toUpperCase(), other] })).toEqual({
      title: 'Second',
      mcpServerIds: [other, shown],
    });
    expect(await change({ title: null, mcpServerIds: null })).toEqual({
      title: 'Second',
      mcpServerIds: [other, shown],
    });
    expect(await change({ mcpServerIds: [] })).toEqual({ title: 'Second', mcpServerIds: [] });
    expect(await change({ title: '' })).toEqual({ title: '', mcpServerIds: [] });
  });

  test('is refused with all problems at once, and changes nothing', async () => {
    const { id } = await newChat(gateway, 'member', { title: 'Kept', mcpServerIds: [shown] });
    const entries = await entriesOf(gateway, async () => {
      const answer = await changeChat(gateway, 'member', { id, title: 'x'.repeat(201), mcpServerIds: [other, hidden] });
      expect(issuesOf(answer)).toEqual(['title: TOO_LONG', 'mcpServerIds.1: UNKNOWN_SERVER']);
      const ids = Array.from({ length: 201 }, () => randomUUID());
      expect(issuesOf(await changeChat(gateway, 'member', { id, mcpServerIds: ids }))).toEqual([
        'mcpServerIds: TOO_MANY',
      ]);
    });
    expect(entries).toEqual([]);
    expect(await partsOf(id)).toEqual({ title: 'Kept', mcpServerIds: [shown] });
  });

  test('may keep a server that was disabled since, but not select it anew', async () => {
    const once = await createId(gateway, { enabled: true });
    const { id } = await newChat(gateway, 'member', { mcpServerIds: [once] });
    await update(gateway, once, { enabled: false });
    expect((await changeChat(gateway, 'member', { id, mcpServerIds: [shown, once] })).errors).toBeUndefined();
    expect((await partsOf(id)).mcpServerIds).toEqual([shown, once]);
    await changeChat(gateway, 'member', { id, mcpServerIds: [] });
    expect(issuesOf(await changeChat(gateway, 'member', { id, mcpServerIds: [once] }))).toEqual([
      'mcpServerIds.0: UNKNOWN_SERVER',
    ]);
  });

  test('records the servers, and of the title only that it changed; nothing if nothing changed', async () => {
    const { id } = await newChat(gateway, 'member', { title: 'canary-before', mcpServerIds: [shown] });
    const entries = await entriesOf(gateway, async () => {
      await changeChat(gateway, 'member', { id });
      await changeChat(gateway, 'member', { id, title: 'canary-before', mcpServerIds: [shown] });
      await changeChat(gateway, 'member', { id, title: 'canary-after', mcpServerIds: [other] });
    });
    expect(entries).toMatchObject([{ action: 'chat.update', outcome: 'success', target_type: 'chat', target_id: id }]);
    expect(JSON.stringify(entries)).not.toContain('canary');
    const query = '{ auditLog(first: 1) { nodes { changes { field isSecret before after } } } }';
    const { data } = await gateway.graphql(query, { token: gateway.tokens.admin });
    expect(data.auditLog.nodes[0].changes).toEqual([
      { field: 'title', isSecret: true, before: null, after: null },
      { field: 'mcpServerIds', isSecret: false, before: JSON.stringify([shown]), after: JSON.stringify([other]) },
    ]);
  });
});

describe('deleteChat', () => {
  test('deletes the chat with its messages, and makes room for others', async () => {
    const countOf = async (table: string) => {
      const [row] = await gateway.database.query(`SELECT count(*)::int AS n FROM ${table}`);
      return row?.['n'];
    };
    const readUsage = () =>
      gateway.database.query('SELECT chats, message_bytes::int AS bytes FROM user_usage WHERE user_id = $1::uuid', [
        gateway.userIds.member,
      ]);
    const before = [await countOf('chats'), await countOf('chat_messages'), await readUsage()];
    const { id } = await newChat(gateway, 'member', { title: 'canary-title' });
    for (const content of ['one', 'two']) await writeMessage(gateway, 'member', { chatId: id, content });
    const entries = await entriesOf(gateway, async () => {
      const { data } = await dropChat(gateway, 'member', id.toUpperCase());
      expect(data.deleteChat).toEqual({ deletedId: id });
    });
    expect(entries).toMatchObject([{ action: 'chat.delete', outcome: 'success', target_type: 'chat', target_id: id }]);
    expect(JSON.stringify(entries)).not.toContain('canary');
    expect([await countOf('chats'), await countOf('chat_messages'), await readUsage()]).toEqual(before);
    const again = await dropChat(gateway, 'member', id);
    expect(again.errors?.[0].extensions.code).toBe('NOT_FOUND');
    expect((await writeMessage(gateway, 'member', { chatId: id })).errors?.[0].extensions.code).toBe('NOT_FOUND');
    expect((await changeChat(gateway, 'member', { id, title: 'x' })).errors?.[0].extensions.code).toBe('NOT_FOUND');
  });
});

describe("another user's chat", () => {
  test.each([
    ['admin', 'NOT_FOUND'],
    ['bootstrap', 'NOT_FOUND'],
    ['service', 'FORBIDDEN'],
    ['auditor', 'FORBIDDEN'],
  ] as const)('is neither changed nor deleted by a caller who is %s', async (caller, code) => {
    const { id } = await newChat(gateway, 'member', { title: 'Mine', mcpServerIds: [shown] });
    const answers = [
      await changeChat(gateway, caller, { id, title: 'Theirs', mcpServerIds: [] }),
      await dropChat(gateway, caller, id),
    ];
    expect(answers.map(({ errors }) => errors?.[0].extensions.code)).toEqual([code, code]);
    expect(await partsOf(id)).toEqual({ title: 'Mine', mcpServerIds: [shown] });
  });
});
