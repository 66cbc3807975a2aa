import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the ephemeral ports: 32,768 and up on Linux, 49,152 elsewhere. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;

/**
 * A free TCP port on loopback, for a server that starts later, or that goes down and comes back. No connection can take
 * it in the meantime as its local port, not even one to itself, which TCP makes when a client connects to an unused
 * port and is given that same port.
 */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
