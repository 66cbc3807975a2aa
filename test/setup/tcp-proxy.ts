import { connect, createServer, type Socket } from 'node:net';

/** A proxy on loopback that can simulate network faults. */
export interface TcpProxy {
  port: number;
  /** Forwards data, including what was held. */
  pass(): void;
  /** Holds all data without losing it, like packets that are resent until they arrive. */
  hold(): void;
  /**
   * Discards all data of existing and new connections, and closes none: the other host is gone without notice. These
   * connections never recover; new ones work after `pass`.
   */
  discard(): void;
  /** Discards all data of some connections, as `discard` does. @param which by their order, from 0 */
  discardOnly(which: readonly number[]): void;
  /** Ends all connections, and each new one at once, until `pass`: as while the other host starts again. */
  refuse(): void;
  /** Number of connections opened through it so far. */
  count(): number;
  close(): Promise<void>;
}

/** A client's connection, and the matching one to the server. */
interface Pair {
  /** How many connections were opened before. */
  index: number;
  client: Socket;
  server: Socket | undefined;
  isLost: boolean;
}

/** Opens a proxy in front of a port of 127.0.0.1. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let mode: 'pass' | 'hold' | 'discard' | 'refuse' = 'pass';
  let count = 0;

  const join = (from: Socket, to: Socket, pair: Pair): void => {
    from.on('data', (chunk: Buffer) => {
      if (pair.isLost || to.destroyed || to.write(chunk)) return;
      from.pause();
      to.once('drain', () => {
        if (mode !== 'hold') from.resume();
      });
    });
    from.on('end', () => {
      if (!pair.isLost) to.end();
    });
    from.on('error', () => undefined);
    from.on('close', () => {
      // The other side of a lost connection is not notified: that is the fault.
      if (pair.isLost) return;
      to.destroy();
      pairs.delete(pair);
    });
    if (mode === 'hold') from.pause();
  };

  /** Earlier data is still in the socket and is read now. */
  const forward = (pair: Pair): void => {
    if (pair.isLost || pair.server !== undefined || pair.client.destroyed) return;
    const server = connect({ port: targetPort, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    pair.server = server;
    join(pair.client, server, pair);
    join(server, pair.client, pair);
    pair.client.resume();
  };

  const lose = (pair: Pair): void => {
    pair.isLost = true;
    if (pair.server === undefined) {
      pair.client.on('error', () => undefined);
      pair.client.on('data', () => undefined);
    }
    for (const socket of [pair.client, pair.server]) socket?.resume();
  };

  const listening = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    const index = count;
    count += 1;
    if (mode === 'refuse') {
      client.on('error', () => undefined).destroy();
      return;
    }
    const pair: Pair = { index, client, server: undefined, isLost: false };
    pairs.add(pair);
    if (mode === 'pass') forward(pair);
    if (mode === 'discard') lose(pair);
  });
  await new Promise<void>((resolve, reject) => {
    listening.once('error', reject);
    listening.listen(0, '127.0.0.1', resolve);
  });
  const address = listening.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    pass() {
      mode = 'pass';
      for (const pair of pairs) {
        forward(pair);
        for (const socket of [pair.client, pair.server]) socket?.resume();
      }
    },
    hold() {
      mode = 'hold';
      for (const { isLost, client, server } of pairs)
        if (!isLost) for (const socket of [client, server]) socket?.pause();
    },
    discard() {
      mode = 'discard';
      for (const pair of pairs) lose(pair);
    },
    discardOnly(which) {
      for (const pair of pairs) if (which.includes(pair.index)) lose(pair);
    },
    refuse() {
      mode = 'refuse';
      for (const { client, server } of pairs) for (const socket of [client, server]) socket?.destroy();
    },
    count: () => count,
    async close() {
      const closed = new Promise((resolve) => listening.close(resolve));
      for (const { client, server } of pairs) for (const socket of [client, server]) socket?.destroy();
      await closed;
    },
  };
}
