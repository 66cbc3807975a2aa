import type { ProgressCallback } from '@modelcontextprotocol/client';
import type { Lookup } from '../outbound/checked-connector.ts';
import type { PrivateHosts } from '../outbound/private-hosts.ts';
import type { PrivateRange } from '../outbound/private-ranges.ts';
import { createStreamFetch } from '../outbound/stream-fetch.ts';
import { createByteBudget } from './byte-budget.ts';
import { createCircuit, type Pause } from './circuit.ts';
import { type ListedTools, listAllTools } from './list-tools.ts';
import { createListen } from './listen.ts';
import { toParamHeaders } from './param-headers.ts';
import { type TraceContext, withoutReservedMeta } from './request-meta.ts';
import { UpstreamError } from './upstream-error.ts';
import {
  CALL_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  LIST_TIMEOUT_MS,
  MAX_ANSWER_BYTES,
  MAX_LIST_BYTES,
  MAX_LISTS_BYTES,
} from './upstream-limits.ts';
import { createOperations } from './upstream-operations.ts';
import { createUpstreamPool } from './upstream-pool.ts';
import type { ClientIdentity } from './upstream-session.ts';
import type { OnToolsChanged, UpstreamTarget } from './upstream-target.ts';

/** How a tool is called. */
export interface CallOptions {
  /** Cancels the call, at the server too. */
  signal?: AbortSignal | undefined;
  onProgress?: ProgressCallback | undefined;
  /** The tool's schema, if it wants arguments in headers. */
  inputSchema?: unknown;
  /** The caller's trace. It is sent to the hosts that may have it. */
  trace?: TraceContext | undefined;
  /** The limit for the answer. Default and maximum: that of the gateway. */
  maxBytes?: number | undefined;
}

/** A server's answer to a call. */
export interface CalledTool {
  /** The result as received, also if it says `isError`. */
  result: Readonly<Record<string, unknown>>;
  /** The size of the answer. */
  bytes: number;
}

/** Calls upstream servers. */
export type Upstreams = ReturnType<typeof createUpstreams>;

/** The settings. */
export interface UpstreamsOptions {
  ranges: readonly PrivateRange[];
  hosts?: PrivateHosts | undefined;
  lookup?: Lookup | undefined;
  identity: ClientIdentity;
  callTimeoutMs?: number | undefined;
  maxAnswerBytes?: number | undefined;
  onToolsChanged?: OnToolsChanged | undefined;
  /** Host names of servers that get the traces of callers. Spelled as in `URL.hostname`. */
  traceHosts?: readonly string[] | undefined;
  /** For tests, on slow machines. */
  listTimeoutMs?: number | undefined;
  /** The longest pause within an answer, for tests. */
  maxSilenceMs?: number | undefined;
  /** In milliseconds, for tests. */
  clock?: (() => number) | undefined;
}

/**
 * Creates what calls upstream servers: it keeps connections, bounds everything that servers send, and gives every failure
 * one of a fixed set of names ([ADR 10](../../docs/adr/0010-upstream-connections.md)).
 */
export function createUpstreams(options: UpstreamsOptions) {
  const { ranges, hosts, lookup, identity, maxSilenceMs, traceHosts = [] } = options;
  const {
    callTimeoutMs = CALL_TIMEOUT_MS,
    maxAnswerBytes = MAX_ANSWER_BYTES,
    listTimeoutMs = LIST_TIMEOUT_MS,
  } = options;
  const { onToolsChanged = () => undefined, clock = () => performance.now() } = options;
  const pool = createUpstreamPool({
    connect: () => createStreamFetch({ ranges, hosts, lookup, connectTimeoutMs: CONNECT_TIMEOUT_MS }),
    identity,
    maxAnswerBytes,
    onToolsChanged,
    clock,
  });
  const circuit = createCircuit(clock);
  const lists = createByteBudget(MAX_LISTS_BYTES);
  const run = createOperations({ pool, circuit, lists, maxSilenceMs });
  const listen = createListen({ pool, circuit });

  return {
    /**
     * Lists all tools of a server, page by page.
     *
     * @throws UpstreamError; whatever `target.authorize` throws
     */
    listTools(target: UpstreamTarget, { signal }: Pick<CallOptions, 'signal'> = {}): Promise<ListedTools> {
      return run(target, {
        signal: within(listTimeoutMs, signal),
        isList: true,
        maxBytes: maxAnswerBytes,
        maxTotalBytes: Math.max(MAX_LIST_BYTES, maxAnswerBytes),
        work: listAllTools,
      });
    },

    /**
     * Calls a tool. The server validates the arguments.
     *
     * @throws UpstreamError; whatever `target.authorize` throws
     */
    callTool(
      target: UpstreamTarget,
      name: string,
      args: Readonly<Record<string, unknown>>,
      { signal, onProgress, inputSchema, trace, maxBytes = maxAnswerBytes }: CallOptions = {},
    ): Promise<CalledTool> {
      const limit = Math.min(maxBytes, maxAnswerBytes);
      return run(target, {
        signal: within(callTimeoutMs, signal),
        isList: false,
        maxBytes: limit,
        maxTotalBytes: limit,
        async work(session, exchange) {
          const isTraced = trace !== undefined && traceHosts.includes(new URL(target.url).hostname);
          const params = { name, arguments: args, ...(isTraced && { _meta: trace }) };
          const headers = session.isModern && inputSchema !== undefined ? toParamHeaders(inputSchema, args) : undefined;
          const result = await session.request(exchange, { method: 'tools/call', params, onProgress, headers });
          if (!isResult(result)) throw new UpstreamError('PROTOCOL_ERROR');
          // On a stream that brings the answers of several calls, they are not counted one by one.
          const bytes = target.transport === 'sse' ? Buffer.byteLength(JSON.stringify(result)) : exchange.bytes;
          if (bytes > limit) throw new UpstreamError('TOO_LARGE');
          return { result: withoutReservedMeta(result), bytes };
        },
      });
    },

    /** Hears from a server that its tools changed. */
    listen,

    /** Why a server is left alone, if it is. */
    pause: ({ configId, version }: Pick<UpstreamTarget, 'configId' | 'version'>): Pause | undefined =>
      circuit.pause(`${configId} ${version}`),

    /** Ends the connections that are meant, and the operations that use them. */
    close: ({ configId, owner, beforeVersion, exceptGrant }: Closing): Promise<void> =>
      pool.close(
        ({ target, grant }) =>
          target.configId === configId &&
          (owner === undefined || target.owner === owner) &&
          (beforeVersion === undefined || target.version < beforeVersion) &&
          (exceptGrant === undefined || grant !== exceptGrant),
      ),

    /** Whether there is a connection of this owner. */
    has: (configId: string, owner: string): boolean => pool.has(configId, owner),

    /** How many connections are open. */
    count: pool.count,

    /** Ends everything. */
    dispose: (): Promise<void> => pool.close(() => true),
  };
}

/** The connections to end: all of a server, or those of one user, of earlier versions, of other grants. */
export interface Closing {
  configId: string;
  owner?: string | undefined;
  beforeVersion?: number | undefined;
  exceptGrant?: string | undefined;
}

function within(ms: number, signal: AbortSignal | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(ms);
  return signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
}

function isResult(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  // A result without content is one of an older revision, or not one of a tool.
  return 'content' in value ? Array.isArray(value.content) : 'structuredContent' in value || 'toolResult' in value;
}
