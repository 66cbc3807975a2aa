// Alone: it leaves a small machine no time for others.
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, Socket } from 'node:net';
import v8 from 'node:v8';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Database } from '../../src/data/database/database.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { applyMigrations } from '../../src/data/migrations/migrations.ts';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createOwnDatabase } from '../setup/own-database.ts';
import { closeSocket, openSocket } from '../setup/socket-client.ts';
import { waitUntil } from '../setup/wait-until.ts';
import { toSubscribeRequest } from './stream-gateway.ts';

const serverUrl = inject('ownServerUrl');

const SUBSCRIPTIONS = 5_000;
const AT_ONCE = 50;
const QUERY = 'subscription { mcpServerConfigEvents { type cursor configId } }';

let own: Awaited<ReturnType<typeof createOwnDatabase>>;
let database: Database;
let gateway: TestGateway;
let server: RunningServer;
const warnings: string[] = [];
const onWarning = ({ name, message }: Error) => {
  // Objects that the test itself uses for counting.
  if (!message.includes('queryObjects')) warnings.push(`${name}: ${message}`);
};

beforeAll(async () => {
  if (serverUrl === undefined) return;
  process.on('warning', onWarning);
  own = await createOwnDatabase(serverUrl);
  database = await openServerDatabase(own.url);
  await applyMigrations(database);
  gateway = await createTestGateway({ database });
  server = await listen(gateway.app, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  process.off('warning', onWarning);
  await server?.close(1_000);
  await gateway?.close();
  await database?.close();
  await own?.drop();
});

/** Over server-sent events: aborted once it follows, or before anything arrived. */
async function followAndBreakOff(index: number): Promise<void> {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(toSubscribeRequest({ token: gateway.tokens.member }, QUERY));
  if (index % 4 !== 0) {
    let text = '';
    for await (const chunk of socket.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      text += chunk;
      if (text.includes('BOOKMARK')) break;
    }
  }
  const closed = once(socket, 'close');
  socket.destroy();
  await closed;
}

/** Over a WebSocket: completed by the client, or closed with its connection. */
async function followAndClose(index: number): Promise<void> {
  const socket = await openSocket(server.port);
  await socket.init({ authorization: `Bearer ${gateway.tokens.member}` });
  socket.send({ type: 'subscribe', id: 's', payload: { query: QUERY } });
  await socket.next();
  if (index % 4 === 1) socket.send({ type: 'complete', id: 's' });
  await closeSocket(socket);
}

async function churn(count: number): Promise<void> {
  let index = 0;
  const work = async (): Promise<void> => {
    while (index < count) {
      index += 1;
      await (index % 2 === 0 ? followAndBreakOff(index) : followAndClose(index));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Objects of this process after a full garbage collection. Listeners on signals and sockets: only live ones count. */
function takeStock(): Record<string, number> {
  const resources = process.getActiveResourcesInfo();
  const count = (type: string) => resources.filter((each) => each === type).length;
  const alive = (prototypeOf: unknown) => {
    // Found by prototype and counted after a full collection; not in the types of Node 20 yet.
    const query = (v8 as unknown as { queryObjects(of: unknown, options: { format: 'count' }): number }).queryObjects;
    return query(prototypeOf, { format: 'count' });
  };
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    timers: count('Timeout'),
    connections: count('TCPSocketWrap'),
    signals: alive(AbortSignal),
    sockets: alive(Socket),
    streams: alive(ReadableStream),
  };
}

const isLinux = process.platform === 'linux';

test.runIf(serverUrl !== undefined && isLinux)(
  `${SUBSCRIPTIONS} opened and closed subscriptions leave no listener, timer or descriptor`,
  async () => {
    const countStreams = async () => {
      const text = await (await gateway.fetch('/metrics')).text();
      return (
        Number(/^gatehouse_streams (\d+)$/m.exec(text)?.[1]) + Number(/^gatehouse_websockets (\d+)$/m.exec(text)?.[1])
      );
    };
    const settle = () => waitUntil('all streams are given back', async () => (await countStreams()) === 0, 30_000);
    await churn(500);
    await settle();
    const before = takeStock();
    await churn(SUBSCRIPTIONS);
    await settle();
    let after = takeStock();
    // The last work of a stream, such as reading an answer of its database, may still be running.
    const isBack = () => {
      after = takeStock();
      return Object.entries(before).every(([name, value]) => (after[name] ?? 0) <= value + 10);
    };
    await waitUntil('all is back where it was', isBack, 30_000).catch(() => expect(after).toEqual(before));
    console.log(`Before: ${JSON.stringify(before)}; after: ${JSON.stringify(after)}`);
    expect(warnings).toEqual([]);
  },
  300_000,
);
