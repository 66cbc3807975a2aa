import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { type ChatCaller, newChat } from './chat-operations.ts';
import { createId } from './config-operations.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway?.close());

interface Question {
  configId: string;
  chatId?: string | undefined;
  userId?: string | undefined;
  tool?: string | undefined;
}

const FIELDS = 'configId userId available summary checks { name outcome reason remedy }';

async function ask(caller: ChatCaller, question: Question) {
  const query = `query ($configId: UUID!, $chatId: UUID, $userId: UUID, $tool: String) {
    explainMcpServer(configId: $configId, chatId: $chatId, userId: $userId, tool: $tool) { ${FIELDS} } }`;
  return gateway.graphql(query, { token: gateway.tokens[caller], variables: question });
}

const NAMES = ['EXISTS', 'VISIBLE', 'ENABLED', 'AVAILABILITY', 'SELECTED', 'REACHABLE', 'CONNECTED'].concat([
  'TOOL_KNOWN',
  'TOOL_ALLOWED',
  'TOOL_APPROVED',
]);

/** The outcomes in order, one letter each: passed, failed, skipped. */
function toLetters({ checks }: any): string {
  expect(checks.map(({ name }: { name: string }) => name)).toEqual(NAMES);
  return checks.map(({ outcome }: { outcome: string }) => outcome[0]).join('');
}

describe('the explanation', () => {
  test('has a remedy for each failed check, and the first of them as summary', async () => {
    const configId = await createId(gateway, { enabled: false, toolDenyList: ['read'] });
    const { id: chatId } = await newChat(gateway, 'member', { mcpServerIds: [] });
    const { data } = await ask('admin', { configId, chatId, tool: 'read' });
    const { checks, summary, available, userId } = data.explainMcpServer;
    expect({ available, userId }).toEqual({ available: false, userId: gateway.userIds.member });
    for (const { outcome, reason, remedy } of checks) {
      expect(reason).toMatch(/\.$/);
      if (outcome === 'FAILED') expect(remedy).toMatch(/\.$/);
      else expect(remedy).toBeNull();
    }
    const first = checks.find(({ outcome }: { outcome: string }) => outcome === 'FAILED');
    expect(first.name).toBe('VISIBLE');
    expect(summary).toBe(`${first.reason} ${first.remedy}`);
  });

  test('without chat and tool skips these checks and is about the caller', async () => {
    const configId = await createId(gateway, { enabled: true });
    const { data } = await ask('member', { configId });
    expect(toLetters(data.explainMcpServer)).toBe('PPPPSSPSSS');
    expect(data.explainMcpServer).toMatchObject({
      userId: gateway.userIds.member,
      available: true,
      summary: 'All checks passed.',
    });
  });

  test('is said to users who ask about themselves, and about them to others', async () => {
    const configId = await createId(gateway, {
      enabled: true,
      authType: 'OAUTH2',
      oauth2ClientId: 'client',
      oauth2AuthUrl: 'https://login.example.com/authorize',
      oauth2TokenUrl: 'https://login.example.com/token',
    });
    const { id: chatId } = await newChat(gateway, 'member', { mcpServerIds: [] });
    const wordsFor = async (caller: ChatCaller) => {
      const { checks } = (await ask(caller, { configId, chatId })).data.explainMcpServer;
      const said = (name: string) => checks.find((check: { name: string }) => check.name === name);
      return [said('VISIBLE').reason, said('SELECTED').remedy, said('CONNECTED').reason, said('CONNECTED').remedy];
    };
    expect(await wordsFor('member')).toEqual([
      'You can see it.',
      'You can select it for the chat, or an admin can force it on.',
      'You must connect your account first.',
      'You can connect it yourself.',
    ]);
    const aboutThem = [
      'The user can see it.',
      "The chat's owner can select it for the chat, or an admin can force it on.",
      'The user must connect their account first.',
      'The user can connect their account.',
    ];
    for (const caller of ['admin', 'auditor', 'service'] as const) expect(await wordsFor(caller)).toEqual(aboutThem);
  });

  test('mentions a suspended user, whatever the server', async () => {
    const configId = await createId(gateway, { enabled: true });
    const { data } = await ask('service', { configId, userId: gateway.userIds.suspended });
    expect(toLetters(data.explainMcpServer)).toBe('PFPPSSPSSS');
    expect(data.explainMcpServer.summary).toContain('suspended');
  });
});

describe('permissions', () => {
  const codesOf = ({ errors }: { errors?: any[] }) => errors?.map(({ extensions }) => extensions.code);

  test('a hidden server looks like a missing one to a member', async () => {
    const hidden = await createId(gateway, { displayName: 'Canary', enabled: false, toolDenyList: ['canary'] });
    const { id: chatId } = await newChat(gateway, 'member', { mcpServerIds: [] });
    for (const more of [{}, { chatId }, { tool: 'canary' }, { userId: gateway.userIds.member }]) {
      const answers = [];
      for (const configId of [hidden, randomUUID()]) {
        const answer = await ask('member', { configId, ...more });
        answers.push(JSON.stringify(answer).replaceAll(configId, 'id'));
      }
      expect(answers[0]).toBe(answers[1]);
      expect(answers[0]).not.toContain('Canary');
      expect(answers[0]).toContain('FAILED');
    }
  });

  test('a member can ask only about themselves; missing users look the same', async () => {
    const configId = await createId(gateway, { enabled: true });
    for (const userId of [gateway.userIds.admin, randomUUID()]) {
      expect(codesOf(await ask('member', { configId, userId }))).toEqual(['FORBIDDEN']);
    }
    const { id: chatId } = await newChat(gateway, 'admin', {});
    for (const id of [chatId, randomUUID()]) {
      expect(codesOf(await ask('member', { configId, chatId: id }))).toEqual(['NOT_FOUND']);
    }
    expect((await ask('member', { configId, userId: gateway.userIds.member })).errors).toBeUndefined();
  });

  test.each(['admin', 'auditor', 'service'] as const)('a %s can ask about any user and any chat', async (caller) => {
    const configId = await createId(gateway, { enabled: true });
    const { id: chatId } = await newChat(gateway, 'member', { mcpServerIds: [configId] });
    const userId = gateway.userIds.member;
    for (const question of [{ userId }, { chatId }, { chatId, userId }]) {
      const { data } = await ask(caller, { configId, ...question });
      expect(data.explainMcpServer).toMatchObject({ userId, available: true });
    }
    const mismatch = await ask(caller, { configId, chatId, userId: gateway.userIds.admin });
    expect(mismatch.errors?.[0].extensions.issues).toMatchObject([{ path: ['chatId'], code: 'NOT_THE_USERS' }]);
    expect(codesOf(await ask(caller, { configId, userId: randomUUID() }))).toEqual(['NOT_FOUND']);
    expect(codesOf(await ask(caller, { configId, chatId: randomUUID() }))).toEqual(['NOT_FOUND']);
  });

  test('an unauthenticated caller can ask nothing', async () => {
    const answer = await gateway.graphql(`{ explainMcpServer(configId: "${randomUUID()}") { summary } }`);
    expect(answer.status).toBe(401);
  });
});
