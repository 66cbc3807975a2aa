import { afterAll, beforeAll, expect, test } from 'vitest';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { closeSocket, openSocket } from '../setup/socket-client.ts';

let gateway: TestGateway;
let server: RunningServer;

beforeAll(async () => {
  gateway = await createTestGateway({ streamLimits: { heartbeatMs: 1_000 } });
  server = await listen(gateway.app, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server?.close(1_000);
  await gateway?.close();
});

const asAdmin = async (query: string) => (await gateway.graphql(query, { token: gateway.tokens.admin })).data;

async function openAs(token: string) {
  const socket = await openSocket(server.port);
  expect(await socket.init({ authorization: `Bearer ${token}` })).toEqual({ type: 'connection_ack' });
  return socket;
}

async function countSockets(): Promise<number> {
  const text = await (await gateway.fetch('/metrics')).text();
  return Number(/^gatehouse_websockets (\d+)$/m.exec(text)?.[1]);
}

test('a client that does not answer pings is dropped, and one that does is not', async () => {
  const alive = await openAs(gateway.tokens.member);
  const stalled = await openAs(gateway.tokens.member);
  expect(await countSockets()).toBe(2);
  stalled.socket.pause();
  await expect.poll(countSockets).toBe(1);
  alive.send({ type: 'subscribe', id: 'q', payload: { query: '{ viewer { role } }' } });
  expect((await alive.next())?.payload.data.viewer.role).toBe('MEMBER');
  stalled.socket.terminate();
  await closeSocket(alive);
});

test('an idle connection ends when its caller is suspended', async () => {
  const { createUser } = await asAdmin('mutation { createUser(input: { email: "idle@example.com" }) { id } }');
  const made = await asAdmin(`mutation { createApiToken(input: { userId: "${createUser.id}", name: "t" }) { token } }`);
  const socket = await openAs(made.createApiToken.token);
  await asAdmin(`mutation { updateUser(id: "${createUser.id}", patch: { status: SUSPENDED }) { id } }`);
  expect((await socket.closed).code).toBe(4401);
});
