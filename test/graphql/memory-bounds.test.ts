// On the embedded database: what is counted does not depend on the database.
import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MAX_DOCUMENT_BYTES } from '../../src/graphql/plugins/use-document-memory.ts';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { closeSocket, openSocket } from '../setup/socket-client.ts';
import { createId } from './config-operations.ts';
import { openEvents } from './sse-client.ts';

let gateway: TestGateway;
let server: RunningServer;
beforeAll(async () => {
  gateway = await createTestGateway();
  server = await listen(gateway.app, { host: '127.0.0.1', port: 0 });
  await createId(gateway, { enabled: true });
});
afterAll(async () => {
  await server?.close(1_000);
  await gateway?.close();
});

function statusOf(name: string) {
  const found = gateway.caches().find((cache) => cache.name === name);
  if (found === undefined) throw new Error(`no cache "${name}"`);
  return found;
}
const asMember = (query: string, variables?: unknown) =>
  gateway.graphql(query, { token: gateway.tokens.member, variables });

const LIST = 'query ($first: Int, $after: String) { mcpServerConfigs(first: $first, after: $after) { totalCount } }';

test('undeclared variables are dropped: answers are shared and take no more memory', async () => {
  await asMember(LIST, { first: 7 });
  const { entries, bytes } = statusOf('answers');
  for (let index = 0; index < 20; index += 1) {
    const { data } = await asMember(LIST, { first: 7, [`junk${index}`]: 'x'.repeat(10_000) });
    expect(data).toEqual({ mcpServerConfigs: { totalCount: 1 } });
  }
  expect(statusOf('answers')).toMatchObject({ entries, bytes });
});

test('answers are kept by what variables mean and not by how they are written', async () => {
  await asMember(LIST, { first: 50 });
  const { entries } = statusOf('answers');
  // 50 is the default of the argument, but the variable has none: null is another value than nothing.
  for (const variables of [{ first: 50 }, { first: 50.0, after: undefined }]) await asMember(LIST, variables);
  expect(statusOf('answers').entries).toBe(entries);
  await asMember(LIST, { first: 51 });
  expect(statusOf('answers').entries).toBe(entries + 1);
});

test('a document may have 16 KiB', async () => {
  const query = (bytes: number) => '{ viewer { role } } # é'.padEnd(bytes - 1, 'x');
  expect((await asMember(query(MAX_DOCUMENT_BYTES))).data).toEqual({ viewer: { role: 'MEMBER' } });
  const expected = [{ extensions: { code: 'VALIDATION_FAILED', issues: [{ path: ['query'], code: 'TOO_LONG' }] } }];
  const { errors } = await asMember(query(MAX_DOCUMENT_BYTES + 1));
  expect(errors).toMatchObject(expected);
  expect(errors?.[0].message).toContain('16 KiB');

  const socket = await openSocket(server.port);
  try {
    await socket.init({ authorization: `Bearer ${gateway.tokens.member}` });
    socket.send({ type: 'subscribe', id: '1', payload: { query: query(MAX_DOCUMENT_BYTES + 1) } });
    expect(await socket.next()).toMatchObject({ type: 'error', payload: expected });
  } finally {
    await closeSocket(socket);
  }
});

test('invalid documents are not kept', async () => {
  await asMember('{ viewer { id } }');
  const { entries } = statusOf('documents');
  for (let index = 0; index < 10; index += 1) await asMember(`{ viewer { unknown${index} } }`);
  for (let index = 0; index < 10; index += 1) await asMember(`{ viewer { syntax${index} `);
  expect(statusOf('documents').entries).toBe(entries);
});

test.each([
  ['a declared variable', '{"filter": DEEP}', 'VALIDATION_FAILED'],
  ['a part of one', '{"filter": {"search": DEEP}}', 'VALIDATION_FAILED'],
  ['an undeclared variable', '{"junk": DEEP}', undefined],
])('%s that is nested a hundred thousand levels deep is no fault of the gateway', async (_name, variables, code) => {
  const query = 'query ($filter: McpServerConfigFilter) { mcpServerConfigs(filter: $filter) { totalCount } }';
  const text = variables.replace('DEEP', `${'['.repeat(100_000)}${']'.repeat(100_000)}`);
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${gateway.tokens.member}` };
  const body = `{"query": "${query}", "variables": ${text}}`;
  const response = await gateway.fetch('/graphql', { method: 'POST', headers, body });
  const { errors } = (await response.json()) as { errors?: { extensions: { code: string } }[] };
  expect(errors?.[0]?.extensions.code).toBe(code);

  const socket = await openSocket(server.port);
  try {
    await socket.init({ authorization: `Bearer ${gateway.tokens.member}` });
    socket.send(`{"type": "subscribe", "id": "1", "payload": ${body}}`);
    const answer = await socket.next();
    expect(answer?.type).toBe('next');
    expect(answer?.payload.errors?.[0].extensions.code).toBe(code);
  } finally {
    await closeSocket(socket);
  }
});

test('subscriptions with the same text share one document, which is let go with the last of them', async () => {
  const before = statusOf('subscription documents');
  const fields = 'type cursor # shared';
  const streams = [];
  for (let index = 0; index < 5; index += 1) {
    const stream = await openEvents(gateway, gateway.tokens.member, { fields: `${fields}\n` });
    await stream.nextOfAny();
    streams.push(stream);
  }
  const shared = statusOf('subscription documents');
  expect(shared.entries).toBe(before.entries + 1);
  for (const stream of streams) {
    expect(statusOf('subscription documents').bytes).toBe(shared.bytes);
    await stream.close();
  }
  await expect.poll(() => statusOf('subscription documents').bytes).toBe(before.bytes);
});

test('the open subscriptions of one user hold a bounded amount of documents; another user does not notice', async () => {
  const open = async (token: string, index: number) => {
    const fields = `type ${'cursor '.repeat(700)} # ${index}\n`;
    const stream = await openEvents(gateway, token, { fields });
    await stream.nextOfAny();
    return stream;
  };
  const streams = [];
  let refused: string[] = [];
  for (let index = 0; index < 100 && refused.length === 0; index += 1) {
    const stream = await open(gateway.tokens.member, index);
    streams.push(stream);
    refused = stream.errors;
  }
  expect(refused).toEqual(['RATE_LIMITED']);
  expect(streams.length).toBeGreaterThan(3);
  // The same documents again, and another user's, are fine.
  const again = await open(gateway.tokens.member, 0);
  const other = await open(gateway.tokens.auditor, 1_000);
  expect([...again.errors, ...other.errors]).toEqual([]);
  for (const stream of [...streams, again, other]) await stream.close();
  await expect.poll(() => statusOf('subscription documents').entries).toBe(0);
});

test('a client that is gone before its stream begins leaves nothing behind', async () => {
  const body = JSON.stringify({ query: `subscription { mcpServerConfigEvents { cursor } } # gone` });
  const headers = {
    accept: 'text/event-stream',
    authorization: `Bearer ${gateway.tokens.member}`,
    'content-type': 'application/json',
  };
  await Promise.all(
    Array.from({ length: 100 }, async () => {
      const sent = request({ host: '127.0.0.1', port: server.port, path: '/graphql', method: 'POST', headers });
      const closed = new Promise<void>((resolve) => sent.on('close', resolve));
      sent.on('error', () => undefined);
      sent.end(body, () => sent.destroy());
      await closed;
    }),
  );
  // Each of them was handled once this later one is.
  const stream = await openEvents(gateway, gateway.tokens.member);
  await stream.nextOfAny();
  await stream.close();
  await expect.poll(() => statusOf('subscription documents').entries).toBe(0);
});
