// On both databases: notifications, and the order of commits.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onMainDatabase } from '../setup/database.ts';
import { openFeedCursors } from '../setup/feed-cursors.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { CreateConfig, DeleteConfig, UpdateConfig } from '../setup/operations.ts';
import { type EventStream, openEvents, type ReceivedEvent } from './sse-client.ts';
import { insertUserToken } from './user-tokens.ts';

let gateway: TestGateway;
const streams: EventStream[] = [];
let slugs = 0;

beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(async () => {
  for (const stream of streams) await stream.close();
  await gateway?.close();
});

async function open(role: keyof TestGateway['tokens'], args: Parameters<typeof openEvents>[2] = {}) {
  const stream = await openEvents(gateway, gateway.tokens[role], args);
  streams.push(stream);
  return stream;
}

/** A stream that starts now: its bookmark has arrived, so later changes come next. */
async function follow(role: keyof TestGateway['tokens']): Promise<EventStream> {
  const stream = await open(role);
  expect(await stream.nextOfAny()).toMatchObject({ type: 'BOOKMARK' });
  return stream;
}

async function define(fields: { enabled?: boolean; url?: string } = {}): Promise<string> {
  slugs += 1;
  const slug = `e${slugs}`;
  const input = { displayName: slug, slug, url: 'https://mcp.example.com/mcp', ...fields };
  const { data } = await gateway.execute(CreateConfig, { token: gateway.tokens.admin, variables: { input } });
  return data.createMcpServerConfig.id;
}

async function change(id: string, patch: Record<string, unknown>): Promise<void> {
  await gateway.execute(UpdateConfig, { token: gateway.tokens.admin, variables: { id, patch } });
}

const remove = (id: string) => gateway.execute(DeleteConfig, { token: gateway.tokens.admin, variables: { id } });

const shorten = (event: ReceivedEvent | undefined) => [event?.type, event?.configId, event?.changedFields];

describe('a viewer receives the changes that they may see', () => {
  test('staff: everything, with the admin fields', async () => {
    const stream = await follow('admin');
    const id = await define();
    await change(id, { description: 'New.', url: 'https://other.example.com/mcp' });
    await remove(id);
    expect(shorten(await stream.next())).toEqual(['ADDED', id, []]);
    expect(shorten(await stream.next())).toEqual(['MODIFIED', id, ['description', 'url']]);
    expect(shorten(await stream.next())).toEqual(['REMOVED', id, []]);
  });

  test.runIf(onMainDatabase)('a change has the names of its fields that the viewer may see', async () => {
    const id = await define({ enabled: true });
    const [admin, member] = [await follow('admin'), await follow('member')];
    await change(id, { description: 'New.', url: 'https://other.example.com/mcp' });
    const seen = await admin.next();
    expect(shorten(seen)).toEqual(['MODIFIED', id, ['description', 'url']]);
    expect(seen?.config).toMatchObject({ url: 'https://other.example.com/mcp', version: 2 });
    const told = await member.next();
    expect(shorten(told)).toEqual(['MODIFIED', id, ['description']]);
    expect(told?.config).toMatchObject({ url: null, version: 2 });
  });

  test('members: enabling shows a config, disabling removes it, hidden changes send nothing', async () => {
    const stream = await follow('member');
    const hidden = await define();
    await change(hidden, { description: 'Still hidden.' });
    const id = await define();
    await change(id, { enabled: true });
    expect(shorten(await stream.next())).toEqual(['ADDED', id, []]);
    await change(id, { enabled: false });
    expect(shorten(await stream.next())).toEqual(['REMOVED', id, []]);
    await remove(hidden);
    await change(id, { enabled: true });
    expect(shorten(await stream.next())).toEqual(['ADDED', id, []]);
  });

  test('a connection change goes only to its own user', async () => {
    const id = await define({ enabled: true });
    const [member, admin] = [await follow('member'), await follow('admin')];
    await insertUserToken(gateway, { configId: id, userId: gateway.userIds.member });
    expect(shorten(await member.next())).toEqual(['MODIFIED', id, ['authConnected']]);
    await change(id, { description: 'After it.' });
    expect(shorten(await admin.next())).toEqual(['MODIFIED', id, ['description']]);
  });
});

describe('a cursor', () => {
  test('resumes exactly after its event', async () => {
    const first = await follow('admin');
    const ids = [await define(), await define(), await define()];
    const event = await first.next();
    expect(event?.configId).toBe(ids[0]);
    await first.close();
    const second = await open('admin', { after: String(event?.cursor) });
    expect((await second.next())?.configId).toBe(ids[1]);
    expect((await second.next())?.configId).toBe(ids[2]);
  });

  test('of a list continues where the list ends', async () => {
    const { data } = await gateway.graphql('{ mcpServerConfigs { feedCursor totalCount } }', {
      token: gateway.tokens.admin,
    });
    const id = await define();
    const stream = await open('admin', { after: data.mcpServerConfigs.feedCursor });
    const found = [];
    for (;;) {
      const event = await stream.next();
      found.push(event?.configId);
      if (event?.configId === id) break;
    }
    expect(found.at(-1)).toBe(id);
  });

  test.runIf(onMainDatabase).each(['', 'nonsense', 'WyJmZWVkIl0', '0', 'x'.repeat(1_000)])(
    'that is invalid (%s) is CURSOR_INVALID',
    async (after) => {
      const stream = await open('admin', { after });
      expect(await stream.next()).toBeUndefined();
      expect(stream.errors).toEqual(['CURSOR_INVALID']);
    },
  );

  test('of another database or from the future is CURSOR_INVALID', async () => {
    const { cursor } = (await (await open('admin')).nextOfAny()) ?? {};
    const { make, read } = await openFeedCursors(gateway, 'admin');
    const { rev } = read(cursor);
    for (const after of [make({ rev }, { epoch: crypto.randomUUID() }), make({ rev: rev + 1_000n })]) {
      const stream = await open('admin', { after });
      expect(await stream.next()).toBeUndefined();
      expect(stream.errors).toEqual(['CURSOR_INVALID']);
    }
  });
});

test('before the kept changes is CURSOR_EXPIRED, and a later one is not', async () => {
  const stream = await follow('admin');
  await define();
  const old = await stream.next();
  await define();
  const last = await stream.next();
  const week = 7 * 24 * 60 * 60 * 1_000;
  // Changes have the time of the database.
  gateway.clock.now = new Date();
  gateway.clock.advance(week + 60_000);
  const before = await gateway.expire();
  gateway.clock.advance(-week - 60_000);
  expect(before.changes).toBeGreaterThan(1);
  const late = await open('admin', { after: String(old?.cursor) });
  expect(await late.next()).toBeUndefined();
  expect(late.errors).toEqual(['CURSOR_EXPIRED']);
  const again = await open('admin', { after: String(last?.cursor) });
  const id = await define();
  expect((await again.next())?.configId).toBe(id);
  expect((await gateway.expire()).changes).toBe(0);
});

test('a demoted admin gets the next event redacted; a suspended one gets an error and the end', async () => {
  const email = `${crypto.randomUUID()}@example.com`;
  const ask = async (query: string) => (await gateway.graphql(query, { token: gateway.tokens.admin })).data;
  const { createUser } = await ask(`mutation { createUser(input: { email: "${email}", role: ADMIN }) { id } }`);
  const { createApiToken } = await ask(
    `mutation { createApiToken(input: { userId: "${createUser.id}", name: "t" }) { token } }`,
  );
  const stream = await openEvents(gateway, createApiToken.token);
  streams.push(stream);
  expect((await stream.nextOfAny())?.type).toBe('BOOKMARK');
  const id = await define({ enabled: true });
  expect((await stream.next())?.config).toMatchObject({ url: 'https://mcp.example.com/mcp' });
  await ask(`mutation { updateUser(id: "${createUser.id}", patch: { role: MEMBER }) { id } }`);
  await change(id, { url: 'https://mcp.example.com/other' });
  expect((await stream.next())?.config).toMatchObject({ id, url: null });
  await ask(`mutation { updateUser(id: "${createUser.id}", patch: { status: SUSPENDED }) { id } }`);
  await change(id, { description: 'After it.' });
  expect(await stream.next()).toBeUndefined();
  expect(stream.errors).toEqual(['UNAUTHENTICATED']);
});

test.runIf(onMainDatabase)('too many streams are RATE_LIMITED, and closing one makes room', async () => {
  const small = await createTestGateway({ streamLimits: { maxStreamsPerUser: 2, maxStreams: 3 } });
  try {
    const first = await openEvents(small, small.tokens.admin);
    await first.nextOfAny();
    const second = await openEvents(small, small.tokens.admin);
    await second.nextOfAny();
    const third = await openEvents(small, small.tokens.admin);
    expect([await third.nextOfAny(), third.errors]).toEqual([undefined, ['RATE_LIMITED']]);
    const other = await openEvents(small, small.tokens.member);
    expect((await other.nextOfAny())?.type).toBe('BOOKMARK');
    const full = await openEvents(small, small.tokens.auditor);
    expect([await full.nextOfAny(), full.errors]).toEqual([undefined, ['RATE_LIMITED']]);
    await first.close();
    await expect
      .poll(async () => {
        const next = await openEvents(small, small.tokens.admin);
        const event = await next.nextOfAny();
        await next.close();
        return event?.type;
      })
      .toBe('BOOKMARK');
    await second.close();
    await other.close();
  } finally {
    await small.close();
  }
});

test('a stopping gateway completes its streams without an error', async () => {
  const draining = await createTestGateway();
  const stream = await openEvents(draining, draining.tokens.admin);
  expect((await stream.nextOfAny())?.type).toBe('BOOKMARK');
  draining.endStreams();
  expect(await stream.nextOfAny()).toBeUndefined();
  expect(stream.errors).toEqual([]);
  await draining.close();
});

test('includeInitial sends all visible configs, then a bookmark, then the changes', async () => {
  const shown = await define({ enabled: true });
  const hidden = await define();
  const stream = await open('member', { includeInitial: true });
  const found: (string | null)[] = [];
  for (;;) {
    const event = await stream.nextOfAny();
    if (event?.type === 'BOOKMARK') break;
    expect(event?.type).toBe('ADDED');
    found.push(event?.configId ?? null);
  }
  expect(found).toContain(shown);
  expect(found).not.toContain(hidden);
  await change(hidden, { enabled: true });
  expect(shorten(await stream.next())).toEqual(['ADDED', hidden, []]);
});

test.runIf(onMainDatabase)('unauthenticated callers get no stream', async () => {
  expect((await openEvents(gateway, undefined)).status).toBe(401);
  expect((await openEvents(gateway, gateway.tokens.suspended)).status).toBe(401);
});
