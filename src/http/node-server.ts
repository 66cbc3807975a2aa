import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { handleProtocols } from 'graphql-ws';
import { WebSocketServer } from 'ws';
import { REQUEST_LIMITS } from '../limits/request-limits.ts';
import type { App } from './app.ts';
import { MAX_BODY_BYTES } from './limited-body.ts';
import { ignoreOtherUpgrades } from './other-upgrades.ts';
import { findSuppliedAnswer, sendSupply } from './send-supply.ts';

/** How long clients may take to send a request. Connections that say nothing at all count as unfinished headers. */
export interface ReceiveTimeouts {
  headersTimeoutMs: number;
  /** For headers and body. */
  requestTimeoutMs: number;
}

const RECEIVE_TIMEOUTS: ReceiveTimeouts = {
  headersTimeoutMs: REQUEST_LIMITS.headersTime.value,
  requestTimeoutMs: REQUEST_LIMITS.requestTime.value,
};
/** How often Node looks for connections that are past their timeouts. Its default of 30 s would be added to each of them. */
const CHECK_MS = 1_000;
/** Longer than the idle timeout of common load balancers: they close idle connections first, so no request is lost. */
const KEEP_ALIVE_TIMEOUT_MS = REQUEST_LIMITS.keepAliveTime.value;
/** Limit of buffered data per client that does not read, or one response if larger. The rest is in kernel buffers. */
const BUFFER_BYTES = 4_096;

/** How often idle connections are closed during shutdown. */
const SWEEP_MS = 50;

/** A listening server. */
export interface RunningServer {
  /** The actual port, even if port 0 was requested. */
  port: number;
  /** Stops accepting connections, waits up to `graceMs` for running requests, then closes all connections. */
  close(graceMs: number): Promise<void>;
}

/** Starts the HTTP server. @throws the socket's error, e.g. EADDRINUSE */
export async function listen(
  app: Pick<App, 'fetch'> & Partial<Pick<App, 'answerRepeats'>>,
  { host, port, ...given }: { host: string; port: number } & Partial<ReceiveTimeouts>,
): Promise<RunningServer> {
  const timeouts = { ...RECEIVE_TIMEOUTS, ...given };
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: MAX_BODY_BYTES, handleProtocols });
  const server = createAdaptorServer({
    fetch: async (request, bindings) => sendDirectly(await app.fetch(request, bindings), bindings as HttpBindings),
    serverOptions: {
      headersTimeout: timeouts.headersTimeoutMs,
      requestTimeout: timeouts.requestTimeoutMs,
      connectionsCheckingInterval: CHECK_MS,
      highWaterMark: BUFFER_BYTES,
    },
    // The adapter expects ws's own type. They differ only because of `exactOptionalPropertyTypes`.
    websocket: { server: webSockets as never },
  });
  if (app.answerRepeats !== undefined) {
    const [listener] = server.listeners('request') as RequestListener[];
    if (listener === undefined) throw new Error('the server has no listener');
    server.removeAllListeners('request').on('request', app.answerRepeats(listener));
  }
  ignoreOtherUpgrades(server);
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
        // Node closes idle connections only once. Connections that become idle later would stay open for a next request.
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

/** Sends an answer whose parts come from a supply. The adapter sends all others. */
function sendDirectly(response: Response, { outgoing }: HttpBindings): Response {
  const supply = findSuppliedAnswer(response);
  if (supply === undefined) return response;
  const { status, headers } = response;
  const cookies = headers.getSetCookie();
  try {
    outgoing.writeHead(status, {
      ...Object.fromEntries(headers),
      ...(cookies.length > 0 && { 'set-cookie': cookies }),
    });
    outgoing.flushHeaders();
  } catch (error) {
    supply.close();
    throw error;
  }
  sendSupply(outgoing, supply);
  return RESPONSE_ALREADY_SENT;
}
