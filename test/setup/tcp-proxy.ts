import { connect, createServer, type Socket } from 'node:net';

/** A proxy on loopback that can be made to do what networks do. */
export interface TcpProxy {
  port: number;
  /** Forwards, and what was held comes now. */
  pass(): void;
  /** Nothing comes through, and nothing is lost: packets that are sent again until they arrive. */
  hold(): void;
  /**
   * Swallows all, of the connections that there are and of new ones, and closes none: the other host is gone, and
   * nobody says so. These connections never work again; new ones do after `pass`.
   */
  discard(): void;
  /** How many connections were opened through it so far. */
  count(): number;
  close(): Promise<void>;
}

/** One client's connection, and the one to the server that is made for it. */
interface Pair {
  client: Socket;
  server: Socket | undefined;
  isLost: boolean;
}

/** Opens one in front of a port of 127.0.0.1. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let mode: 'pass' | 'hold' | 'discard' = 'pass';
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
      // The other side of a lost connection is not told: that is what is lost.
      if (pair.isLost) return;
      to.destroy();
      pairs.delete(pair);
    });
    if (mode === 'hold') from.pause();
  };

  /** What came before that is still in the socket, and is read now. */
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
    count += 1;
    const pair: Pair = { client, server: undefined, isLost: false };
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
    count: () => count,
    async close() {
      const closed = new Promise((resolve) => listening.close(resolve));
      for (const { client, server } of pairs) for (const socket of [client, server]) socket?.destroy();
      await closed;
    },
  };
}
