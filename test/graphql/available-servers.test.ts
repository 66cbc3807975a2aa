import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { newChat } from './chat-operations.ts';
import { expectedSource, expectedState, type PlacedCase, placeCases, placeChat } from './governance-space.ts';

const FIELDS = '{ config { slug } availability source state reason isLocked }';
const OWNERS = ['member', 'admin', 'auditor'] as const;

let gateway: TestGateway;
let cases: PlacedCase[];
const chats: { owner: (typeof OWNERS)[number]; isSelected: boolean; id: string }[] = [];

beforeAll(async () => {
  gateway = await createTestGateway();
  cases = await placeCases(
    gateway,
    OWNERS.map((owner) => gateway.userIds[owner]),
  );
  for (const owner of OWNERS) {
    for (const isSelected of [true, false]) {
      const ids = isSelected ? cases.map(({ id }) => id) : [];
      chats.push({ owner, isSelected, id: await placeChat(gateway, gateway.userIds[owner], ids) });
    }
  }
});
afterAll(() => gateway?.close());

interface Available {
  config: { slug: string };
  availability: string;
  source: string | null;
  state: string;
  reason: string;
  isLocked: boolean;
}

async function ask(caller: keyof TestGateway['tokens'], query: string) {
  const { data, errors } = await gateway.graphql(query, { token: gateway.tokens[caller] });
  expect(errors).toBeUndefined();
  return data;
}

const ofChat = async (caller: keyof TestGateway['tokens'], id: string): Promise<Available[]> =>
  (await ask(caller, `{ chat(id: "${id}") { availableMcpServers ${FIELDS} } }`)).chat.availableMcpServers;
const ofNewChat = async (caller: keyof TestGateway['tokens']): Promise<Available[]> =>
  (await ask(caller, `{ availableMcpServers ${FIELDS} }`)).availableMcpServers;

const toLine = ({ config, availability, source, state, isLocked }: Omit<Available, 'reason'>) =>
  `${config.slug} ${availability} ${source} ${state} ${isLocked}`;

/** What somebody gets, worked out apart from the gateway's code. */
function expectedLines(seesDisabled: boolean, isSelected: (each: PlacedCase) => boolean): string[] {
  return cases
    .filter(({ enabled }) => enabled || seesDisabled)
    .map((each) =>
      toLine({
        config: each,
        availability: each.availability.toUpperCase(),
        source: expectedSource(each, isSelected(each)) ?? null,
        state: each.enabled ? expectedState(each) : 'DISABLED',
        isLocked: each.availability === 'force_on',
      }),
    );
}

describe('in every case', () => {
  test("a chat's owner gets every server that they may see, with its place in the chat", async () => {
    for (const { owner, isSelected, id } of chats) {
      const lines = (await ofChat(owner, id)).map(toLine);
      expect(lines, `${owner}, ${isSelected ? 'all' : 'none'} chosen`).toEqual(
        expectedLines(owner !== 'member', () => isSelected),
      );
    }
  });

  test("a service gets the state of the chat's owner, not its own", async () => {
    for (const { isSelected, id } of chats) {
      expect((await ofChat('service', id)).map(toLine)).toEqual(expectedLines(true, () => isSelected));
    }
  });

  test('before there is a chat, it is the one that a new chat would be', async () => {
    for (const owner of OWNERS) {
      const lines = (await ofNewChat(owner)).map(toLine);
      expect(lines, owner).toEqual(
        expectedLines(owner !== 'member', ({ availability }) => availability === 'default_on'),
      );
    }
    const { mcpServers } = await newChat(gateway, 'admin', { mcpServerIds: await defaultIds() });
    const applying = (await ofNewChat('admin')).filter(({ source }) => source !== null);
    expect(applying.map(({ config, source, state }) => `${config.slug} ${source} ${state}`)).toEqual(
      mcpServers.map(({ config, source, state }: Available) => `${config.slug} ${source} ${state}`),
    );
  });

  test('each reason says why the server is in the chat or not, and whether it can be used', async () => {
    const words: Record<string, RegExp> = {
      FORCED: /^An admin added it to every chat\. /,
      SELECTED: /^It is selected for this chat\. /,
      null: /^It is not selected for this chat\. /,
      READY: /It is ready to use\.$/,
      NEEDS_CONNECT: /You must connect your account first\.$/,
      RECONNECT: /; you must connect again\. It was ended\.$/,
      UNAVAILABLE: /cannot be decrypted; an admin must fix it\.$/,
    };
    for (const { id } of chats.filter(({ owner }) => owner === 'admin')) {
      for (const { source, state, reason } of await ofChat('admin', id)) {
        // With an ended connection there is more to say.
        if (state === 'DISABLED') expect(reason).toMatch(/^An admin disabled it\./);
        else {
          expect(reason).toMatch(words[String(source)] ?? /never/);
          expect(reason).toMatch(words[state] ?? /never/);
        }
      }
    }
    const reasons = new Set((await ofNewChat('member')).map(({ reason }) => reason.split('. ')[0]));
    expect(reasons).toEqual(
      new Set([
        'An admin added it to every chat',
        'New chats select it by default',
        'New chats do not select it by default',
      ]),
    );
  });
});

test("another member's chat shows nothing, and nobody is asked to sign in", async () => {
  const [chat] = chats.filter(({ owner }) => owner === 'member');
  const query = `{ chat(id: "${chat?.id}") { availableMcpServers ${FIELDS} } }`;
  expect((await ask('admin', query)).chat).toBeNull();
  const { errors } = await gateway.graphql(`{ availableMcpServers ${FIELDS} }`);
  expect(errors?.[0].extensions.code).toBe('UNAUTHENTICATED');
});

test('is charged to the budget of the operation, each alias for itself', async () => {
  const perChat = expectedLines(false, () => true).length;
  const askFor = (aliases: number) => {
    const fields = Array.from({ length: aliases }, (_, index) => `a${index}: availableMcpServers { isLocked }`);
    return gateway.graphql(`{ chats { nodes { ${fields.join(' ')} } } }`, { token: gateway.tokens.auditor });
  };
  // Two chats of the auditor, who sees the disabled servers, too.
  expect(2 * perChat * 2 * 10).toBeLessThan(10_000);
  expect((await askFor(10)).errors).toBeUndefined();
  const { data, errors } = await askFor(11);
  expect(data ?? null).toBeNull();
  expect(errors).toMatchObject([{ extensions: { issues: [{ code: 'TOO_MANY' }] } }]);
});

async function defaultIds(): Promise<string[]> {
  const { mcpServerConfigs } = await ask(
    'admin',
    '{ mcpServerConfigs(first: 500, filter: { enabled: true, availability: DEFAULT_ON }) { nodes { id } } }',
  );
  return mcpServerConfigs.nodes.map(({ id }: { id: string }) => id);
}
