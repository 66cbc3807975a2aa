import {
  Client,
  type PriorDiscovery,
  type ProgressCallback,
  SSEClientTransport,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import type { StreamConnection } from '../outbound/stream-fetch.ts';
import { orAborted } from './abort.ts';
import { createDirectCalls, DIRECT_REVISION, type DirectCalls } from './direct-calls.ts';
import { type Exchange, runExchange, takeReceived } from './exchange.ts';
import { GuardedTransport } from './guarded-transport.ts';
import { judgeFailure } from './judge-failure.ts';
import { ANYTHING, NO_VALIDATION } from './no-validation.ts';
import { createReopening } from './reopening.ts';
import { UpstreamError } from './upstream-error.ts';
import { createUpstreamFetch } from './upstream-fetch.ts';
import { CONNECT_TIMEOUT_MS, MAX_REOPEN_MS, MIN_REOPEN_MS } from './upstream-limits.ts';
import type { UpstreamTransport } from './upstream-target.ts';

/** Who the gateway says it is. */
export interface ClientIdentity {
  name: string;
  version: string;
}

/** The parameters of a request. */
export interface SessionRequest {
  method: string;
  params?: Record<string, unknown> | undefined;
  onProgress?: ProgressCallback | undefined;
  /** In addition to those of the exchange, such as `Mcp-Param-*`. */
  headers?: Readonly<Record<string, string>> | undefined;
}

/** What a server says about itself, as received. */
export interface ServerDescription {
  protocolVersion: string;
  name: string | undefined;
  version: string | undefined;
  instructions: string | undefined;
}

/** How streams are opened again where the server names no time. */
const REOPENING = {
  initialReconnectionDelay: MIN_REOPEN_MS,
  maxReconnectionDelay: MAX_REOPEN_MS,
  reconnectionDelayGrowFactor: 2,
  maxRetries: 2,
};

/** The timer of the SDK is not used: the exchange has a signal. This is the longest that a timer can be. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * One connection to a server, in whichever revision of the protocol the server speaks. It keeps no credentials: each
 * request carries those of its exchange.
 */
export class UpstreamSession {
  readonly #client: Client;
  readonly #transport: StreamableHTTPClientTransport | SSEClientTransport;
  #isEnded = false;
  /** Why it ended, if the reason is known. */
  #end: UpstreamError | undefined;
  #description: ServerDescription | undefined;
  /** Calls tools without the client, where the server's revision allows that. */
  #callDirectly: DirectCalls | undefined;

  private constructor(client: Client, transport: StreamableHTTPClientTransport | SSEClientTransport) {
    this.#client = client;
    this.#transport = transport;
  }

  /**
   * Connects: asks for the revision, or initializes.
   *
   * @param prior what is known of the server's revision; saves a request
   * @throws UpstreamError
   */
  static async open(
    exchange: Exchange,
    options: {
      url: string;
      transport: UpstreamTransport;
      connection: Pick<StreamConnection, 'fetch' | 'fetchWhole'>;
      identity: ClientIdentity;
      prior: PriorDiscovery | undefined;
      onToolsChanged: () => void;
    },
  ): Promise<UpstreamSession> {
    const { transport: kind, connection, identity, prior, onToolsChanged } = options;
    const url = new URL(options.url);
    const isOld = kind === 'sse';
    const client = new Client(identity, {
      capabilities: {},
      versionNegotiation: { mode: isOld ? 'legacy' : 'auto' },
      inputRequired: { autoFulfill: false },
      jsonSchemaValidator: NO_VALIDATION,
    });
    const userAgent = `${identity.name}/${identity.version}`;
    const upstreamFetch = createUpstreamFetch({
      fetch: connection.fetch,
      url,
      userAgent,
      isStreamShared: isOld,
      onStreamFault: (fault) => session.#fail(fault),
    });
    const transport = isOld
      ? new SSEClientTransport(url, { fetch: upstreamFetch })
      : new StreamableHTTPClientTransport(url, {
          fetch: upstreamFetch,
          reconnectionScheduler: createReopening(),
          reconnectionOptions: REOPENING,
        });
    const session = new UpstreamSession(client, transport);
    // Without its stream, the transport of 2024 brings no answer. It would connect again, for ever.
    client.onerror = () => (isOld && session.#description !== undefined ? session.#fail() : undefined);
    client.onclose = () => session.#fail();
    const connect = (): Promise<void> =>
      client.connect(new GuardedTransport(transport, onToolsChanged), {
        signal: exchange.signal,
        timeout: NO_TIMEOUT_MS,
        ...(prior !== undefined && !isOld && { prior }),
      });
    try {
      // The transport of 2024 waits for the server without a limit.
      await orAborted(runExchange(exchange, connect), exchange.signal);
    } catch (error) {
      await session.close();
      throw judgeFailure(error, exchange);
    }
    session.#description = session.#describe();
    if (!isOld && client.getNegotiatedProtocolVersion() === DIRECT_REVISION) {
      session.#callDirectly = createDirectCalls({ fetch: connection.fetchWhole, url, userAgent, identity });
    }
    return session;
  }

  /** Whether the next request needs another connection. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Whether the server speaks 2026-07-28 or later. */
  get isModern(): boolean {
    return this.#client.getProtocolEra() === 'modern';
  }

  /** The revision that is spoken. */
  get revision(): string | undefined {
    return this.#client.getNegotiatedProtocolVersion();
  }

  /** Whether the server keeps something for this connection. */
  get hasSession(): boolean {
    return 'sessionId' in this.#transport && this.#transport.sessionId !== undefined;
  }

  /** Whether the server says that it has some of these. */
  hasCapability(name: 'resources' | 'prompts'): boolean {
    return this.#client.getServerCapabilities()?.[name] !== undefined;
  }

  /** What to remember of the server's revision, without anything that it may tell one user only. */
  get verdict(): PriorDiscovery {
    const discover = this.#client.getDiscoverResult();
    if (discover === undefined) return { kind: 'legacy' };
    const { instructions: _instructions, _meta, ...rest } = discover;
    return { kind: 'modern', discover: rest };
  }

  /** Sends a request. @returns the result as received @throws UpstreamError */
  async request(exchange: Exchange, request: SessionRequest): Promise<unknown> {
    const { method, params, onProgress, headers } = request;
    const { signal } = exchange;
    const send = (): Promise<unknown> =>
      this.#client.request({ method, ...(params !== undefined && { params }) }, ANYTHING, {
        signal,
        timeout: NO_TIMEOUT_MS,
        ...(onProgress !== undefined && { onprogress: onProgress }),
        ...(headers !== undefined && { headers }),
      });
    try {
      const direct = this.#isEnded ? undefined : this.#callDirectly?.(exchange, request);
      if (direct !== undefined) {
        const answered = await direct;
        if ('result' in answered) return answered.result;
        exchange.received = answered;
        if (this.#isEnded) throw new UpstreamError('CONNECTION_FAILED');
      }
      return await runExchange(exchange, send);
    } catch (error) {
      throw this.#end ?? judgeFailure(error, exchange);
    } finally {
      // Nobody reads it any more.
      void takeReceived(exchange)?.response.body?.cancel();
    }
  }

  /** What the server says about itself. Asks again, if the connection was made with a remembered revision. */
  async describe(exchange: Exchange): Promise<ServerDescription> {
    if (this.#description?.name !== undefined || !this.isModern) return this.#describe();
    try {
      await runExchange(exchange, () => this.#client.discover({ signal: exchange.signal, timeout: NO_TIMEOUT_MS }));
    } catch (error) {
      throw judgeFailure(error, exchange);
    }
    this.#description = this.#describe();
    return this.#description;
  }

  /**
   * Hears from the server that its tools changed, until the exchange or the server ends that.
   *
   * @param onOpen called when the server has agreed
   * @returns whether the server ended it, or does not tell
   * @throws UpstreamError
   */
  async listen(exchange: Exchange, onOpen: () => void): Promise<'ended' | 'unsupported'> {
    const { signal } = exchange;
    const tells = this.isModern && this.#client.getServerCapabilities()?.tools?.listChanged === true;
    if (!tells) return 'unsupported';
    const open = (): ReturnType<Client['listen']> =>
      this.#client.listen({ toolsListChanged: true }, { signal, timeout: CONNECT_TIMEOUT_MS });
    try {
      const subscription = await runExchange(exchange, open);
      if (subscription.honoredFilter.toolsListChanged !== true) {
        await runExchange(exchange, () => subscription.close());
        return 'unsupported';
      }
      onOpen();
      await subscription.closed;
    } catch (error) {
      throw this.#end ?? judgeFailure(error, exchange);
    }
    return 'ended';
  }

  /** Ends the session at the server, if it has one. Never rejects. */
  async endSession(exchange: Exchange): Promise<void> {
    const transport = this.#transport;
    if (!('terminateSession' in transport) || !this.hasSession) return;
    await runExchange(exchange, () => transport.terminateSession()).catch(() => undefined);
  }

  /** Ends all its requests. Never rejects. */
  async close(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    await this.#client.close().catch(() => undefined);
    await this.#transport.close().catch(() => undefined);
  }

  #fail(reason?: UpstreamError): void {
    this.#end ??= reason;
    void this.close();
  }

  #describe(): ServerDescription {
    const info = this.#client.getDiscoverResult()?._meta?.[SERVER_INFO] ?? this.#client.getServerVersion();
    const { name, version } = (info ?? {}) as Record<string, unknown>;
    const instructions = this.#client.getDiscoverResult()?.instructions ?? this.#client.getInstructions();
    return {
      protocolVersion: this.#client.getNegotiatedProtocolVersion() ?? '',
      name: typeof name === 'string' ? name : undefined,
      version: typeof version === 'string' ? version : undefined,
      instructions: typeof instructions === 'string' ? instructions : undefined,
    };
  }
}

const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';
