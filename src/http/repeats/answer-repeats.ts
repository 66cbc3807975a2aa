import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { ChatService } from '../../domain/chats/chat-service.ts';
import type { UserRates } from '../../domain/shares/user-rates.ts';
import type { OperationReport } from '../../graphql/operation-report.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { createProxyCheck } from '../client-address.ts';
import { toRateLimitHeaders } from '../rate-limit-headers.ts';
import type { RequestReport } from '../request-report.ts';
import type { RequestSpans } from '../request-spans.ts';
import { readEarly } from './read-early.ts';
import type { Repeat, RepeatMemory } from './repeat-memory.ts';

/** Puts the answers to repeated requests before a listener that answers all requests. */
export type AnswerRepeats = (listener: RequestListener) => RequestListener;

/**
 * Answers requests that were answered before, while nothing has changed, without the rest of the gateway: before Hono and
 * before there is a `Request`. What can be seen from outside is the same: the id, the header fields, the log lines, the
 * metrics and the limits.
 */
export function answerRepeats(options: {
  memory: RepeatMemory;
  chats: Pick<ChatService, 'areUnchanged'>;
  userRates: Pick<UserRates, 'takeOperation'>;
  requestReport: RequestReport;
  reportOperation: OperationReport;
  metrics: Pick<Metrics, 'countRepeat'>;
  isFromProxy: ReturnType<typeof createProxyCheck>;
  spans: RequestSpans | undefined;
}): AnswerRepeats {
  const { memory, chats, userRates, requestReport, reportOperation, metrics, isFromProxy, spans } = options;

  /** @returns false beyond the limit: its refusal is told by the rest of the gateway */
  const repeat = (
    { viewer: { userId }, method, route, operation, status, headers, body }: Repeat,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    startedAt: number,
  ): boolean => {
    const limit = userRates.takeOperation(userId);
    if (limit.isExceeded) return false;
    metrics.countRepeat();
    const given = isFromProxy({ incoming }) ? incoming.headers['x-request-id'] : undefined;
    const requestId = requestReport.toRequestId(typeof given === 'string' ? given : undefined);
    const fields = [...headers, 'x-request-id', requestId];
    for (const [name, value] of Object.entries(toRateLimitHeaders([limit]))) fields.push(name, value);
    outgoing.writeHead(status, fields);
    outgoing.end(body ?? undefined);
    const span = spans?.begin({ method, path: route, requestId, startedAt, header: readFrom(incoming) });
    if (operation !== undefined) {
      const part = spans === undefined ? undefined : reportOperation.begin(span, { ...operation, startedAt });
      reportOperation.end({ requestId, userId, ...operation, outcome: 'ok', startedAt, span: part });
    }
    requestReport.report({ requestId, method, route, status, userId, startedAt, span });
    return true;
  };

  return (listener) => (incoming, outgoing) => {
    const head = memory.hashHead(incoming);
    if (head === undefined || !memory.isKnown(head)) return listener(incoming, outgoing);
    const startedAt = performance.now();
    const answer = (body?: Uint8Array<ArrayBuffer>): void => {
      const found = memory.find(head, body);
      const answerAs = (isSame: boolean): void => {
        const isRepeated = isSame && found !== undefined && repeat(found, incoming, outgoing, startedAt);
        if (!isRepeated) listener(incoming, outgoing);
      };
      if (found?.chats === undefined) answerAs(true);
      // Who answers in full sees the failure, too.
      else chats.areUnchanged(found.viewer, found.chats).then(answerAs, () => answerAs(false));
    };
    if (incoming.method === 'POST') readEarly(incoming, answer);
    else answer();
  };
}

function readFrom({ headers }: IncomingMessage): (name: string) => string | undefined {
  return (name) => {
    const value = headers[name];
    return typeof value === 'string' ? value : undefined;
  };
}
