import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import type { ChatCaller } from './chat-operations.ts';
import { CASES, expectedSource, expectedState, type PlacedCase, placeCases, placeChat } from './governance-space.ts';

let gateway: TestGateway;
let cases: PlacedCase[];
let chats: Record<'member' | 'admin', Record<'all' | 'none', string>>;
beforeAll(async () => {
  gateway = await createTestGateway();
  const { member, admin } = gateway.userIds;
  // One config without sign-in represents the three such auth types in each state.
  const distinct = CASES.filter(
    ({ authType, connection }) => authType === 'oauth2' || (authType === 'none' && connection === 'none'),
  );
  cases = await placeCases(gateway, [member, admin], distinct);
  const all = cases.map(({ id }) => id);
  const place = async (owner: string) => ({
    all: await placeChat(gateway, owner, all),
    none: await placeChat(gateway, owner, []),
  });
  chats = { member: await place(member), admin: await place(admin) };
});
afterAll(() => gateway?.close());

interface Question {
  configId: string;
  chatId: string;
  tool?: string;
}

/** As many questions per document as allowed. */
async function askAll(caller: ChatCaller, questions: readonly Question[]) {
  const answers: any[] = [];
  for (let first = 0; first < questions.length; first += 15) {
    const fields = questions.slice(first, first + 15).map((question, index) => {
      const args = Object.entries(question).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
      return `q${index}: explainMcpServer(${args.join(', ')}) { available checks { name outcome } }`;
    });
    const { data, errors } = await gateway.graphql(`{ ${fields.join(' ')} }`, { token: gateway.tokens[caller] });
    expect(errors).toBeUndefined();
    answers.push(...Object.values(data));
  }
  return answers;
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

function expectedLetters(each: PlacedCase, isSelected: boolean, asker: 'member' | 'staff', owner: string): string {
  if (asker === 'member' && !each.enabled) return 'FSSSSSSSSS';
  /** These servers were never called, and none pins its tools. */
  const skipped = undefined;
  const passes = [
    true,
    each.enabled || owner !== 'member',
    each.enabled,
    true,
    // A forced server needs no selection; the enabled switch is a separate check.
    expectedSource({ ...each, enabled: true }, isSelected) !== undefined,
    skipped,
    expectedState(each) === 'READY',
    skipped,
    !each.deny.includes('read') && (each.allow.length === 0 || each.allow.includes('read')),
    skipped,
  ];
  return passes.map((passed) => (passed === undefined ? 'S' : passed ? 'P' : 'F')).join('');
}

test.each([
  ['member', 'member', 'all'],
  ['member', 'member', 'none'],
  ['service', 'member', 'all'],
  ['auditor', 'member', 'none'],
  ['admin', 'admin', 'all'],
] as const)('a %s gets each check for a %s who selected %s', async (asker, owner, chosen) => {
  const chatId = chats[owner][chosen];
  const questions = cases.map(({ id: configId }) => ({ configId, chatId, tool: 'read' }));
  const answers = await askAll(asker, questions);
  for (const [index, each] of cases.entries()) {
    const letters = toLetters(answers[index]);
    const expected = expectedLetters(each, chosen === 'all', asker === 'member' ? 'member' : 'staff', owner);
    expect(letters, JSON.stringify(each)).toBe(expected);
    expect(answers[index].available).toBe(!expected.includes('F'));
  }
});

test('available agrees with the servers that the chat gets, apart from tools', async () => {
  const { all } = chats.member;
  const answers = await askAll(
    'service',
    cases.map(({ id: configId }) => ({ configId, chatId: all })),
  );
  const query = `{ chat(id: "${all}") { mcpServers { state config { id } } } }`;
  const { data } = await gateway.graphql(query, { token: gateway.tokens.service });
  const ready = data.chat.mcpServers.filter((server: any) => server.state === 'READY');
  const available = cases.filter((_each, index) => answers[index].available);
  expect(available.map(({ id }) => id)).toEqual(ready.map((server: any) => server.config.id));
  expect(available.length).toBeGreaterThan(20);
});
