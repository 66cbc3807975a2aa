// On both databases: notifications, and triggers.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
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

const makeCursor = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');
const readCursor = (cursor: string) => JSON.parse(Buffer.from(cursor, 'base64url').toString()) as string[];

describe.each(['admin', 'member'] as const)('a stream of the %s', (viewer) => {
  test('resumes exactly after any of its cursors', async () => {
    const first = await follow(viewer);
    const end = await makeHistory();
    const events = await readUntil(first, end);
    expect(events.map(({ type }) => type)).toContain('REMOVED');
    expect(events.length).toBeGreaterThan(5);
    for (const [index, { cursor }] of events.entries()) {
      expect(await readUntil(await open(viewer, { after: cursor }), end)).toEqual(events.slice(index + 1));
    }
  });

  test('resumes after changes that its viewer cannot see, and from the very beginning', async () => {
    const first = await follow(viewer);
    const end = await makeHistory();
    const events = await readUntil(first, end);
    const [kind, epoch, last] = readCursor(events.at(-1)?.cursor ?? '');
    const at = (cursor: string) => BigInt(readCursor(cursor)[2] ?? '');
    const begin = at(events[0]?.cursor ?? '') - 1n;
    for (let rev = begin; rev <= BigInt(last ?? ''); rev += 1n) {
      const found = await readUntil(await open(viewer, { after: makeCursor(kind, epoch, rev.toString()) }), end);
      expect(found).toEqual(events.filter(({ cursor }) => at(cursor) > rev));
    }
    const all = await readUntil(await open(viewer, { after: makeCursor(kind, epoch, '0') }), end);
    expect(all.slice(-events.length)).toEqual(events);
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
      ['MODIFIED', first, 'One.'],
      ['MODIFIED', first, 'Two.'],
      ['REMOVED', second, undefined],
      ...(isBeforeCut ? [['ADDED', later, '']] : []),
      ...rest.map((each) => ['ADDED', ...each]),
    ]);
  });
});

test('a list and the changes after its cursor are complete', async () => {
  await createId(gateway, { enabled: true });
  const { data } = await gateway.graphql('{ mcpServerConfigs { feedCursor nodes { id } } }', {
    token: gateway.tokens.member,
  });
  const end = await makeHistory();
  const stream = await open('member', { after: data.mcpServerConfigs.feedCursor });
  const types = (await readUntil(stream, end)).map(({ type }) => type);
  expect(types).toEqual([
    'ADDED',
    'MODIFIED',
    'ADDED',
    'ADDED',
    'MODIFIED',
    'REMOVED',
    'MODIFIED',
    'MODIFIED',
    'REMOVED',
  ]);
});

test('late events show the state at their time, connection changes included', async () => {
  const stream = await follow('member');
  const id = await createId(gateway, { enabled: true, description: 'Then.' });
  await insertUserToken(gateway, { configId: id, userId: gateway.userIds.member });
  const end = await mark();
  const [added] = await readUntil(stream, end);
  await update(gateway, id, { description: 'Now.', displayName: 'Now' });
  const late = await open('member', { after: String(added?.cursor) });
  expect(await late.next()).toMatchObject({
    changedFields: ['authConnected'],
    config: { id, description: 'Then.', version: 1 },
  });
});

test('whether a secret can be decrypted is shown as of now, even for changes before a key replacement', async () => {
  const stream = await follow('admin');
  const key = { authType: 'API_KEY', apiKeyHeader: 'X-Key', apiKeyValue: 'secret', enabled: true };
  const id = await createId(gateway, key);
  const event = await stream.next();
  expect(event?.config).toMatchObject({ id, viewerState: 'READY' });
  const ask = async (query: string) => (await gateway.graphql(query, { token: gateway.tokens.bootstrap })).data;
  const { encryptionKeys } = await ask('{ encryptionKeys { number status } }');
  const active = encryptionKeys.find((each: { status: string }) => each.status === 'ACTIVE');
  await ask('mutation { addEncryptionKey { number } }');
  await ask('mutation { rotateEncryptionKeys { remaining } }');
  const { revokeEncryptionKey } = await ask(`mutation { revokeEncryptionKey(number: ${active.number}) { status } }`);
  expect(revokeEncryptionKey.status).toBe('REVOKED');
  const [kind, epoch, rev] = readCursor(String(event?.cursor));
  const before = makeCursor(kind, epoch, String(BigInt(rev ?? 0) - 1n));
  const again = await open('admin', { after: before });
  expect(await again.next()).toMatchObject({ type: 'ADDED', config: { id, viewerState: 'READY' } });
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
