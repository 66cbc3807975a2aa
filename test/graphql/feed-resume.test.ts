// On both databases: notifications, and triggers.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { onMainDatabase } from '../setup/database.ts';
import { openFeedCursors } from '../setup/feed-cursors.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { DeleteConfig } from '../setup/operations.ts';
import { createId, update } from './config-operations.ts';
import { type EventStream, openEvents, type ReceivedEvent } from './sse-client.ts';
import { insertUserToken } from './user-tokens.ts';

type Viewer = 'admin' | 'member';

let gateway: TestGateway;
const streams: EventStream[] = [];

beforeAll(async () => {
  gateway = await createTestGateway();
});
afterEach(async () => {
  for (const stream of streams.splice(0)) await stream.close();
  await gateway.database.query('DELETE FROM mcp_server_configs');
});
afterAll(() => gateway?.close());

async function open(viewer: Viewer, args: Parameters<typeof openEvents>[2] = {}): Promise<EventStream> {
  const stream = await openEvents(gateway, gateway.tokens[viewer], args);
  streams.push(stream);
  return stream;
}

/** A stream that follows: no later change can be missed. */
async function follow(viewer: Viewer): Promise<EventStream> {
  const stream = await open(viewer);
  expect(await stream.nextOfAny()).toMatchObject({ type: 'BOOKMARK' });
  return stream;
}

const remove = (id: string) => gateway.execute(DeleteConfig, { token: gateway.tokens.admin, variables: { id } });

/**
 * All events before the one of the end marker's config. Leaves out the fields that depend on the viewer's current
 * state, whenever the change was.
 */
async function readUntil(stream: EventStream, description: string): Promise<ReceivedEvent[]> {
  const events: ReceivedEvent[] = [];
  for (;;) {
    const event = await stream.next();
    if (event === undefined) throw new Error(`the stream ended: ${stream.errors.join()}`);
    if (event.config?.['description'] === description) return events;
    const { authConnected: _, viewerState: __, ...config } = event.config ?? {};
    events.push({ ...event, config: event.config === null ? null : config });
  }
}

/** Creates the end marker of a test. */
async function mark(): Promise<string> {
  const description = `mark ${crypto.randomUUID()}`;
  await createId(gateway, { description, enabled: true });
  return description;
}

/** A history that contains every kind of change. */
async function makeHistory(): Promise<string> {
  const shown = await createId(gateway, { enabled: true });
  const hidden = await createId(gateway);
  await update(gateway, shown, { description: 'Changed.' });
  await update(gateway, hidden, { description: 'Changed where members do not see it.' });
  await update(gateway, hidden, { enabled: true, url: 'https://mcp.example.com/other' });
  const oauth = await createId(gateway, {
    enabled: true,
    authType: 'OAUTH2',
    oauth2ClientId: 'client',
    oauth2AuthUrl: 'https://as.example.com/authorize',
    oauth2TokenUrl: 'https://as.example.com/token',
  });
  await insertUserToken(gateway, { configId: oauth, userId: gateway.userIds.member });
  await update(gateway, shown, { enabled: false });
  await gateway.database.query('DELETE FROM mcp_server_user_tokens');
  await update(gateway, oauth, { description: 'Later.' });
  await remove(shown);
  await remove(hidden);
  return mark();
}

/**
 * The events that a later reader gets for the changes of these: with the present configs, and none for a config that
 * they may not see any more but its removal.
 */
function toReplay(events: readonly ReceivedEvent[]): unknown[] {
  return events.flatMap(({ cursor: _, ...event }, index) => {
    if (event.type === 'REMOVED') return [event];
    const later = events.slice(index).filter(({ configId }) => configId === event.configId);
    const { config = null } = later.at(-1) ?? {};
    return config === null ? [] : [{ ...event, config }];
  });
}

const withoutCursors = (events: readonly ReceivedEvent[]) => events.map(({ cursor: _, ...event }) => event);

/** The rules for one of them show what depends on the database. */
const VIEWERS = (['member', 'admin'] as const).slice(0, onMainDatabase ? undefined : 1);

describe.each(VIEWERS)('a stream of the %s', (viewer) => {
  test('resumes exactly after any of its cursors', async () => {
    const first = await follow(viewer);
    const end = await makeHistory();
    const events = await readUntil(first, end);
    expect(events.map(({ type }) => type)).toContain('REMOVED');
    expect(events.length).toBeGreaterThan(5);
    for (const [index, { cursor }] of events.entries()) {
      const found = await readUntil(await open(viewer, { after: cursor }), end);
      expect(withoutCursors(found)).toEqual(toReplay(events.slice(index + 1)));
    }
  });

  test('resumes after changes that its viewer cannot see, and from the very beginning', async () => {
    const first = await follow(viewer);
    const end = await makeHistory();
    const events = await readUntil(first, end);
    const cursors = await openFeedCursors(gateway, viewer);
    const at = (cursor: string | undefined) => cursors.read(cursor).rev;
    for (let rev = at(events[0]?.cursor) - 1n; rev <= at(events.at(-1)?.cursor); rev += 1n) {
      const found = await readUntil(await open(viewer, { after: cursors.make({ rev }) }), end);
      expect(withoutCursors(found)).toEqual(toReplay(events.filter(({ cursor }) => at(cursor) > rev)));
    }
    const all = await readUntil(await open(viewer, { after: cursors.make({ rev: 0n }) }), end);
    const replay = toReplay(events);
    expect(withoutCursors(all).slice(-replay.length)).toEqual(replay);
  });

  test('that was cut off during its snapshot resumes it, without repeated or outdated events', async () => {
    const ids = [];
    for (let index = 0; index < 4; index += 1) ids.push(await createId(gateway, { enabled: true }));
    const [first = '', second = '', third = '', fourth = ''] = ids.sort();
    const cut = await open(viewer, { includeInitial: true });
    expect((await cut.nextOfAny())?.configId).toBe(first);
    const event = await cut.nextOfAny();
    expect(event?.configId).toBe(second);
    await cut.close();
    // Configs that were already sent, and configs that were not.
    await update(gateway, first, { description: 'One.' });
    await update(gateway, third, { description: 'Three.' });
    await update(gateway, first, { description: 'Two.' });
    await remove(second);
    await remove(fourth);
    const later = await createId(gateway, { enabled: true });
    const stream = await open(viewer, { after: String(event?.cursor) });
    const found = [];
    for (;;) {
      const next = await stream.nextOfAny();
      if (next === undefined || next.type === 'BOOKMARK') break;
      found.push([next.type, next.configId, next.config?.['description']]);
    }
    // A new config on either side of the cut: among those already sent, and among those still to send.
    const isBeforeCut = later < second;
    const rest = [[third, 'Three.'], ...(isBeforeCut ? [] : [[later, '']])].sort();
    expect(found).toEqual([
      ['MODIFIED', first, 'Two.'],
      ['MODIFIED', first, 'Two.'],
      ['REMOVED', second, undefined],
      ...(isBeforeCut ? [['ADDED', later, '']] : []),
      ...rest.map((each) => ['ADDED', ...each]),
    ]);
  });
});

describe.runIf(onMainDatabase)('old changes tell a member nothing of the past', () => {
  const canary = 'canary: withdrawn';
  const replay = async (rev: bigint) => {
    const cursors = await openFeedCursors(gateway, 'member');
    const end = await mark();
    return readUntil(await open('member', { after: cursors.make({ rev }) }), end);
  };
  const typesOf = (events: readonly ReceivedEvent[], id: string) =>
    events.filter(({ configId }) => configId === id).map(({ type }) => type);

  test.each([
    ['deleted', async (id: string) => void (await remove(id)), ['REMOVED']],
    ['switched off', async (id: string) => void (await update(gateway, id, { enabled: false })), ['REMOVED']],
    ['changed', async (id: string) => void (await update(gateway, id, { description: 'New.' })), ['ADDED', 'MODIFIED']],
  ])('when a config was %s since', async (_name, change, types) => {
    const id = await createId(gateway, { enabled: true, description: canary });
    await change(id);
    const events = await replay(0n);
    expect(JSON.stringify(events)).not.toContain(canary);
    expect(typesOf(events, id)).toEqual(types);
  });

  test('when a config is switched off or deleted before the snapshot of a slow reader comes to it', async () => {
    const ids = [];
    for (let index = 0; index < 3; index += 1)
      ids.push(await createId(gateway, { enabled: true, description: canary }));
    const [first, second = '', third = ''] = ids.sort();
    const stream = await open('member', { includeInitial: true });
    expect((await stream.nextOfAny())?.configId).toBe(first);
    await update(gateway, second, { enabled: false });
    await remove(third);
    const events = await readUntil(stream, await mark());
    expect(JSON.stringify(events)).not.toContain(canary);
    expect([...typesOf(events, second), ...typesOf(events, third)]).toEqual(['REMOVED', 'REMOVED']);
  });

  test('when a stream is read only after a minute', async () => {
    const stream = await follow('member');
    const id = await createId(gateway, { enabled: true, description: canary });
    await update(gateway, id, { enabled: false });
    gateway.clock.advance(600_000);
    const events = await readUntil(stream, await mark());
    gateway.clock.advance(-600_000);
    expect(JSON.stringify(events)).not.toContain(canary);
    expect(typesOf(events, id)).toEqual(['REMOVED']);
  });
});

test('cursors tell a member nothing of changes that they cannot see', async () => {
  const feedCursor = async (): Promise<string> =>
    (await gateway.graphql('{ mcpServerConfigs { feedCursor } }', { token: gateway.tokens.member })).data
      .mcpServerConfigs.feedCursor;
  const cursors = [await feedCursor(), await feedCursor()];
  await createId(gateway);
  cursors.push(await feedCursor());
  for (let count = 0; count < 2; count += 1) cursors.push((await (await open('member')).nextOfAny())?.cursor ?? '');
  // Equal or not, each is another text of the same length, without a structure.
  expect(new Set(cursors).size).toBe(5);
  expect(new Set(cursors.map(({ length }) => length)).size).toBe(1);
  for (const cursor of cursors) expect(Buffer.from(cursor, 'base64url').toString('latin1')).not.toContain('feed');
});

test('a cursor of another user is CURSOR_INVALID', async () => {
  const cursor = (await (await open('admin')).nextOfAny())?.cursor ?? '';
  const stream = await open('member', { after: cursor });
  expect(await stream.next()).toBeUndefined();
  expect(stream.errors).toEqual(['CURSOR_INVALID']);
});

test('subscribers who share an event have their own cursors of it', async () => {
  const streams = await Promise.all([follow('member'), follow('member'), follow('admin')]);
  const id = await createId(gateway, { enabled: true, description: 'cursor-' });
  const events = await Promise.all(streams.map((stream) => stream.next()));
  expect(events.map((event) => event?.configId)).toEqual([id, id, id]);
  expect(new Set(events.map((event) => event?.cursor)).size).toBe(3);
  const later = await createId(gateway, { enabled: true });
  for (const [index, role] of (['member', 'member', 'admin'] as const).entries()) {
    const resumed = await open(role, { after: String(events[index]?.cursor) });
    expect((await resumed.next())?.configId).toBe(later);
  }
});

test('a list and the changes after its cursor are complete', async () => {
  await createId(gateway, { enabled: true });
  const { data } = await gateway.graphql('{ mcpServerConfigs { feedCursor nodes { id } } }', {
    token: gateway.tokens.member,
  });
  const end = await makeHistory();
  const stream = await open('member', { after: data.mcpServerConfigs.feedCursor });
  const types = (await readUntil(stream, end)).map(({ type }) => type);
  // Of the two configs that are deleted by now, only their removal.
  expect(types).toEqual(['ADDED', 'MODIFIED', 'REMOVED', 'MODIFIED', 'MODIFIED', 'REMOVED']);
});

test('a replay shows the present state, connection changes included', async () => {
  const stream = await follow('member');
  const id = await createId(gateway, { enabled: true, description: 'Then.' });
  await insertUserToken(gateway, { configId: id, userId: gateway.userIds.member });
  const end = await mark();
  const [added] = await readUntil(stream, end);
  await update(gateway, id, { description: 'Now.', displayName: 'Now' });
  const late = await open('member', { after: String(added?.cursor) });
  expect(await late.next()).toMatchObject({
    changedFields: ['authConnected'],
    config: { id, description: 'Now.', version: 2 },
  });
});

test('whether a secret can be decrypted is shown as of now, even for changes before a key replacement', async () => {
  const stream = await follow('admin');
  const key = { authType: 'API_KEY', apiKeyHeader: 'X-Key', apiKeyValue: 'secret', enabled: true };
  const id = await createId(gateway, key);
  const event = await stream.next();
  expect(event?.config).toMatchObject({ id, viewerState: 'READY' });
  const cursors = await openFeedCursors(gateway, 'admin');
  const { rev } = cursors.read(event?.cursor);
  const ask = async (query: string) => (await gateway.graphql(query, { token: gateway.tokens.bootstrap })).data;
  const { encryptionKeys } = await ask('{ encryptionKeys { number status } }');
  const active = encryptionKeys.find((each: { status: string }) => each.status === 'ACTIVE');
  await ask('mutation { addEncryptionKey { number } }');
  await ask('mutation { rotateEncryptionKeys { remaining } }');
  const { revokeEncryptionKey } = await ask(`mutation { revokeEncryptionKey(number: ${active.number}) { status } }`);
  expect(revokeEncryptionKey.status).toBe('REVOKED');
  const again = await open('admin', { after: cursors.make({ rev: rev - 1n }) });
  expect(await again.next()).toMatchObject({ type: 'ADDED', config: { id, viewerState: 'READY' } });
  // A cursor ends with its key.
  const ended = await open('admin', { after: String(event?.cursor) });
  expect(await ended.next()).toBeUndefined();
  expect(ended.errors).toEqual(['CURSOR_INVALID']);
});

test('a change is in the feed whatever path it took, and re-encryption is not', async () => {
  const stream = await follow('admin');
  const { admin, member } = gateway.tokens;
  const rest = (method: string, path: string, body?: object, token = admin) =>
    gateway.fetch(`/api/experimental/mcp/servers/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const url = 'https://rest.example.com/mcp';
  const created = await rest('POST', '', { display_name: 'R', slug: 'by-rest', url, enabled: true });
  const { id } = (await created.json()) as { id: string };
  await rest('PATCH', id, { description: 'By REST.' });
  await insertUserToken(gateway, { configId: id, userId: gateway.userIds.admin });
  await rest('DELETE', `${id}/oauth2/disconnect`);
  await rest('DELETE', id);
  const content = JSON.stringify({ mcpServers: { imported: { url: 'https://imported.example.com/mcp' } } });
  const imported = await gateway.graphql(
    'mutation ($content: String!) { importMcpServers(input: { content: $content, dryRun: false }) { __typename } }',
    { token: admin, variables: { content } },
  );
  expect(imported.errors).toBeUndefined();
  await gateway.graphql('mutation { addEncryptionKey { number } rotateEncryptionKeys { total } }', { token: admin });
  const refused = await rest('PATCH', id, { description: 'No.' }, member);
  expect(refused.status).toBe(403);
  const end = await mark();
  const events = await readUntil(stream, end);
  expect(events.map(({ type, config, changedFields }) => [type, config?.['slug'], changedFields])).toEqual([
    ['ADDED', 'by-rest', []],
    ['MODIFIED', 'by-rest', ['description']],
    ['MODIFIED', 'by-rest', ['authConnected']],
    ['MODIFIED', 'by-rest', ['authConnected']],
    ['REMOVED', undefined, []],
    ['ADDED', 'imported', []],
  ]);
});

test('a server that moves and is enabled at once is added first, then its connection ends', async () => {
  const oauth = {
    authType: 'OAUTH2',
    oauth2ClientId: 'client',
    oauth2AuthUrl: 'https://as.example.com/authorize',
    oauth2TokenUrl: 'https://as.example.com/token',
  };
  const id = await createId(gateway, oauth);
  await insertUserToken(gateway, { configId: id, userId: gateway.userIds.member });
  const stream = await follow('member');
  const { errors } = await update(gateway, id, { enabled: true, url: 'https://elsewhere.example.com/mcp' });
  expect(errors).toBeUndefined();
  const events = await readUntil(stream, await mark());
  expect(events.map(({ type, changedFields }) => [type, changedFields])).toEqual([
    ['ADDED', []],
    ['MODIFIED', ['authConnected']],
  ]);
});

test('a connection change at a server with long lists is sent too', async () => {
  const toolDenyList = Array.from({ length: 200 }, (_, index) => `tool-${index}`.padEnd(100, '-'));
  const id = await createId(gateway, { enabled: true, toolDenyList });
  const stream = await follow('member');
  await insertUserToken(gateway, { configId: id, userId: gateway.userIds.member });
  expect(await stream.next()).toMatchObject({ type: 'MODIFIED', changedFields: ['authConnected'], config: { id } });
  const [row] = await gateway.database.query(
    "SELECT config FROM config_changes WHERE kind = 'connection' ORDER BY rev DESC",
  );
  expect(row?.['config']).toBeNull();
});
