import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestTool } from '../../src/domain/catalogue/tool-definition.ts';
import { withPrisma } from '../graphql/encryption-key-rows.ts';
import {
  CASES,
  type Case,
  expectedSource,
  expectedState,
  type PlacedCase,
  placeCases,
  placeChat,
} from '../graphql/governance-space.ts';
import { type HostileUpstream, startHostileUpstream } from '../setup/hostile-upstream.ts';
import { callMessage, readResult } from './door-messages.ts';
import { type DoorWorld, openDoorWorld } from './door-world.ts';

/** How a config keeps its tools: as they come, pinned and approved, or pinned and changed since. */
const PINS = ['auto', 'approved', 'changed'] as const;
type Pin = (typeof PINS)[number];
type Place = 'own' | 'chatAll' | 'chatNone' | 'server';
type SpaceCase = PlacedCase & { pin: Pin };

let world: DoorWorld;
let upstream: HostileUpstream;
let cases: SpaceCase[];
const chats: Record<'chatAll' | 'chatNone', string> = { chatAll: '', chatNone: '' };

beforeAll(async () => {
  upstream = await startHostileUpstream();
  upstream.onMethod('/space', {});
  world = await openDoorWorld({ env: { GATEHOUSE_MAX_TOOL_CALLS_PER_MINUTE: '100000' } });
  const { gateway } = world;
  const { member, admin } = gateway.userIds;
  // One config without sign-in represents the three such auth types in each state.
  const distinct = CASES.filter(
    ({ authType, connection }) => authType === 'oauth2' || (authType === 'none' && connection === 'none'),
  )
    .flatMap((each) => PINS.map((pin) => ({ ...each, pin })))
    .filter(isDistinct);
  const placed = await placeCases(gateway, [member, admin], distinct, upstream.urlOf('/space'));
  cases = placed.map((each, index) => ({ ...each, pin: (distinct[index] as { pin: Pin }).pin }));
  const all = cases.map(({ id }) => id);
  await withPrisma(gateway, async (prisma) => {
    const pinned = cases.filter(({ pin }) => pin !== 'auto').map(({ id }) => id);
    await prisma.mcpServerConfig.updateMany({ where: { id: { in: pinned } }, data: { toolApproval: 'pin' } });
  });
  const read = { name: 'read', inputSchema: { type: 'object' } } as const;
  await gateway.database.query(
    `INSERT INTO mcp_server_tools (id, mcp_server_config_id, name, skeleton, definition, digest, status)
     SELECT gen_random_uuid(), id, 'read', 'read', $1, $2, 'listed' FROM mcp_server_configs`,
    [JSON.stringify(read), digestTool(read)],
  );
  await gateway.database.query(
    `UPDATE mcp_server_tools SET approved_digest = digest, approved_at = now() WHERE mcp_server_config_id = ANY($1::uuid[])`,
    [cases.filter(({ pin }) => pin === 'approved').map(({ id }) => id)],
  );
  await gateway.database.query(
    `UPDATE mcp_server_tools SET approved_digest = repeat('0', 64), approved_at = now() WHERE mcp_server_config_id = ANY($1::uuid[])`,
    [cases.filter(({ pin }) => pin === 'changed').map(({ id }) => id)],
  );
  chats.chatAll = await placeChat(gateway, member, all);
  chats.chatNone = await placeChat(gateway, member, []);
});
afterAll(async () => {
  await world?.close();
  await upstream?.close();
});

/**
 * Whether a case is one of those that are tried. All combinations of tool lists and pins are, of the open servers that
 * are forced on. Where one of them must not matter, they vary one at a time: with availability, and on servers that are
 * not open.
 */
function isDistinct({ pin, ...each }: Case & { pin: Pin }): boolean {
  const isPlain = each.allow.length + each.deny.length === 0;
  const variesOne = isPlain || pin === 'auto';
  const isForced = each.availability === 'force_on';
  const isReady = expectedState(each) === 'READY';
  if (each.enabled && isReady) return isForced || variesOne;
  const isSimplest = isPlain && pin === 'auto';
  // While a token does not open, each request reads the connections anew.
  if (!isForced || each.connection === 'lost') return isSimplest;
  if (!each.enabled && each.connection !== 'connected') return isSimplest;
  return variesOne;
}

/** Whether a server is behind a door, written independently of the gateway's code. */
function isBehind(place: Place, each: SpaceCase): boolean {
  if (place === 'own') return each.enabled && each.availability !== 'default_off';
  if (place === 'server') return each.enabled;
  return expectedSource(each, place === 'chatAll') !== undefined;
}

/** What a call of `read` must answer with: the code of a refusal, or `called`. */
function expectedCode(place: Place, each: SpaceCase): string {
  if (!isBehind(place, each)) return 'NOT_FOUND';
  const state = expectedState(each);
  if (state !== 'READY') return state;
  if (each.deny.includes('read')) return 'DENIED';
  if (each.allow.length > 0 && !each.allow.includes('read')) return 'NOT_ALLOWED';
  return each.pin === 'changed' ? 'PENDING' : 'called';
}

const pathOf = (place: Exclude<Place, 'server'>): string => (place === 'own' ? '/mcp' : `/mcp/chats/${chats[place]}`);
type Role = 'member' | 'service' | 'admin';
const send = (path: string, message: object, role: Role) =>
  world.post(path, message, { token: world.gateway.tokens[role] });
const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };
const listNames = async (path: string, role: Role): Promise<string[]> => {
  const { tools } = await readResult(await send(path, LIST, role));
  return tools.map(({ name }: { name: string }) => name).filter((name: string) => name !== 'gatehouse__status');
};
const expectedNames = (place: Place): string[] =>
  cases.filter((each) => expectedCode(place, each) === 'called').map(({ slug }) => `${slug}__read`);

/** A few at once: the order does not matter, and one after the other takes long. */
async function inTurns<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items];
  const next = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: 4 }, next));
}

describe.each(['own', 'chatAll', 'chatNone'] as const)('at the door %s', (place) => {
  const argument = () => (place === 'own' ? '' : `(chatId: "${chats[place]}")`);

  test('what is listed is what must be, what effectiveMcpTools says, and what a service gets', async () => {
    const names = await listNames(pathOf(place), 'member');
    expect(names).toEqual(expectedNames(place));
    expect(names.length).toBeGreaterThan(place === 'chatNone' ? 5 : 10);
    const query = `{ effectiveMcpTools${argument()} { tool { shownAs } } }`;
    const { data } = await world.gateway.graphql(query, { token: world.gateway.tokens.member });
    expect(data.effectiveMcpTools.map((each: any) => each.tool.shownAs)).toEqual(names);
    // The same to a service, which asks about the user.
    const about = place === 'own' ? `(userId: "${world.gateway.userIds.member}")` : argument();
    const asked = await world.gateway.graphql(`{ effectiveMcpTools${about} { tool { shownAs } } }`, {
      token: world.gateway.tokens.service,
    });
    expect(asked.data).toEqual(data);
    const query_ = place === 'own' ? `?user=${world.gateway.userIds.member}` : '';
    expect(await listNames(`${pathOf(place)}${query_}`, 'service')).toEqual(names);
    if (place === 'own') expect(await listNames('/mcp', 'admin')).toEqual(names);
  });

  test('what is listed is called, and nothing else is', async () => {
    const found: Record<string, string> = {};
    let calls = 0;
    const countGot = () => upstream.seen('/space').filter((method) => method === 'tools/call').length;
    const before = countGot();
    const words = new Set<string>();
    await inTurns(cases, async (each) => {
      const answer = await send(pathOf(place), callMessage(`${each.slug}__read`), 'member');
      const result = await readResult(answer);
      found[each.slug] = result.isError === true ? result._meta['gatehouse/code'] : 'called';
      if (found[each.slug] === 'called') calls += 1;
      if (found[each.slug] === 'NOT_FOUND') words.add(JSON.stringify(result));
    });
    expect(found).toEqual(Object.fromEntries(cases.map((each) => [each.slug, expectedCode(place, each)])));
    expect(calls).toBe(expectedNames(place).length);
    expect(countGot() - before).toBe(calls);
    // Hidden ones answer in the words for one that never was.
    words.add(JSON.stringify(await readResult(await send(pathOf(place), callMessage('never__read'), 'member'))));
    expect(words.size).toBe(1);
  });
});

test.each(['member', 'admin', 'service'] as const)("at the servers' own doors, for a %s", async (role) => {
  // A service acts as the member.
  const query = role === 'service' ? `?user=${world.gateway.userIds.member}` : '';
  const never = await (await send(`/mcp/servers/never${query}`, LIST, role)).text();
  await inTurns(cases, async (each) => {
    const path = `/mcp/servers/${each.slug}${query}`;
    const listed = await send(path, LIST, role);
    if (!each.enabled && role !== 'admin') {
      expect([listed.status, await listed.text()]).toEqual([404, never]);
      return;
    }
    const { tools } = await readResult(listed);
    const code = each.enabled ? expectedCode('server', each) : 'DISABLED';
    expect(tools.filter(({ name }: any) => name === 'read').length, JSON.stringify(each)).toBe(
      code === 'called' ? 1 : 0,
    );
    if (role === 'admin') return;
    const result = await readResult(await send(path, callMessage('read'), role));
    expect(result.isError === true ? result._meta['gatehouse/code'] : 'called', JSON.stringify(each)).toBe(code);
  });
});

// Without a chat, explainMcpServer is about the server itself, as its own door is.
test.each(['chatAll', 'chatNone', 'server'] as const)(
  'what is listed at the door %s is what explainMcpServer calls available',
  async (place) => {
    const chat = place === 'server' ? '' : `, chatId: "${chats[place]}"`;
    const available: string[] = [];
    for (let first = 0; first < cases.length; first += 15) {
      const some = cases.slice(first, first + 15);
      const fields = some.map(
        ({ id }, index) => `q${index}: explainMcpServer(configId: "${id}"${chat}, tool: "read") { available }`,
      );
      const { data, errors } = await world.gateway.graphql(`{ ${fields.join(' ')} }`, {
        token: world.gateway.tokens.member,
      });
      expect(errors).toBeUndefined();
      for (const [index, { slug }] of some.entries()) if (data[`q${index}`].available) available.push(`${slug}__read`);
    }
    // The test above has compared the servers' own doors with what is expected.
    const listed = place === 'server' ? expectedNames(place) : await listNames(pathOf(place), 'member');
    expect(available).toEqual(listed);
  },
);
