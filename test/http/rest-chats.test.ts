import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createRestClient, minimalServer, type RestClient } from './rest-client.ts';

const CHATS = '/api/experimental/chats';

let gateway: TestGateway;
let rest: RestClient;
let shown: string;
let other: string;
let hidden: string;
beforeAll(async () => {
  gateway = await createTestGateway();
  rest = createRestClient(gateway);
  shown = (await rest.define({ ...minimalServer('shown'), enabled: true })).id;
  other = (await rest.define({ ...minimalServer('other'), enabled: true })).id;
  hidden = (await rest.define(minimalServer('hidden'))).id;
});
afterAll(() => gateway?.close());

const begin = (body: object = {}) => rest.call('member', 'POST', CHATS, body);
const read = (id: string) => rest.call('member', 'GET', `${CHATS}/${id}`);
const write = (id: string, body: object) => rest.call('member', 'POST', `${CHATS}/${id}/messages`, body);

test.each(['', '/'])('a chat is created, read and written to, with %j at the end of the path', async (slash) => {
  const body = { title: ' Notes ', mcp_server_ids: [other, shown, other] };
  const begun = await rest.call('member', 'POST', `${CHATS}${slash}`, body);
  expect(begun.status).toBe(201);
  const { id, mcp_servers, created_at, updated_at, ...chat } = begun.body;
  expect(chat).toEqual({ title: 'Notes', owner_id: gateway.userIds.member, mcp_server_ids: [other, shown] });
  for (const time of [created_at, updated_at]) expect(time).toMatch(/Z$/);
  expect(mcp_servers).toContainEqual({
    id: shown,
    slug: 'shown',
    display_name: 'Server shown',
    source: 'selected',
    state: 'ready',
    reason: 'It is selected for this chat. It is ready to use.',
  });
  expect(await rest.call('member', 'GET', `${CHATS}/${id}${slash}`)).toMatchObject({ status: 200, body: begun.body });
  const message = await rest.call('member', 'POST', `${CHATS}/${id}/messages${slash}`, { content: 'Hello' });
  expect(message).toMatchObject({ status: 201, body: { chat_id: id, content: 'Hello' } });
});

test('a message keeps the servers, clears them, or replaces them', async () => {
  const { id } = (await begin({ mcp_server_ids: [shown] })).body;
  const idsAfter = async (body: object) => {
    expect((await write(id, { content: 'x', ...body })).status).toBe(201);
    return (await read(id)).body.mcp_server_ids;
  };
  expect(await idsAfter({})).toEqual([shown]);
  expect(await idsAfter({ mcp_server_ids: null })).toEqual([shown]);
  expect(await idsAfter({ mcp_server_ids: [other, shown.toUpperCase()] })).toEqual([other, shown]);
  expect(await idsAfter({ mcp_server_ids: [] })).toEqual([]);
});

test('a chat is changed in part, and deleted', async () => {
  const { id } = (await begin({ title: 'First', mcp_server_ids: [shown] })).body;
  const path = `${CHATS}/${id}`;
  const change = async (body: object) => {
    const answer = await rest.call('member', 'PATCH', path, body);
    expect(answer.status).toBe(200);
    expect((await read(id)).body).toEqual(answer.body);
    const { title, mcp_server_ids } = answer.body;
    return { title, mcp_server_ids };
  };
  expect(await change({ title: 'Second' })).toEqual({ title: 'Second', mcp_server_ids: [shown] });
  expect(await change({ mcp_server_ids: [other] })).toEqual({ title: 'Second', mcp_server_ids: [other] });
  expect(await change({})).toEqual({ title: 'Second', mcp_server_ids: [other] });
  expect(await change({ mcp_server_ids: [] })).toEqual({ title: 'Second', mcp_server_ids: [] });
  const refused = await rest.call('member', 'PATCH', path, { title: 'a\nb', mcp_server_ids: [hidden] });
  expect(refused.status).toBe(400);
  expect(refused.body.validations.map(({ field }: { field: string }) => field)).toEqual(['title', 'mcp_server_ids[0]']);
  expect((await rest.call('member', 'PATCH', path, { owner_id: id })).status).toBe(400);
  for (const method of ['PATCH', 'DELETE']) {
    const body = method === 'PATCH' ? { title: 'x' } : undefined;
    expect((await rest.call('admin', method, path, body)).status, method).toBe(404);
  }
  expect((await rest.call('member', 'DELETE', `${path}/`)).status).toBe(204);
  expect((await read(id)).status).toBe(404);
  expect((await rest.call('member', 'DELETE', path)).status).toBe(404);
});

test('ids that may not be selected are reported, each at its position', async () => {
  const missing = randomUUID();
  for (const answer of [
    await begin({ mcp_server_ids: [shown, hidden, missing] }),
    await write((await begin()).body.id, { content: 'x', mcp_server_ids: [shown, hidden, missing] }),
  ]) {
    expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    expect(answer.body.validations).toEqual([
      { field: 'mcp_server_ids[1]', detail: expect.stringContaining(hidden) },
      { field: 'mcp_server_ids[2]', detail: expect.stringContaining(missing) },
    ]);
  }
});

test('a chat created without a selection has the default servers, and always the forced ones', async () => {
  const on = await rest.define({ ...minimalServer('on'), enabled: true, availability: 'default_on' });
  const forced = await rest.define({ ...minimalServer('forced'), enabled: true, availability: 'force_on' });
  const sourcesOf = async (body: object) =>
    (await begin(body)).body.mcp_servers.map(({ slug, source }: any) => `${slug}: ${source}`);
  expect(await sourcesOf({})).toEqual(['forced: forced', 'on: selected']);
  expect(await sourcesOf({ mcp_server_ids: [] })).toEqual(['forced: forced']);
  for (const { id } of [on, forced]) await rest.call('admin', 'DELETE', `/api/experimental/mcp/servers/${id}`);
});

describe('permissions', () => {
  test.each([
    ['POST', '', [201, 403, 403, 201, 401, 401]],
    ['GET', '/{id}', [404, 404, 200, 200, 401, 401]],
    ['GET', '/{id}/mcp', [404, 404, 200, 200, 401, 401]],
    ['POST', '/{id}/messages', [404, 403, 403, 201, 401, 401]],
  ] as const)("%s %s of a member's chat", async (method, path, statuses) => {
    const { id } = (await begin({ mcp_server_ids: [shown] })).body;
    const callers = ['admin', 'auditor', 'service', 'member', 'suspended', 'nobody'] as const;
    for (const [index, caller] of callers.entries()) {
      const body = method === 'GET' ? undefined : path === '' ? {} : { content: 'x' };
      const answer = await rest.call(caller, method, CHATS + path.replace('{id}', id), body);
      expect(answer.status, caller).toBe(statuses[index]);
    }
  });
});

test.each([
  ['no UUID in the path', () => read('nonsense'), 400],
  ['a chat that is not there', () => read(randomUUID()), 404],
  ['ids that are no UUIDs', () => begin({ mcp_server_ids: ['x'] }), 400],
  ['ids that are no list', () => begin({ mcp_server_ids: shown }), 400],
  ['a title that is no text', () => begin({ title: 1 }), 400],
  ['a title with a line break', () => begin({ title: 'a\nb' }), 400],
  ['a message without content', async () => write((await begin()).body.id, {}), 400],
  ['a message of white space', async () => write((await begin()).body.id, { content: ' \n' }), 400],
  ['a message with a NUL', async () => write((await begin()).body.id, { content: 'a\0' }), 400],
  ['too long a message', async () => write((await begin()).body.id, { content: 'x'.repeat(65_537) }), 400],
])('%s is refused', async (_name, send, status) => {
  const answer = await send();
  expect(answer.status).toBe(status);
  expect(answer.body.code).toBe(status === 404 ? 'NOT_FOUND' : 'VALIDATION_FAILED');
});

test('without the experiment there are no chats', async () => {
  const without = await createTestGateway({ env: { GATEHOUSE_EXPERIMENTS: '' } });
  try {
    const answer = await createRestClient(without).call('member', 'POST', CHATS, {});
    expect(answer).toMatchObject({ status: 403, body: { code: 'EXPERIMENT_DISABLED' } });
  } finally {
    await without.close();
  }
});
