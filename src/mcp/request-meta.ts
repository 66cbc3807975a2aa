import { MCP_LIMITS } from '../limits/mcp-limits.ts';
import type { TraceContext } from '../telemetry/tracing.ts';

const TRACE_PARENT =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x21-\x7e]{1,200})?$/;
const PRINTABLE = /^[\x20-\x7e]+$/;

/**
 * Reads the trace in the `_meta` of a request (SEP-414) or in its headers, and nothing else of it: whatever a caller writes
 * there is for the gateway. What is not valid is left out. A `tracestate` means nothing without its parent.
 */
export function readTraceContext(meta: unknown): TraceContext | undefined {
  const { traceparent, tracestate, baggage } = (meta ?? {}) as Record<string, unknown>;
  const isTraced = typeof traceparent === 'string' && TRACE_PARENT.test(traceparent);
  const trace = {
    ...(isTraced && { traceparent }),
    ...(isTraced && isValue(tracestate, MCP_LIMITS.traceState.value) && { tracestate }),
    ...(isValue(baggage, MCP_LIMITS.baggage.value) && { baggage }),
  };
  return Object.keys(trace).length === 0 ? undefined : trace;
}

function isValue(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value.length <= maxLength && PRINTABLE.test(value);
}

/** Keys that the protocol reserves (MCP, "`_meta`"), and the gateway's own. */
const RESERVED = /^(?:(?:[^./]+\.)?(?:modelcontextprotocol|mcp)(?:\.[^/]*)?|gatehouse)\//i;

/**
 * A result without what its `_meta` says about the connection to the server, such as the server's name: a client would take
 * it for what the gateway says. A server's own keys stay.
 */
export function withoutReservedMeta<Result extends Readonly<Record<string, unknown>>>(result: Result): Result {
  const { _meta: meta } = result;
  if (typeof meta !== 'object' || meta === null) return result;
  const own = Object.entries(meta).filter(([key]) => !RESERVED.test(key));
  if (own.length === Object.keys(meta).length) return result;
  const { _meta, ...rest } = result;
  return (own.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(own) }) as Result;
}
