import { forFixedFields, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

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
}

/** Logs and counts an operation. */
export type OperationReport = (operation: AnsweredOperation) => void;

/** Creates the report. It leaves out variables and results, which may hold secrets. */
export function createOperationReport({ log, metrics }: { log: Logger; metrics: Metrics }): OperationReport {
  const fixed = forFixedFields(log);
  return ({ requestId, userId, name, type, outcome, startedAt }) => {
    const durationMs = performance.now() - startedAt;
    metrics.countOperation({ name, type, outcome, seconds: durationMs / 1_000 });
    fixed.info(
      {
        requestId,
        userId,
        operation: name.slice(0, MAX_LOGGED_NAME),
        type,
        outcome,
        durationMs: Math.round(durationMs),
      },
      'graphql operation',
    );
  };
}
