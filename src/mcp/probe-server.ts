import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { createCheckedConnector, type Lookup, resolveAddresses, systemLookup } from '../outbound/checked-connector.ts';
import type { PrivateHosts } from '../outbound/private-hosts.ts';
import type { PrivateRange } from '../outbound/private-ranges.ts';
import { parseTarget } from '../outbound/safe-fetch.ts';
import { createStreamFetch } from '../outbound/stream-fetch.ts';
import { orAborted } from './abort.ts';
import { createExchange } from './exchange.ts';
import { type ListedTools, listAllTools } from './list-tools.ts';
import { openSession } from './open-session.ts';
import { toUpstreamError } from './outbound-problem.ts';
import { UpstreamError } from './upstream-error.ts';
import { CONNECT_TIMEOUT_MS, LIST_TIMEOUT_MS, MAX_ANSWER_BYTES, MAX_LIST_BYTES } from './upstream-limits.ts';
import type { ClientIdentity } from './upstream-session.ts';
import type { UpstreamHeader, UpstreamTransport } from './upstream-target.ts';

/** What a test of a server tries, each alone. Nothing of it is kept. */
export type ServerProbe = ReturnType<typeof createServerProbe>;

/** The network below HTTP. */
export interface ProbedConnection {
  /** Like `TLSv1.3`. Undefined without TLS. */
  tls: string | undefined;
  /** When the certificate expires. */
  validTo: Date | undefined;
}

/** Creates the parts of a test. Each throws UpstreamError. */
export function createServerProbe(options: {
  ranges: readonly PrivateRange[];
  hosts: PrivateHosts;
  lookup?: Lookup | undefined;
  identity: ClientIdentity;
}) {
  const { ranges, hosts, lookup = systemLookup, identity } = options;
  const connect = createCheckedConnector({ ranges, timeoutMs: CONNECT_TIMEOUT_MS, lookup });

  return {
    /** Looks the name up. @returns the number of addresses */
    async resolve(url: URL): Promise<number> {
      const hostname = url.hostname.replace(/^\[|\]$/g, '');
      const timeout = AbortSignal.timeout(CONNECT_TIMEOUT_MS);
      try {
        return (await orAborted(resolveAddresses(hostname, lookup), timeout)).length;
      } catch (error) {
        throw timeout.aborted ? new UpstreamError('TIMEOUT') : toUpstreamError(error);
      }
    },

    /** Connects, and closes the connection. */
    async dial(url: URL): Promise<ProbedConnection> {
      try {
        parseTarget(url, hosts);
        const { hostname, protocol, port, host } = url;
        const target = { hostname: hostname.replace(/^\[|\]$/g, ''), protocol, port, host };
        const socket = await new Promise<Socket>((resolve, reject) => {
          connect(target, (error, opened) => (error === null ? resolve(opened) : reject(error)));
        });
        try {
          if (!(socket instanceof TLSSocket)) return { tls: undefined, validTo: undefined };
          const validTo = new Date(socket.getPeerCertificate().valid_to);
          return { tls: socket.getProtocol() ?? 'TLS', validTo };
        } finally {
          socket.on('error', () => undefined).destroy();
        }
      } catch (error) {
        throw toUpstreamError(error);
      }
    },

    /**
     * Connects by the protocol, and does something with the session.
     *
     * @param headers the credentials; none for nobody
     */
    async open<Result>(
      server: { url: string; transport: UpstreamTransport; headers: readonly UpstreamHeader[] },
      work: (session: { protocolVersion: string; listTools(): Promise<ListedTools> }) => Promise<Result>,
    ): Promise<Result> {
      const { url, transport, headers } = server;
      const connection = createStreamFetch({ ranges, hosts, lookup, connectTimeoutMs: CONNECT_TIMEOUT_MS });
      const signal = AbortSignal.timeout(LIST_TIMEOUT_MS);
      const exchange = createExchange({ headers, signal, maxBytes: MAX_ANSWER_BYTES, maxTotalBytes: MAX_LIST_BYTES });
      try {
        const session = await openSession(exchange, {
          url,
          transport,
          connection,
          identity,
          prior: undefined,
          onToolsChanged: () => undefined,
        });
        try {
          const { protocolVersion } = await session.describe(exchange);
          return await work({ protocolVersion, listTools: () => listAllTools(session, exchange) });
        } finally {
          await session.endSession(exchange);
          await session.close();
        }
      } finally {
        connection.close();
      }
    },
  };
}
