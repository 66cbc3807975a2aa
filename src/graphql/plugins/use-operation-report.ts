import { type ExecutionResult, getOperationAST } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { viewerUserId } from '../../policy/viewer.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { GraphQLServerContext } from '../context.ts';

/** Callers choose operation names: more of one is not worth a place in the log. */
const MAX_LOGGED_NAME = 100;

/** Logs and counts each operation by name and outcome. Variables and results stay out: they may hold secrets. */
export function useOperationReport({ log, metrics }: { log: Logger; metrics: Metrics }): Plugin<GraphQLServerContext> {
  return {
    onExecute({ args }) {
      const startedAt = performance.now();
      const { viewer, requestId } = args.contextValue as GraphQLServerContext;
      const operation = getOperationAST(args.document, args.operationName);
      const name = operation?.name?.value ?? 'anonymous';
      const type = operation?.operation ?? 'query';
      return {
        onExecuteDone({ result }) {
          if (Symbol.asyncIterator in (result as object)) return;
          const durationMs = performance.now() - startedAt;
          const outcome = outcomeOf(result as ExecutionResult);
          metrics.countOperation({ name, type, outcome, seconds: durationMs / 1_000 });
          log.info(
            {
              requestId,
              userId: viewerUserId(viewer),
              operation: name.slice(0, MAX_LOGGED_NAME),
              type,
              outcome,
              durationMs: Math.round(durationMs),
            },
            'graphql operation',
          );
        },
      };
    },
  };
}

/** `ok`, or the code of the first error. */
function outcomeOf({ errors }: ExecutionResult): string {
  const [error] = errors ?? [];
  if (error === undefined) return 'ok';
  const { code } = error.extensions;
  return typeof code === 'string' ? code : 'INTERNAL_SERVER_ERROR';
}
