import type { ProgressCallback } from '@modelcontextprotocol/client';
import { MCP_LIMITS } from '../limits/mcp-limits.ts';
import type { Lookup } from '../outbound/checked-connector.ts';
import type { PrivateHosts } from '../outbound/private-hosts.ts';
import type { PrivateRange } from '../outbound/private-ranges.ts';
import { createStreamFetch } from '../outbound/stream-fetch.ts';
import { inSpan, type Surrounding, type TraceContext, type Tracing, toTraceContext } from '../telemetry/tracing.ts';
import { createByteBudget } from './byte-budget.ts';
import { beginCall, findCallError } from './call-span.ts';
import { createCircuit, type Pause } from './circuit.ts';
import { type ItemKind, listAllItems, type UpstreamItem } from './list-items.ts';
import { type ListedTools, listAllTools } from './list-tools.ts';
import { createListen } from './listen.ts';
import { toParamHeaders } from './param-headers.ts';
import { withoutReservedMeta } from './request-meta.ts';
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
  /** The span of the caller's message. Default: that of the request. */
  span?: Surrounding;
  /** The limit for the answer. Default and maximum: that of the gateway. */
  maxBytes?: number | undefined;
}

/** What a server is asked for. */
export type Asked =
  | { kind: 'tool'; name: string; arguments: Readonly<Record<string, unknown>> }
  | { kind: 'resource'; uri: string }
  | { kind: 'prompt'; name: string; arguments: Readonly<Record<string, unknown>> };

/** A server's answer. */
export interface Answered {
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
  tracing?: Tracing | undefined;
  /** For tests, on slow machines. */
  listTimeoutMs?: number | undefined;
  /** After how many operations a connection is made anew, for tests. */
  renewAfterUses?: number | undefined;
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
  const { ranges, hosts, lookup, identity, maxSilenceMs, tracing, traceHosts = [] } = options;
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
    renewAfterUses: options.renewAfterUses,
  });
  const circuit = createCircuit(clock);
  const lists = createByteBudget(MAX_LISTS_BYTES);
  const run = createOperations({ pool, circuit, lists, maxSilenceMs });
  const listen = createListen({ pool, circuit });

  const ask = (target: UpstreamTarget, asked: Asked, options: CallOptions): Promise<Answered> => {
    const { signal, onProgress, inputSchema, maxBytes = maxAnswerBytes } = options;
    const { method, isResult } = METHODS[asked.kind];
    const tool = asked.kind === 'tool' ? asked.name : undefined;
    const span = tracing && beginCall(tracing, target, { method, tool }, options.span);
    const trace = toTraceContext(span, options.trace);
    const { kind: _kind, ...params } = asked;
    const limit = Math.min(maxBytes, maxAnswerBytes);
    const work = () =>
      run(target, {
        signal,
        timeoutMs: callTimeoutMs,
        isList: false,
        isShared: false,
        maxBytes: limit,
        maxTotalBytes: limit,
        async work(session, exchange) {
          span?.set({ 'mcp.protocol.version': session.revision });
          const isTraced = trace !== undefined && traceHosts.includes(new URL(target.url).hostname);
          const sent = { ...params, ...(isTraced && { _meta: trace }) };
          const hasHeaders = session.isModern && inputSchema !== undefined;
          const headers = hasHeaders
            ? toParamHeaders(inputSchema, 'arguments' in params ? params.arguments : {})
            : undefined;
          const result = await session.request(exchange, { method, params: sent, onProgress, headers });
          if (!isResult(result)) throw new UpstreamError('PROTOCOL_ERROR');
          // On a stream that brings the answers of several calls, they are not counted one by one.
          const bytes = target.transport === 'sse' ? Buffer.byteLength(JSON.stringify(result)) : exchange.bytes;
          if (bytes > limit) throw new UpstreamError('TOO_LARGE');
          return { result: withoutReservedMeta(result), bytes };
        },
      });
    return span == null ? work() : inSpan(span, work, findCallError);
  };

  return {
    /**
     * Lists all tools of a server, page by page.
     *
     * @throws UpstreamError; whatever `target.authorize` throws
     */
    listTools(target: UpstreamTarget, { signal }: Pick<CallOptions, 'signal'> = {}): Promise<ListedTools> {
      return run(target, {
        signal,
        timeoutMs: listTimeoutMs,
        isList: true,
        isShared: true,
        maxBytes: maxAnswerBytes,
        maxTotalBytes: Math.max(MAX_LIST_BYTES, maxAnswerBytes),
        work: listAllTools,
      });
    },

    /**
     * Lists what a server has besides tools. It never counts against the server: its tools may work.
     *
     * @throws as `listTools`
     */
    listItems(
      target: UpstreamTarget,
      kind: ItemKind,
      { signal }: Pick<CallOptions, 'signal'> = {},
    ): Promise<readonly UpstreamItem[]> {
      return run(target, {
        signal,
        timeoutMs: listTimeoutMs,
        isList: false,
        isShared: true,
        maxBytes: Math.min(MCP_LIMITS.itemList.value, maxAnswerBytes),
        maxTotalBytes: MCP_LIMITS.itemList.value,
        work: (session, exchange) => listAllItems(session, exchange, kind),
      });
    },

    /**
     * Calls a tool, reads a resource or gets a prompt. The server validates the arguments.
     *
     * @throws UpstreamError; whatever `target.authorize` throws
     */
    ask,

    /** Calls a tool. @throws as `ask` */
    callTool: (
      target: UpstreamTarget,
      name: string,
      args: Readonly<Record<string, unknown>>,
      options: CallOptions = {},
    ): Promise<Answered> => ask(target, { kind: 'tool', name, arguments: args }, options),

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

function isToolResult(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  // A result without content is one of an older revision, or not one of a tool.
  return 'content' in value ? Array.isArray(value.content) : 'structuredContent' in value || 'toolResult' in value;
}

function hasList(part: string) {
  return (value: unknown): value is Record<string, unknown> =>
    Array.isArray((value as Record<string, unknown> | null | undefined)?.[part]);
}

const METHODS = {
  tool: { method: 'tools/call', isResult: isToolResult },
  resource: { method: 'resources/read', isResult: hasList('contents') },
  prompt: { method: 'prompts/get', isResult: hasList('messages') },
} as const;
