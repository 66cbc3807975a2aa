import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { handleProtocols } from 'graphql-ws';
import { WebSocketServer } from 'ws';
import type { App } from './app.ts';
import { MAX_BODY_BYTES } from './limited-body.ts';
import { passOtherUpgrades } from './other-upgrades.ts';

const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than the idle time of common load balancers, so that these close first and never into a new request. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** A client who takes nothing has so much waiting for him in this process, or one answer; the rest is in the kernel. */
const BUFFER_BYTES = 4_096;

/** While it closes, connections that became idle are looked for so often. */
const SWEEP_MS = 50;

/** A server that listens. */
export interface RunningServer {
  /** The port it listens on, also where 0 was asked for. */
  port: number;
  /** Takes no new connections, lets running requests end for at most this long, then cuts them off. */
  close(graceMs: number): Promise<void>;
}

/** Listens with the app. @throws the socket's error, e.g. EADDRINUSE */
export async function listen(app: App, { host, port }: { host: string; port: number }): Promise<RunningServer> {
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: MAX_BODY_BYTES, handleProtocols });
  const server = createAdaptorServer({
    fetch: app.fetch,
    serverOptions: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      highWaterMark: BUFFER_BYTES,
    },
    // What the adapter asks for is ws's own type, but for the optional properties that this project takes at their word.
    websocket: { server: webSockets as never },
  });
  passOtherUpgrades(server);
  if ('keepAliveTimeout' in server) server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: (graceMs) =>
      new Promise<void>((resolve) => {
        const cutOff = setTimeout(() => {
          if ('closeAllConnections' in server) server.closeAllConnections();
        }, graceMs);
        // Node closes those that are idle once: a connection whose answer ends later would be kept for the next request.
        const sweep = setInterval(() => {
          if ('closeIdleConnections' in server) server.closeIdleConnections();
        }, SWEEP_MS);
        server.close(() => {
          clearTimeout(cutOff);
          clearInterval(sweep);
          resolve();
        });
      }),
  };
}
