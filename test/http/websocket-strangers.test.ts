import { afterAll, beforeAll, expect, test } from 'vitest';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { closeSocket, openSocket, type RawSocket } from '../setup/socket-client.ts';

/** Connections of one network that have not sent `connection_init`. */
const SHARE = 500;

let gateway: TestGateway;
let server: RunningServer;
beforeAll(async () => {
  gateway = await createTestGateway({ env: { GATEHOUSE_TRUSTED_PROXIES: '127.0.0.1' } });
  server = await listen(gateway.app, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server?.close(0);
  await gateway?.close();
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
/** A connection from an address, as a proxy forwards it. */
const openFrom = (address: string, headers: Record<string, string> = {}) =>
  openSocket(server.port, { headers: { 'x-forwarded-for': address, ...headers } });

async function countSockets(): Promise<number> {
  const text = await (await gateway.fetch('/metrics')).text();
  return Number(/^gatehouse_websockets (\d+)$/m.exec(text)?.[1]);
}

test('silent connections from one address keep nobody out but each other', async () => {
  const silent: RawSocket[] = [];
  const codes: number[] = [];
  const honest: RawSocket[] = [];
  try {
    for (let opened = 0; opened < SHARE + 100; opened += 50) {
      const batch = await Promise.all(Array.from({ length: 50 }, () => openFrom('203.0.113.1')));
      for (const socket of batch) void socket.closed.then(({ code }) => codes.push(code));
      silent.push(...batch);
    }
    await expect.poll(countSockets).toBeLessThanOrEqual(SHARE);
    // A good credential in the handshake needs no place among the strangers, whatever the address.
    for (let index = 0; index < 20; index += 1) {
      const socket = await openFrom('203.0.113.1', bearer(gateway.tokens.member));
      honest.push(socket);
      expect(await socket.init()).toEqual({ type: 'connection_ack' });
    }
    // One in connection_init takes one for a moment.
    for (const address of ['198.51.100.1', '203.0.113.1']) {
      const socket = await openFrom(address);
      honest.push(socket);
      expect(await socket.init(bearer(gateway.tokens.member))).toEqual({ type: 'connection_ack' });
    }
    // The others are closed because there is no connection_init in time.
    await Promise.all(silent.map(({ closed }) => closed));
    expect(codes).toContain(4408);
    expect(codes.filter((code) => code !== 1013 && code !== 4408)).toEqual([]);
  } finally {
    await Promise.all([...silent, ...honest].map(closeSocket));
  }
});
