import type { UserRates } from '../../domain/shares/user-rates.ts';
import type { OperationReport } from '../../graphql/operation-report.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { createProxyCheck } from '../client-address.ts';
import { toRateLimitHeaders } from '../rate-limit-headers.ts';
import type { RequestReport } from '../request-report.ts';
import { readEarly } from './read-early.ts';
import type { Incoming, Repeat, RepeatMemory } from './repeat-memory.ts';

/** What the server hands over with a request. */
export interface RequestBindings {
  incoming?: Incoming;
  /** The body, if it was read early. */
  body?: Uint8Array<ArrayBuffer>;
}

type Handle = (request: Request, bindings?: RequestBindings) => Response | Promise<Response>;

/**
 * Answers requests that were answered before, while nothing has changed, without the rest of the gateway. What can be seen
 * from outside is the same: the id, the header fields, the log lines, the metrics and the limits.
 *
 * @param options.handle answers all other requests
 */
export function answerRepeats(options: {
  memory: RepeatMemory;
  handle: Handle;
  userRates: Pick<UserRates, 'takeOperation'>;
  requestReport: RequestReport;
  reportOperation: OperationReport;
  metrics: Pick<Metrics, 'countRepeat'>;
  isFromProxy: ReturnType<typeof createProxyCheck>;
}): Handle {
  const { memory, handle, userRates, requestReport, reportOperation, metrics, isFromProxy } = options;

  /** @returns undefined beyond the limit: its refusal is told by the rest of the gateway */
  const repeat = (
    { viewer: { userId }, route, operation, status, headers, body }: Repeat,
    request: Request,
    bindings: RequestBindings | undefined,
    startedAt: number,
  ): Response | undefined => {
    const limit = userRates.takeOperation(userId);
    if (limit.isExceeded) return undefined;
    metrics.countRepeat();
    const given = isFromProxy(bindings) ? request.headers.get('x-request-id') : null;
    const requestId = requestReport.toRequestId(given ?? undefined);
    if (operation !== undefined) reportOperation({ requestId, userId, ...operation, outcome: 'ok', startedAt });
    requestReport.report({ requestId, method: request.method, route, status, userId, startedAt });
    const own = { ...headers, ...toRateLimitHeaders([limit]), 'x-request-id': requestId };
    return new Response(body, { status, headers: own });
  };

  return (request, bindings) => {
    const head = memory.hashHead(request, bindings?.incoming);
    if (head === undefined || !memory.isKnown(head)) return handle(request, bindings);
    const startedAt = performance.now();
    const answer = (body?: Uint8Array<ArrayBuffer>) => {
      const found = memory.find(head, body);
      const given = body === undefined ? bindings : { ...bindings, body };
      return (found && repeat(found, request, bindings, startedAt)) ?? handle(request, given);
    };
    if (request.method !== 'POST') return answer();
    // Who has gone is noticed by the code that reads the body otherwise.
    return readEarly(request, bindings?.incoming).then(answer);
  };
}
