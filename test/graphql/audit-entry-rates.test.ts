import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { cookieOf } from '../http/browser-session.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { entriesOf } from './audit-entries.ts';
import { newChat } from './chat-operations.ts';

const OWN = { capacity: 15, perSecond: 2 };
const FOR_OTHERS = { capacity: 100, perSecond: 20 };
const CHATS = '/api/experimental/chats';

let gateway: TestGateway;
let chatId: string;
beforeAll(async () => {
  gateway = await createTestGateway({
    entryLimits: { admin: FOR_OTHERS, service: FOR_OTHERS, auditor: OWN, member: OWN },
  });
  chatId = (await newChat(gateway, 'member')).id;
});
afterAll(() => gateway?.close());
/** Every limit is full again. */
beforeEach(() => gateway.clock.advance(86_400_000));

const token = () => gateway.tokens.member;
const bearer = () => ({ authorization: `Bearer ${token()}` });
const ask = (query: string, variables?: object) => gateway.graphql(query, { token: token(), variables });

let titles = 0;
/** Renames the chat so often, in one operation. @returns whether a limit ended it */
async function isRefused(times: number): Promise<boolean> {
  const fields = Array.from({ length: times }, (_, index) => {
    titles += 1;
    return `r${index}: updateChat(input: { id: "${chatId}", title: "Title ${titles}" }) { chat { id } }`;
  });
  const { errors = [] } = await ask(`mutation { ${fields.join(' ')} }`);
  for (const { extensions } of errors) expect(extensions.code).toBe('RATE_LIMITED');
  return errors.length > 0;
}

/** Uses the member's limit up. */
async function useUp(): Promise<void> {
  await isRefused(OWN.capacity);
  expect(await isRefused(1)).toBe(true);
}

const openSession = () => gateway.fetch('/auth/session', { method: 'POST', headers: bearer() });
const createToken = () => ask('mutation { createApiToken(input: { name: "t" }) { token apiToken { id } } }');
const revoke = (id: string) => ask('mutation ($id: UUID!) { revokeApiToken(id: $id) { apiToken { id } } }', { id });
/** Everything that a user has. */
const count = async () => {
  const tables = ['chats', 'chat_messages', 'api_tokens', 'sessions'];
  const counts = tables.map((table) => `(SELECT count(*)::int FROM ${table}) AS ${table}`);
  return (await gateway.database.query(`SELECT ${counts.join(', ')}`))[0];
};

describe('a member who causes too many audit entries', () => {
  test('is refused whatever they do next, nothing is changed or recorded, and a second brings two actions', async () => {
    await useUp();
    const before = await count();
    const entries = await entriesOf(gateway, async () => {
      const session = await openSession();
      expect([session.status, session.headers.get('retry-after')]).toEqual([429, '1']);
      const chat = await gateway.fetch(CHATS, {
        method: 'POST',
        headers: { ...bearer(), 'content-type': 'application/json' },
        body: '{}',
      });
      expect([chat.status, chat.headers.get('retry-after')]).toEqual([429, '1']);
      expect(await chat.json()).toMatchObject({ code: 'RATE_LIMITED' });
      for (const answer of [
        await createToken(),
        await ask(`mutation { createChat(input: {}) { id } }`),
        await ask(`mutation { createChatMessage(input: { chatId: "${chatId}", content: "x" }) { id } }`),
        await ask(`mutation { deleteChat(input: { id: "${chatId}" }) { deletedId } }`),
      ]) {
        expect(answer.errors?.[0].extensions.code).toBe('RATE_LIMITED');
        expect(answer.errors?.[0].message).toContain('Nothing was changed');
      }
    });
    expect(entries).toEqual([]);
    expect(await count()).toEqual(before);
    gateway.clock.advance(1_000);
    expect((await createToken()).errors).toBeUndefined();
    expect(await isRefused(1)).toBe(false);
    expect(await isRefused(1)).toBe(true);
  });

  test('still reads, is recorded when refused, and changes nothing without an entry', async () => {
    await useUp();
    const { data } = await ask(`{ chat(id: "${chatId}") { title } }`);
    const entries = await entriesOf(gateway, async () => {
      expect((await ask('{ encryptionKeys { number } }')).errors?.[0].extensions.code).toBe('FORBIDDEN');
      const same = `updateChat(input: { id: "${chatId}", title: "${data.chat.title}" }) { chat { id } }`;
      expect((await ask(`mutation { ${same} }`)).errors).toBeUndefined();
    });
    expect(entries.map(({ action }) => action)).toEqual(['access.denied']);
  });

  test('still ends sessions and revokes tokens, each once', async () => {
    const { data } = await createToken();
    const { token: stolen, apiToken } = data.createApiToken;
    const cookies = [cookieOf(await openSession()), cookieOf(await openSession())];
    const own = await gateway.graphql('{ viewer { sessions { id isCurrent } } }', {
      headers: { cookie: cookies[0] ?? '', origin: gateway.config.publicUrl },
    });
    const others = own.data.viewer.sessions.filter((each: { isCurrent: boolean }) => !each.isCurrent);
    await useUp();
    const entries = await entriesOf(gateway, async () => {
      const end = 'mutation ($id: UUID!) { endSession(input: { id: $id }) { endedId } }';
      expect((await ask(end, { id: others[0].id })).errors).toBeUndefined();
      const headers = { cookie: cookies[0] ?? '', origin: gateway.config.publicUrl };
      expect((await gateway.fetch('/auth/session', { method: 'DELETE', headers })).status).toBe(204);
      for (let round = 0; round < 3; round += 1) expect((await revoke(apiToken.id)).errors).toBeUndefined();
    });
    expect(entries.map(({ action }) => action)).toEqual(['session.end', 'session.end', 'apiToken.revoke']);
    expect((await gateway.graphql('{ viewer { id } }', { token: stolen })).status).toBe(401);
  });

  test('keeps nobody else from anything', async () => {
    await useUp();
    await newChat(gateway, 'admin');
    await newChat(gateway, 'bootstrap');
    const { status } = await gateway.fetch('/auth/session', {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.tokens.auditor}` },
    });
    expect(status).toBe(201);
  });
});
