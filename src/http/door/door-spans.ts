import type { Door } from '../../domain/door/door.ts';
import type { CallAnswer } from '../../domain/door/door-calls.ts';
import { DomainError } from '../../errors.ts';
import { readTraceContext } from '../../mcp/request-meta.ts';
import { currentRequest } from '../../telemetry/request-scope.ts';
import type { Span, Tracing } from '../../telemetry/tracing.ts';

/** The methods by name. Callers can make up others. */
const METHODS: ReadonlySet<unknown> = new Set([
  ...['initialize', 'ping', 'server/discover', 'subscriptions/listen', 'tools/list', 'tools/call'],
  ...['resources/list', 'resources/templates/list', 'resources/read', 'prompts/list', 'prompts/get'],
]);

const REVISION = /^\d{4}-\d{2}-\d{2}$/;

/** What records a message at a door. */
export interface DoorSpan {
  /** The same door, whose calls are parts of the message. */
  door: Door;
  /** The message was answered, or its client went away. */
  end(): void;
}

/**
 * Begins the span of a message, after the conventions for MCP. It continues the trace in the message's `_meta` (SEP-414), or
 * else that of the request. Undefined: it is not recorded.
 *
 * @param revision the header of the request
 */
export function beginMessage(
  tracing: Tracing,
  door: Door,
  { message, revision }: { message: unknown; revision: string | undefined },
): DoorSpan | undefined {
  const around = currentRequest()?.span;
  const { method, id, params } = (message ?? {}) as { method?: unknown; id?: unknown; params?: unknown };
  // Notifications, and what is no message. The calls of a batch are parts of the request.
  if (typeof method !== 'string' || !METHODS.has(method) || id === undefined) return undefined;
  const { _meta: meta } = (params ?? {}) as { _meta?: unknown };
  const span = tracing.beginWithin(around, {
    ...{ name: method, kind: 'server', remote: readTraceContext(meta) },
    attributes: {
      'mcp.method.name': method,
      'mcp.protocol.version': revision !== undefined && REVISION.test(revision) ? revision : undefined,
      'jsonrpc.request.id': typeof id === 'string' || typeof id === 'number' ? String(id) : undefined,
      'network.transport': 'tcp',
    },
  });
  if (span === null) return undefined;
  let problem: string | undefined;
  const noted = async <Answer extends CallAnswer | { kind: 'status' }>(answering: Promise<Answer>): Promise<Answer> => {
    try {
      const answer = await answering;
      problem = findProblem(answer);
      return answer;
    } catch (error) {
      problem = error instanceof DomainError ? error.code : 'INTERNAL_SERVER_ERROR';
      throw error;
    }
  };
  return {
    door: {
      ...door,
      async call(opened, call, how) {
        const answer = await noted(door.call(opened, call, { ...how, span }));
        nameTool(span, call.name, answer);
        return answer;
      },
      items: {
        ...door.items,
        read: (opened, uri, how) => noted(door.items.read(opened, uri, { ...how, span })),
        getPrompt: (opened, asked, how) => noted(door.items.getPrompt(opened, asked, { ...how, span })),
      },
    },
    end: () => span.end(problem),
  };
}

/** Callers can make up names. Those that there are here are told. */
function nameTool(span: Span, name: string, answer: CallAnswer | { kind: 'status' }): void {
  span.set({ 'gen_ai.operation.name': 'execute_tool' });
  if (answer.kind === 'refused' && (answer.code === 'NOT_FOUND' || answer.code === 'RATE_LIMITED')) return;
  span.rename(`tools/call ${name}`);
  span.set({ 'gen_ai.tool.name': name });
}

function findProblem(answer: CallAnswer | { kind: 'status' }): string | undefined {
  if (answer.kind === 'refused') return answer.code;
  return answer.kind === 'result' && answer.result['isError'] === true ? 'tool_error' : undefined;
}
