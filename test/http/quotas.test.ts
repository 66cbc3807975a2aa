// On both databases: only a server lets transactions run at the same time, and triggers count on both.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { MESSAGE_OVERHEAD_BYTES } from '../../src/limits/quotas.ts';
import { newChat, writeMessage } from '../graphql/chat-operations.ts';
import { create, issuesOf, update, validInput } from '../graphql/config-operations.ts';
import { uniqueSlug } from '../graphql/root-fields.ts';
import { onMainDatabase, onServer, openTestDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createReplica, type Replica } from '../setup/replica.ts';
import { createServerDatabase } from '../setup/server-databases.ts';
import { openSession, whoIs } from './browser-session.ts';

const CHATS = '/api/experimental/chats';
const SERVERS = '/api/experimental/mcp/servers';
const PARALLEL = 20;

let gateway: TestGateway;
let replica: Replica | undefined;
const databases: Database[] = [];

beforeAll(async () => {
  const url = onServer ? await createServerDatabase() : undefined;
  const open = async () => {
    const database = url === undefined ? await openTestDatabase() : await openServerDatabase(url, { poolSize: 10 });
    databases.push(database);
    return database;
  };
  const env = {
    GATEHOUSE_MAX_CHATS_PER_USER: '12',
    GATEHOUSE_MAX_MESSAGES_PER_CHAT: '15',
    GATEHOUSE_MAX_MESSAGE_MB_PER_USER: '1',
    GATEHOUSE_MAX_SESSIONS_PER_USER: '4',
    GATEHOUSE_MAX_API_TOKENS_PER_USER: '7',
    GATEHOUSE_MAX_SERVER_CONFIGS: '9',
  };
  gateway = await createTestGateway({ database: await open(), env });
  // A second process, so that more requests run at once than one process lets run for one caller.
  if (url !== undefined) replica = await createReplica(gateway, await open());
});
afterAll(async () => {
  await Promise.all([gateway?.close(), replica?.close()]);
  for (const database of databases) await database.close();
});

interface Answer {
  status: number;
  body: any;
}

/** Sends many requests at once, to all processes in turn. */
async function sendAtOnce(
  token: string,
  path: string,
  bodies: readonly unknown[],
  toPath: (index: number) => string = () => path,
): Promise<Answer[]> {
  const apps = [gateway.app, ...(replica === undefined ? [] : [replica.gateway.app])];
  return Promise.all(
    bodies.map(async (body, index): Promise<Answer> => {
      const request = new Request(new URL(toPath(index), gateway.config.publicUrl), {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const response = await (apps[index % apps.length] ?? gateway.app).fetch(request);
      return { status: response.status, body: await response.json() };
    }),
  );
}

const many = (body: unknown) => Array.from({ length: PARALLEL }, () => body);

/** @returns how many were made. All others must be refused for their quota. */
function countMade(answers: readonly Answer[], field: string): number {
  const refused = answers.filter(({ status }) => status !== 201);
  for (const { status, body } of refused) {
    expect(status, JSON.stringify(body)).toBe(400);
    expect(body.validations.map((each: { field: string }) => each.field)).toEqual([field]);
    expect(body.message).toMatch(/The limit is .* are used/);
  }
  return answers.length - refused.length;
}

async function createMember(email: string): Promise<{ id: string; token: string }> {
  const asAdmin = { token: gateway.tokens.admin };
  const made = await gateway.graphql(`mutation { createUser(input: { email: "${email}" }) { id } }`, asAdmin);
  const id: string = made.data.createUser.id;
  const input = `{ userId: "${id}", name: "t" }`;
  const { data } = await gateway.graphql(`mutation { createApiToken(input: ${input}) { token } }`, asAdmin);
  return { id, token: data.createApiToken.token };
}

/** What the counters say, and what there is. They are always the same. */
async function readUsage(userId: string) {
  const [counted] = await gateway.database.query(
    'SELECT chats, message_bytes::int AS bytes FROM user_usage WHERE user_id = $1::uuid',
    [userId],
  );
  const [real] = await gateway.database.query(
    `SELECT (SELECT count(*)::int FROM chats WHERE owner_id = $1::uuid) AS chats,
       coalesce(sum(octet_length(content) + ${MESSAGE_OVERHEAD_BYTES}), 0)::int AS bytes
     FROM chat_messages WHERE chat_id IN (SELECT id FROM chats WHERE owner_id = $1::uuid)`,
    [userId],
  );
  expect(counted).toEqual(real);
  const wrong = await gateway.database.query(
    `SELECT chats.id FROM chats WHERE message_count <> (SELECT count(*) FROM chat_messages WHERE chat_id = chats.id)`,
  );
  expect(wrong).toEqual([]);
  return counted;
}

/** On the embedded database, where no transactions run at the same time, one counter is enough. */
const testOnMain = test.runIf(onMainDatabase);

describe('parallel requests do not pass the limit', () => {
  test('of chats, and deleting one makes room for one', async () => {
    const { id, token } = await createMember('chats@example.com');
    expect(countMade(await sendAtOnce(token, CHATS, many({})), '')).toBe(12);
    expect(await readUsage(id)).toEqual({ chats: 12, bytes: 0 });
    await gateway.database.query(
      'DELETE FROM chats WHERE id = (SELECT id FROM chats WHERE owner_id = $1::uuid LIMIT 1)',
      [id],
    );
    expect(countMade(await sendAtOnce(token, CHATS, many({})), '')).toBe(1);
    expect(await readUsage(id)).toEqual({ chats: 12, bytes: 0 });
  });

  testOnMain('of messages in a chat', async () => {
    const { id, token } = await createMember('messages@example.com');
    const [made] = await sendAtOnce(token, CHATS, [{}]);
    const path = `${CHATS}/${made?.body.id}/messages`;
    expect(countMade(await sendAtOnce(token, path, many({ content: 'Hello' })), 'id')).toBe(15);
    expect(await readUsage(id)).toEqual({ chats: 1, bytes: 15 * (5 + MESSAGE_OVERHEAD_BYTES) });
  });

  testOnMain('of megabytes, also in several chats', async () => {
    const { id, token } = await createMember('bytes@example.com');
    const chats = (await sendAtOnce(token, CHATS, [{}, {}, {}])).map(({ body }) => body.id);
    const send = (content: string) =>
      sendAtOnce(token, CHATS, many({ content }), (index) => `${CHATS}/${chats[index % 3]}/messages`);
    // Characters of two bytes each.
    const content = 'ü'.repeat(39_900);
    expect(countMade(await send(content), 'content')).toBe(12);
    expect(await readUsage(id)).toEqual({ chats: 3, bytes: 12 * 80_000 });
    await gateway.database.query(`UPDATE chat_messages SET content = 'x' WHERE chat_id = $1::uuid`, [chats[0]]);
    const { bytes } = (await readUsage(id)) as { bytes: number };
    expect(countMade(await send(content), 'content')).toBe(Math.floor((1_000_000 - bytes) / 80_000));
  });

  testOnMain('of API tokens; revoked and expired ones do not count', async () => {
    const { id } = await createMember('tokens@example.com');
    const query = 'mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { apiToken { id } } }';
    const create = () => {
      const expiresAt = new Date(gateway.clock.now.getTime() + 60_000);
      const body = { query, variables: { input: { userId: id, name: 't', expiresAt } } };
      return sendAtOnce(gateway.tokens.admin, '/graphql', many(body));
    };
    const made = (answers: readonly Answer[]) => {
      for (const { body } of answers.filter(({ body }) => body.errors !== undefined)) {
        expect(issuesOf(body)).toEqual(['userId: QUOTA_EXCEEDED']);
      }
      return answers.flatMap(({ body }) => body.data?.createApiToken?.apiToken.id ?? []);
    };
    // The member has one already.
    const ids = made(await create());
    expect(ids).toHaveLength(6);
    await gateway.graphql(`mutation { revokeApiToken(id: "${ids[0]}") { apiToken { id } } }`, {
      token: gateway.tokens.admin,
    });
    expect(made(await create())).toHaveLength(1);
    gateway.clock.advance(60_000);
    expect(made(await create())).toHaveLength(6);
  });

  testOnMain('of server configs, in any way', async () => {
    const { token } = { token: gateway.tokens.admin };
    const body = () => ({ display_name: 'Tools', slug: uniqueSlug(), url: 'https://mcp.example.com/mcp' });
    const answers = await sendAtOnce(token, SERVERS, Array.from({ length: PARALLEL }, body));
    expect(countMade(answers, '')).toBe(9);
    expect(issuesOf(await create(gateway))).toEqual([': QUOTA_EXCEEDED']);
    const content = JSON.stringify({ mcpServers: { more: { type: 'http', url: 'https://more.example.com/mcp' } } });
    for (const dryRun of [true, false]) {
      const query = `mutation ($input: ImportMcpServersInput!) { importMcpServers(input: $input) { servers { error } } }`;
      const { data, errors } = await gateway.graphql(query, { token, variables: { input: { content, dryRun } } });
      expect(errors).toBeUndefined();
      expect(data.importMcpServers.servers[0].error).toContain('The limit is 9 server configs');
    }
    // What is there can still be changed, and deleting one makes room.
    const id = answers.find(({ status }) => status === 201)?.body.id;
    expect((await update(gateway, id, { description: 'Changed' })).errors).toBeUndefined();
    await gateway.graphql(`mutation { deleteMcpServerConfig(id: "${id}") { deletedId } }`, { token });
    expect((await create(gateway, validInput())).errors).toBeUndefined();
  });
});

test('a session over the limit ends the one that was not used for longest, and nobody is locked out', async () => {
  const { id, token } = await createMember('sessions@example.com');
  const first = await openSession(gateway, token);
  gateway.clock.advance(1_000);
  const second = await openSession(gateway, token);
  // Its use is written down after five minutes.
  gateway.clock.advance(6 * 60_000);
  expect(await whoIs(gateway, { cookie: first })).toBe(id);
  const others = [await openSession(gateway, token), await openSession(gateway, token)];
  expect(await whoIs(gateway, { cookie: second })).toBe(id);
  const another = await openSession(gateway, gateway.tokens.member);
  gateway.clock.advance(6 * 60_000);
  for (const cookie of [first, ...others]) expect(await whoIs(gateway, { cookie })).toBe(id);
  const last = await openSession(gateway, token);
  expect(await whoIs(gateway, { cookie: second })).toBeUndefined();
  for (const cookie of [first, ...others, last]) expect(await whoIs(gateway, { cookie })).toBe(id);
  expect(await whoIs(gateway, { cookie: another })).toBe(gateway.userIds.member);

  const opened = await sendAtOnce(token, '/auth/session', many(undefined));
  expect(opened.map(({ status }) => status)).toEqual(many(201));
  const rows = await gateway.database.query('SELECT id FROM sessions WHERE user_id = $1::uuid', [id]);
  expect(rows).toHaveLength(4);
  expect(await whoIs(gateway, { cookie: await openSession(gateway, token) })).toBe(id);
});

testOnMain('the message names the limit, what is used, what to do and the setting, among all problems', async () => {
  const token = gateway.tokens.member;
  const { id } = await newChat(gateway, 'member');
  for (let count = 0; count < 15; count += 1) await writeMessage(gateway, 'member', { chatId: id });
  const answer = await writeMessage(gateway, 'member', { chatId: id, content: ' ' });
  expect(issuesOf(answer)).toEqual(['content: REQUIRED', 'chatId: QUOTA_EXCEEDED']);
  expect(answer.errors?.[0].extensions.issues[1].message).toBe(
    'The limit is 15 messages in a chat, and 15 are used. Continue in a new chat. ' +
      'The operator can raise GATEHOUSE_MAX_MESSAGES_PER_CHAT.',
  );
  const { data } = await gateway.graphql(`{ chat(id: "${id}") { messages { totalCount } } }`, { token });
  expect(data.chat.messages.totalCount).toBe(15);
});

describe('the counters are right', () => {
  test('when a user is deleted with everything', async () => {
    const { id, token } = await createMember('gone@example.com');
    const [made] = await sendAtOnce(token, CHATS, [{}]);
    await sendAtOnce(token, `${CHATS}/${made?.body.id}/messages`, [{ content: 'a' }, { content: 'b' }]);
    expect(await readUsage(id)).toEqual({ chats: 1, bytes: 2 + 2 * MESSAGE_OVERHEAD_BYTES });
    const query = `mutation { deleteUser(id: "${id}") { deletedId } }`;
    expect((await gateway.graphql(query, { token: gateway.tokens.admin })).errors).toBeUndefined();
    expect(await gateway.database.query('SELECT 1 FROM user_usage WHERE user_id = $1::uuid', [id])).toEqual([]);
  });

  test('whichever statement changes the rows', async () => {
    const { id, token } = await createMember('sql@example.com');
    const other = await createMember('other@example.com');
    const chats = (await sendAtOnce(token, CHATS, [{}, {}, {}])).map(({ body }) => body.id);
    const run = (sql: string, ...values: unknown[]) => gateway.database.query(sql, values);
    await run(
      `INSERT INTO chat_messages (id, chat_id, content)
       SELECT gen_random_uuid(), c.id, repeat('ü', n) FROM chats c, generate_series(1, 5) n WHERE owner_id = $1::uuid`,
      id,
    );
    expect(await readUsage(id)).toEqual({ chats: 3, bytes: 3 * (30 + 5 * MESSAGE_OVERHEAD_BYTES) });
    await run('UPDATE chat_messages SET chat_id = $1::uuid WHERE chat_id = $2::uuid', chats[0], chats[1]);
    expect(await readUsage(id)).toEqual({ chats: 3, bytes: 3 * (30 + 5 * MESSAGE_OVERHEAD_BYTES) });
    await run('UPDATE chats SET owner_id = $1::uuid WHERE id = $2::uuid', other.id, chats[0]);
    expect(await readUsage(id)).toEqual({ chats: 2, bytes: 30 + 5 * MESSAGE_OVERHEAD_BYTES });
    expect(await readUsage(other.id)).toEqual({ chats: 1, bytes: 2 * (30 + 5 * MESSAGE_OVERHEAD_BYTES) });
    await run('DELETE FROM chat_messages WHERE chat_id = $1::uuid AND octet_length(content) < 5', chats[2]);
    expect(await readUsage(id)).toEqual({ chats: 2, bytes: 24 + 3 * MESSAGE_OVERHEAD_BYTES });
    await run('TRUNCATE chat_messages');
    expect(await readUsage(id)).toEqual({ chats: 2, bytes: 0 });
    await run('TRUNCATE chats CASCADE');
    expect(await readUsage(id)).toEqual({ chats: 0, bytes: 0 });
  });
});

testOnMain('a chat gets its default servers or an error, never a part of them', async () => {
  await gateway.database.query(
    `INSERT INTO mcp_server_configs (id, display_name, slug, url, availability, enabled)
     SELECT gen_random_uuid(), 'S', 'default-' || n, 'https://s.example.com', 'default_on', true
     FROM generate_series(1, 201) n`,
  );
  const { token } = await createMember('defaults@example.com');
  const query = 'mutation ($input: CreateChatInput!) { createChat(input: $input) { mcpServerIds } }';
  const begin = (input: object) => gateway.graphql(query, { token, variables: { input } });
  const refused = await begin({});
  expect(issuesOf(refused)).toEqual(['mcpServerIds: TOO_MANY']);
  expect(refused.errors?.[0].message).toContain('select its servers');
  expect((await begin({ mcpServerIds: [] })).data.createChat.mcpServerIds).toEqual([]);
  await gateway.database.query(`UPDATE mcp_server_configs SET enabled = false WHERE slug = 'default-1'`);
  expect((await begin({})).data.createChat.mcpServerIds).toHaveLength(200);
});
