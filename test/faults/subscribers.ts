import { connect, type Socket } from 'node:net';
import { expect } from 'vitest';
import { openSocket, type RawSocket } from '../setup/socket-client.ts';
import { waitUntil } from '../setup/wait-until.ts';
import { type StreamGateway, startStreamGateway, toSubscribeRequest } from './stream-gateway.ts';

/** Subscribers to one config of a gateway, whose events are large: live ones, and ones that stop reading. */
export interface Subscribers {
  /** How many streams the gateway has. */
  countStreams(): Promise<number>;
  /** The memory of the gateway's process, in bytes. */
  readMemory(): Promise<number>;
  /** Opens a live one over server-sent events. */
  follow(): Promise<void>;
  /** Opens some that read nothing once they follow. @returns the connections of those over server-sent events */
  stall(counts: { overSse: number; overWebSocket: number }): Promise<Socket[]>;
  /** Changes the config. @returns when each live one received it, in milliseconds after the call */
  change(): Promise<number>;
  /**
   * Changes the config until the buffers on the way to the stalled ones are full, and events are made only for the live
   * ones. @returns the number of changes
   */
  fill(): Promise<number>;
  /** Closes all connections, and the gateway. */
  close(): Promise<void>;
}

const FILL_MS = 120_000;
const QUERY = `subscription { mcpServerConfigEvents {
  type cursor configId config { id slug displayName description url toolDenyList enabled version } } }`;

/** Starts a gateway over a new database, with the config. Close it. */
export async function startSubscribers(serverUrl: string): Promise<Subscribers> {
  const gateway = await startStreamGateway(serverUrl);
  try {
    return await createSubscribers(gateway);
  } catch (error) {
    await gateway.close();
    throw error;
  }
}

async function createSubscribers(gateway: StreamGateway): Promise<Subscribers> {
  // Large events fill the buffers on the way after few of them.
  const toolDenyList = Array.from({ length: 160 }, (_, index) => `tool-${index}`.padEnd(100, '-'));
  const input = { displayName: 'A', slug: 'a', url: 'https://mcp.example.com/mcp', toolDenyList };
  const mutation = 'mutation ($input: CreateMcpServerConfigInput!) { createMcpServerConfig(input: $input) { id } }';
  const configId: string = (await gateway.ask(mutation, { input })).createMcpServerConfig.id;

  const sockets: Socket[] = [];
  const webSockets: RawSocket[] = [];
  /** What each live one received. */
  const heard: Set<string>[] = [];
  let changes = 0;

  const subscribe = async (onText: (text: string) => void): Promise<Socket> => {
    const socket = connect(gateway.port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    const begun = new Promise<void>((resolve) => {
      socket.setEncoding('utf8').on('data', (text: string) => {
        if (text.includes('BOOKMARK')) resolve();
        onText(text);
      });
    });
    socket.write(toSubscribeRequest(gateway, QUERY));
    await begun;
    return socket;
  };

  const change = async (): Promise<number> => {
    changes += 1;
    const mark = `change ${changes}.`;
    const startedAt = performance.now();
    await gateway.ask(
      `mutation ($id: UUID!, $description: String!) {
        updateMcpServerConfig(id: $id, patch: { description: $description }) { id } }`,
      { id: configId, description: mark.padEnd(3_900, '.') },
    );
    await waitUntil(`the live ones hear of ${mark}`, () => heard.every((marks) => marks.has(mark)), 20_000);
    return performance.now() - startedAt;
  };

  return {
    countStreams: () => gateway.readMetric('gatehouse_streams'),
    readMemory: () => gateway.readMetric('process_resident_memory_bytes'),

    async follow() {
      const marks = new Set<string>();
      heard.push(marks);
      let rest = '';
      await subscribe((text) => {
        rest += text;
        for (const [mark] of rest.matchAll(/change \d+\./g)) marks.add(mark);
        rest = rest.slice(-20);
      });
    },

    async stall({ overSse, overWebSocket }) {
      const stalled: Socket[] = [];
      for (let index = 0; index < overSse; index += 1) {
        const socket = await subscribe(() => undefined);
        stalled.push(socket.pause());
      }
      for (let index = 0; index < overWebSocket; index += 1) {
        const webSocket = await openSocket(gateway.port);
        webSockets.push(webSocket);
        await webSocket.init({ authorization: `Bearer ${gateway.token}` });
        webSocket.send({ type: 'subscribe', id: 's', payload: { query: QUERY } });
        expect(await webSocket.next()).toMatchObject({ type: 'next' });
        webSocket.socket.pause();
      }
      return stalled;
    },

    change,

    async fill() {
      const startedAt = performance.now();
      const countMade = () => gateway.readMetric('gatehouse_stream_events_total', 'MODIFIED');
      const before = changes;
      for (let still = 0; still < 3; ) {
        const made = await countMade();
        await change();
        still = (await countMade()) - made <= heard.length ? still + 1 : 0;
        if (performance.now() - startedAt > FILL_MS) throw new Error('the stalled ones do not stall');
      }
      return changes - before;
    },

    async close() {
      for (const socket of sockets) socket.destroy();
      for (const { socket } of webSockets) socket.terminate();
      await gateway.close();
    },
  };
}
