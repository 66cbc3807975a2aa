import { DomainError } from '../errors.ts';
import { currentRequest } from '../telemetry/request-scope.ts';
import type { Surrounding, Tracing } from '../telemetry/tracing.ts';
import { UpstreamError } from './upstream-error.ts';
import type { UpstreamTarget } from './upstream-target.ts';

/**
 * Begins the span of a call, after the conventions for MCP. It has the name of the tool, and neither arguments nor URIs.
 *
 * @param around the span of the caller's message. Undefined: that of the request, if there is one
 */
export function beginCall(
  tracing: Tracing,
  { configId, url }: Pick<UpstreamTarget, 'configId' | 'url'>,
  { method, tool }: { method: string; tool: string | undefined },
  around: Surrounding,
): Surrounding {
  const within = around ?? currentRequest()?.span;
  // The gateway's own work has no spans.
  if (within == null) return null;
  const { hostname, port, protocol } = new URL(url);
  return tracing.beginWithin(within, {
    name: tool === undefined ? method : `${method} ${tool}`,
    kind: 'client',
    attributes: {
      'mcp.method.name': method,
      ...(tool !== undefined && { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': tool }),
      'network.transport': 'tcp',
      'server.address': hostname,
      'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
      'gatehouse.server.id': configId,
    },
  });
}

/** The kind of error that the outcome of a call stands for. */
export function findCallError(
  outcome: { result: { result: Readonly<Record<string, unknown>> } } | { error: unknown },
): string | undefined {
  if ('result' in outcome) return outcome.result.result['isError'] === true ? 'tool_error' : undefined;
  const { error } = outcome;
  if (error instanceof UpstreamError) return error.problem;
  return error instanceof DomainError ? error.code : undefined;
}
