import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSocket } from '../setup/socket-client.ts';
import { type AttackedGateway, expectHarmless, startAttackedGateway } from './harness.ts';
import { type AttackStream, createConfig, openAttackStream } from './streams.ts';

const AT_ONCE = 8;

let gateway: AttackedGateway;
let number = 0;
beforeAll(async () => {
  gateway = await startAttackedGateway();
  await createConfig(gateway);
});
afterAll(() => gateway?.close());

const nextNumber = (): number => {
  number += 1;
  return number;
};
/** Different each time, so that nothing is shared. */
const junk = (length: number): string => `${nextNumber()} `.padEnd(length, 'x');

/** Does something a few times at once. */
const severally = (work: () => Promise<unknown>) => Promise.all(Array.from({ length: AT_ONCE }, work));

test('junk variables are not kept', async () => {
  const variables = () => ({ first: 1, junk: junk(240_000) });
  const query = 'query ($first: Int) { mcpServerConfigs(first: $first) { totalCount } }';
  await expectHarmless(gateway, () => severally(() => gateway.graphql(query, { variables: variables() })));
  expect((await gateway.graphql(query, { variables: variables() })).body).toEqual({
    data: { mcpServerConfigs: { totalCount: 1 } },
  });
});

test('large documents are refused and not kept', async () => {
  const query = () => `{ mcpServerConfigs { totalCount } } # ${junk(240_000)}`;
  await expectHarmless(gateway, () => severally(() => gateway.graphql(query())));
  expect((await gateway.graphql(query())).body.errors).toMatchObject([
    { extensions: { code: 'VALIDATION_FAILED', issues: [{ path: ['query'], code: 'TOO_LONG' }] } },
  ]);
});

test('many different documents of the largest size are not all kept', async () => {
  const fields = Array.from({ length: 15 }, (_, index) => `a${index}: displayName`).join(' ');
  const names = 'id slug displayName description authType availability enabled version createdAt '.repeat(60);
  const query = () => `{ mcpServerConfigs { nodes { ${fields} ${names} } } } # ${junk(8_000)}`;
  await expectHarmless(gateway, () => severally(() => gateway.graphql(query())));
});

test('subscriptions do not keep their requests', async () => {
  const query = 'subscription { mcpServerConfigEvents { cursor type } }';
  const streams: AttackStream[] = [];
  const subscribe = async (): Promise<void> => {
    const variables = { junk: junk(240_000) };
    const stream = openAttackStream(gateway, { query, variables, extensions: { junk: 'y'.repeat(1_000) } });
    streams.push(stream);
    await stream.receive(1);
  };
  const closeAll = (): void => {
    for (const stream of streams.splice(0)) stream.close();
  };
  const attack = async (): Promise<void> => {
    if (streams.length < 640) await severally(subscribe);
  };
  await expectHarmless(gateway, attack, { reset: closeAll });
  // A slow machine opens too few streams to be noticed above, so what each of them keeps is counted, too.
  closeAll();
  await severally(subscribe);
  const before = await gateway.readMemory();
  for (let round = 0; round < 10; round += 1) await severally(subscribe);
  const { live } = await gateway.readMemory();
  expect((live - before.live) / (10 * AT_ONCE), 'bytes that a stream keeps').toBeLessThan(120_000);
  closeAll();
});

test('subscriptions over WebSocket do not keep their messages', async () => {
  const query = 'subscription { mcpServerConfigEvents { cursor type } }';
  const sockets: Awaited<ReturnType<typeof openSocket>>[] = [];
  const closeAll = (): void => {
    for (const { socket } of sockets.splice(0)) socket.terminate();
  };
  const attack = async (): Promise<void> => {
    if (sockets.length >= 20) return;
    const socket = await openSocket(gateway.port);
    sockets.push(socket);
    await socket.init({ authorization: `Bearer ${gateway.tokens.member}` });
    for (let id = 0; id < 32; id += 1) {
      socket.send({ type: 'subscribe', id: `${id}`, payload: { query, variables: { junk: junk(240_000) } } });
      expect(await socket.next()).toMatchObject({ type: 'next' });
    }
  };
  await expectHarmless(gateway, attack, { reset: closeAll });
  closeAll();
});

test('variables nested a hundred thousand levels deep are refused', async () => {
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const send = async (path: string, body: string) => {
    const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${gateway.tokens.member}` },
      body,
    });
    return { status: response.status, body: (await response.json()) as any };
  };
  const query = 'query ($filter: McpServerConfigFilter) { mcpServerConfigs(filter: $filter) { totalCount } }';
  const asOperation = `{"query": "${query}", "variables": {"filter": ${deep}}}`;
  const asChat = `{"mcp_server_ids": ${deep}}`;
  await expectHarmless(gateway, () =>
    severally(async () => {
      expect((await send('/graphql', asOperation)).body).toMatchObject({
        errors: [{ extensions: { code: 'VALIDATION_FAILED' } }],
      });
      expect(await send('/api/experimental/chats', asChat)).toMatchObject({
        status: 400,
        body: { code: 'VALIDATION_FAILED' },
      });
    }),
  );
});
