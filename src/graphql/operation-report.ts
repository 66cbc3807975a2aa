import { forFixedFields, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type Surrounding, type Tracing, toLogFields } from '../telemetry/tracing.ts';

/** Callers choose operation names, so the log keeps only this many characters. */
const MAX_LOGGED_NAME = 100;

/** An operation that was answered. */
interface AnsweredOperation {
  requestId: string;
  userId: string | undefined;
  /** `anonymous` if it has none. */
  name: string;
  type: string;
  /** `ok`, or the code of the first error. */
  outcome: string;
  /** By `performance.now`. */
  startedAt: number;
  /** As `begin` returned it. */
  span: Surrounding;
}

/** Logs and counts operations, and records their spans. */
export interface OperationReport {
  /** Begins the span of an operation. @param around that of its request; undefined for one that came over a WebSocket */
  begin(around: Surrounding, operation: Pick<AnsweredOperation, 'name' | 'type' | 'startedAt'>): Surrounding;
  /** The operation was answered. */
  end(operation: AnsweredOperation): void;
}

/** Creates the report. It leaves out documents, variables and results, which may hold secrets. */
export function createOperationReport({
  log,
  metrics,
  tracing,
}: {
  log: Logger;
  metrics: Metrics;
  tracing: Tracing | undefined;
}): OperationReport {
  const fixed = forFixedFields(log);
  return {
    // Callers choose the name, so it is not the name of the span.
    begin: (around, { name, type, startedAt }) =>
      tracing?.beginWithin(around, {
        ...{ name: type, kind: around === undefined ? 'server' : 'internal', startedAt },
        attributes: { 'graphql.operation.type': type, 'graphql.operation.name': name },
      }),
    end({ requestId, userId, name, type, outcome, startedAt, span }) {
      const durationMs = performance.now() - startedAt;
      metrics.countOperation({ name, type, outcome, seconds: durationMs / 1_000 });
      const operation = name.slice(0, MAX_LOGGED_NAME);
      const fields = { requestId, userId, operation, type, outcome, durationMs: Math.round(durationMs) };
      fixed.info(span == null ? fields : { ...fields, ...toLogFields(span) }, 'graphql operation');
      span?.end(outcome === 'ok' ? undefined : outcome);
    },
  };
}
