import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import { type BreakableDatabase, makeBreakable } from '../setup/breakable-database.ts';
import { openTestDatabase } from '../setup/database.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { type ChatCaller, newChat, readChat, writeMessage } from './chat-operations.ts';
import { createId, update } from './config-operations.ts';
import { expectedSource, expectedState, type PlacedCase, placeCases, placeChat } from './governance-space.ts';

describe('in every case', () => {
  let gateway: TestGateway;
  let cases: PlacedCase[];
  const chats: { caller: ChatCaller; isSelected: boolean; id: string }[] = [];
  beforeAll(async () => {
    gateway = await createTestGateway();
    const owners = ['member', 'admin', 'auditor'] as const;
    cases = await placeCases(
      gateway,
      owners.map((owner) => gateway.userIds[owner]),
    );
    const all = cases.map(({ id }) => id);
    for (const owner of owners) {
      for (const isSelected of [true, false]) {
        const id = await placeChat(gateway, gateway.userIds[owner], isSelected ? all : []);
        chats.push({ caller: owner, isSelected, id });
      }
    }
  });
  afterAll(() => gateway?.close());

  test.each(['owner', 'service'] as const)('the %s gets exactly the servers that apply in a chat', async (asker) => {
    expect(cases.length).toBe(480);
    for (const { caller, isSelected, id } of chats) {
      const { mcpServers } = await readChat(gateway, asker === 'owner' ? caller : asker, id);
      const actual = mcpServers.map((server: any) => `${server.config.slug} ${server.source} ${server.state}`);
      const expected = cases.flatMap((each) => {
        const source = expectedSource(each, isSelected);
        return source === undefined ? [] : [`${each.slug} ${source} ${expectedState(each)}`];
      });
      expect(actual, `${caller}, ${isSelected ? 'all' : 'none'} chosen`).toEqual(expected);
    }
  });

  test('each reason says why a server is there and whether it can be used', async () => {
    const words: Record<string, RegExp> = {
      FORCED: /^An admin added it to every chat\. /,
      SELECTED: /^It is selected for this chat\. /,
      READY: /It is ready to use\.$/,
      NEEDS_CONNECT: /You must connect your account first\.$/,
      RECONNECT: /; you must connect again\. It was ended\.$/,
      UNAVAILABLE: /cannot be decrypted; an admin must fix it\.$/,
    };
    const { mcpServers } = await readChat(gateway, 'member', chats[0]?.id ?? '');
    expect(mcpServers.length).toBeGreaterThan(200);
    for (const { source, state, reason } of mcpServers) {
      expect(reason).toMatch(words[source] ?? /never/);
      expect(reason).toMatch(words[state] ?? /never/);
    }
    const ofOther = await readChat(gateway, 'service', chats[0]?.id ?? '');
    const unconnected = ofOther.mcpServers.find(({ state }: any) => state === 'NEEDS_CONNECT');
    expect(unconnected.reason).toMatch(/The user must connect their account first\.$/);
  });

  test("a list of a member's chats gives the same as each chat alone", async () => {
    const query = '{ chats { nodes { id mcpServers { source state reason config { id slug } } } } }';
    const { data } = await gateway.graphql(query, { token: gateway.tokens.member });
    expect(data.chats.nodes).toHaveLength(2);
    for (const { id, mcpServers } of data.chats.nodes) {
      expect(mcpServers).toEqual((await readChat(gateway, 'member', id)).mcpServers);
    }
  });
});

describe('as things change', () => {
  let gateway: TestGateway;
  let database: Database;
  let breakable: BreakableDatabase;
  beforeAll(async () => {
    database = await openTestDatabase();
    breakable = makeBreakable(database);
    gateway = await createTestGateway({ database: breakable.database });
  });
  afterAll(async () => {
    await gateway?.close();
    await database?.close();
  });

  const slugsOf = async (id: string) =>
    (await readChat(gateway, 'member', id)).mcpServers.map(({ config, source }: any) => `${source} ${config.id}`);

  test('a forced server is in every chat, whatever is selected or cleared', async () => {
    const before = await newChat(gateway, 'member', { mcpServerIds: [] });
    const id = await createId(gateway, { availability: 'FORCE_ON', enabled: true });
    const other = await createId(gateway, { enabled: true });
    const chosen = await newChat(gateway, 'member', { mcpServerIds: [id, other] });
    const cleared = await newChat(gateway, 'member', { mcpServerIds: [id] });
    await writeMessage(gateway, 'member', { chatId: cleared.id, mcpServerIds: [] });
    for (const chat of [before, chosen, cleared]) expect(await slugsOf(chat.id)).toContain(`FORCED ${id}`);
    expect((await slugsOf(chosen.id)).filter((each: string) => each.endsWith(id))).toHaveLength(1);
    await update(gateway, id, { availability: 'DEFAULT_OFF' });
    expect(await slugsOf(chosen.id)).toContain(`SELECTED ${id}`);
    expect(await slugsOf(before.id)).toEqual([]);
    await update(gateway, id, { enabled: false });
    expect((await slugsOf(chosen.id)).join()).not.toContain(id);
  });

  test.each(['mcp_server_configs', 'mcp_server_user_tokens', 'mcp_server_ended_connections', 'feed_counter'])(
    'if %s cannot be read the answer is an error, never a smaller set',
    async (table) => {
      const oauth = {
        authType: 'OAUTH2',
        oauth2ClientId: 'client',
        oauth2AuthUrl: 'https://login.example.com/authorize',
        oauth2TokenUrl: 'https://login.example.com/token',
      };
      await createId(gateway, { ...oauth, availability: 'FORCE_ON', enabled: true });
      const { id } = await newChat(gateway, 'member', { mcpServerIds: [] });
      /** Forces memory to be read again. */
      const breakReads = async () => {
        await gateway.database.query(
          'UPDATE feed_counter SET touches = touches + 1, config_touches = config_touches + 1',
        );
        breakable.broken = table;
      };
      for (const query of [
        `{ chat(id: "${id}") { id mcpServers { source } } }`,
        '{ chats { nodes { id mcpServers { source } } } }',
      ]) {
        await breakReads();
        const answer = await gateway.graphql(query, { token: gateway.tokens.member });
        breakable.broken = undefined;
        expect(answer.errors?.[0].extensions.code).toBe('INTERNAL_SERVER_ERROR');
        expect(JSON.stringify(answer.data ?? null)).not.toContain('mcpServers');
        const again = await gateway.graphql(query, { token: gateway.tokens.member });
        expect(JSON.stringify(again.data)).toContain('FORCED');
      }
      await breakReads();
      const rest = await gateway.fetch(`/api/experimental/chats/${id}`, {
        headers: { authorization: `Bearer ${gateway.tokens.member}` },
      });
      breakable.broken = undefined;
      expect(rest.status).toBe(500);
      expect(await rest.text()).not.toContain('mcp_servers');
    },
  );
});
