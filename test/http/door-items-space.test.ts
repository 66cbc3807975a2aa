import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withPrisma } from '../graphql/encryption-key-rows.ts';
import {
  CASES,
  expectedSource,
  expectedState,
  type PlacedCase,
  placeCases,
  placeChat,
} from '../graphql/governance-space.ts';
import { type HostileUpstream, startHostileUpstream } from '../setup/hostile-upstream.ts';
import { readMessages } from './door-messages.ts';
import { type DoorWorld, openDoorWorld } from './door-world.ts';

// The governance of resources and prompts: what is not listed is not read.

type Place = 'own' | 'chatAll' | 'chatNone' | 'server';
const KINDS = ['resources', 'prompts'] as const;
type Kind = (typeof KINDS)[number];
/** What a config exposes. */
const EXPOSED: readonly (readonly Kind[])[] = [[], ['resources'], ['prompts']];
type SpaceCase = PlacedCase & { exposed: readonly Kind[] };

let world: DoorWorld;
let upstream: HostileUpstream;
let cases: SpaceCase[];
const chats: Record<'chatAll' | 'chatNone', string> = { chatAll: '', chatNone: '' };
/** Of the place whose states do not matter, such as one that does not exist. */
const NEVER = 'never';

beforeAll(async () => {
  upstream = await startHostileUpstream();
  upstream.onMethod('/space', {
    initialize: ({ params }) => ({
      protocolVersion: params['protocolVersion'],
      capabilities: { tools: {}, resources: {}, prompts: {} },
      serverInfo: { name: 'space', version: '1' },
    }),
    'resources/list': () => ({ resources: [{ uri: 'space://one', name: 'one' }] }),
    'resources/read': ({ params }) => ({ contents: [{ uri: params['uri'], text: 'read' }] }),
    'prompts/list': () => ({ prompts: [{ name: 'one' }] }),
    'prompts/get': () => ({ messages: [{ role: 'user', content: { type: 'text', text: 'got' } }] }),
  });
  world = await openDoorWorld({ env: { GATEHOUSE_MAX_TOOL_CALLS_PER_MINUTE: '100000' } });
  const { gateway } = world;
  const { member } = gateway.userIds;
  const distinct = CASES.filter(
    ({ authType, connection, allow, deny }) =>
      allow.length + deny.length === 0 && (authType === 'oauth2' || (authType === 'none' && connection === 'none')),
  )
    .flatMap((each) => EXPOSED.map((exposed) => ({ ...each, exposed })))
    // While a token does not open, each request reads the connections anew. One of these cases is enough.
    .filter(
      ({ connection, availability, exposed }) =>
        connection !== 'lost' || (availability === 'force_on' && exposed.length > 0),
    );
  const placed = await placeCases(gateway, [member], distinct, upstream.urlOf('/space'));
  cases = placed.map((each, index) => ({ ...each, exposed: distinct[index]?.exposed ?? [] }));
  await withPrisma(gateway, async (prisma) => {
    for (const [kind, column] of [
      ['resources', 'exposeResources'],
      ['prompts', 'exposePrompts'],
    ] as const) {
      const ids = cases.filter(({ exposed }) => exposed.includes(kind)).map(({ id }) => id);
      await prisma.mcpServerConfig.updateMany({ where: { id: { in: ids } }, data: { [column]: true } });
    }
  });
  const all = cases.map(({ id }) => id);
  chats.chatAll = await placeChat(gateway, member, all);
  chats.chatNone = await placeChat(gateway, member, []);
});
afterAll(async () => {
  await world?.close();
  await upstream?.close();
});

/** Whether a server is behind a door, written independently of the gateway's code. */
function isBehind(place: Place, each: SpaceCase): boolean {
  if (place === 'own') return each.enabled && each.availability !== 'default_off';
  if (place === 'server') return each.enabled;
  return expectedSource(each, place === 'chatAll') !== undefined;
}

/** What asking must answer with: the code of a refusal, or `read`. */
function expectedCode(place: Place, each: SpaceCase, kind: Kind): string {
  if (!isBehind(place, each) || !each.exposed.includes(kind)) return 'NOT_FOUND';
  const state = expectedState(each);
  return state === 'READY' ? 'read' : state;
}

const pathOf = (place: Exclude<Place, 'server'>): string => (place === 'own' ? '/mcp' : `/mcp/chats/${chats[place]}`);
type Role = 'member' | 'service';

async function send(path: string, method: string, params: object, role: Role = 'member'): Promise<any> {
  const message = { jsonrpc: '2.0', id: 1, method, params };
  const messages = await readMessages(await world.post(path, message, { token: world.gateway.tokens[role] }));
  return messages.at(-1);
}

async function list(path: string, kind: Kind, role?: Role): Promise<string[]> {
  const { result } = await send(path, `${kind}/list`, {}, role);
  return result[kind].map(({ uri, name }: { uri?: string; name: string }) =>
    kind === 'prompts' ? name.replace(/__one$/, '') : /^gatehouse:\/\/(.+)\/space%3A%2F%2Fone$/.exec(uri ?? '')?.[1],
  );
}

const ask = (path: string, slug: string, kind: Kind, role?: Role): Promise<any> =>
  kind === 'prompts'
    ? send(path, 'prompts/get', { name: `${slug}__one` }, role)
    : send(path, 'resources/read', { uri: `gatehouse://${slug}/space%3A%2F%2Fone` }, role);

const toCode = (answer: any): string => (answer.error === undefined ? 'read' : (answer.error.data?.code ?? 'none'));

/** A few at once: the order does not matter, and one after the other takes long. */
async function inTurns<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items];
  const next = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: 4 }, next));
}

describe.each(['own', 'chatAll', 'chatNone'] as const)('at the door %s', (place) => {
  test.each(KINDS)('%s that are listed are read, and nothing else is', async (kind) => {
    const expected = Object.fromEntries(cases.map((each) => [each.slug, expectedCode(place, each, kind)]));
    const listed = Object.keys(expected).filter((slug) => expected[slug] === 'read');
    // On a busy machine some servers are late for the first list.
    await expect.poll(() => list(pathOf(place), kind), { timeout: 60_000 }).toEqual(listed);
    expect(listed.length).toBeGreaterThan(1);
    const asMember = place === 'own' ? `?user=${world.gateway.userIds.member}` : '';
    await expect.poll(() => list(`${pathOf(place)}${asMember}`, kind, 'service'), { timeout: 60_000 }).toEqual(listed);

    const method = kind === 'prompts' ? 'prompts/get' : 'resources/read';
    const seen = () => upstream.seen('/space').filter((each) => each === method).length;
    const before = seen();
    const found: Record<string, string> = {};
    const words = new Set<string>();
    await inTurns([...cases, { slug: NEVER }], async ({ slug }) => {
      const answer = await ask(pathOf(place), slug, kind);
      found[slug] = toCode(answer);
      if (found[slug] === 'NOT_FOUND') words.add(JSON.stringify(answer));
      if (found[slug] === 'NEEDS_CONNECT') expect(answer.error.data.connectUrl).toMatch(/oauth2\/connect$/);
    });
    expect(found).toEqual({ ...expected, [NEVER]: 'NOT_FOUND' });
    expect(seen() - before).toBe(listed.length);
    // What is hidden, and what does not expose them, answers in the words for what never was.
    expect(words.size).toBe(1);
  });
});

test("at the servers' own doors, as far as each exposes them", async () => {
  await inTurns(cases, async (each) => {
    const path = `/mcp/servers/${each.slug}`;
    if (!each.enabled) return;
    for (const kind of KINDS) {
      const answer =
        kind === 'prompts'
          ? await send(path, 'prompts/get', { name: 'one' })
          : await send(path, 'resources/read', { uri: 'space://one' });
      const listed = await send(path, `${kind}/list`, {});
      const count = async () => (await send(path, `${kind}/list`, {})).result[kind].length;
      if (!each.exposed.includes(kind)) {
        expect([answer.error.code, listed.error.code], each.slug).toEqual([-32_601, -32_601]);
        continue;
      }
      const code = expectedCode('server', each, kind);
      expect(toCode(answer), each.slug).toBe(code);
      await expect.poll(count, { message: each.slug }).toBe(code === 'read' ? 1 : 0);
    }
  });
});

test('a token for some servers reads of no other', async () => {
  const { gateway } = world;
  const ready = cases.filter((each) => expectedCode('own', each, 'resources') === 'read');
  const [mine, other] = ready as [SpaceCase, SpaceCase];
  const input = { userId: gateway.userIds.member, name: 'few', scopes: ['MCP'], mcpServerIds: [mine.id] };
  const { data, errors } = await gateway.graphql(
    'mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }',
    { token: gateway.tokens.admin, variables: { input } },
  );
  expect(errors).toBeUndefined();
  const sendLimited = async (method: string, params: object) => {
    const message = { jsonrpc: '2.0', id: 1, method, params };
    return (await readMessages(await world.post('/mcp', message, { token: data.createApiToken.token }))).at(-1);
  };
  const listLimited = async () => (await sendLimited('resources/list', {})).result.resources.map(({ uri }: any) => uri);
  await expect.poll(listLimited).toEqual([`gatehouse://${mine.slug}/space%3A%2F%2Fone`]);
  const uriOf = (slug: string) => ({ uri: `gatehouse://${slug}/space%3A%2F%2Fone` });
  const refused = await sendLimited('resources/read', uriOf(other.slug));
  expect(refused).toEqual(await sendLimited('resources/read', uriOf(NEVER)));
  expect(toCode(await sendLimited('resources/read', uriOf(mine.slug)))).toBe('read');
});
