import { type ExecutionResult, type GraphQLError, getOperationAST, Kind } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { DomainError } from '../../errors.ts';
import { viewerUserId } from '../../policy/viewer.ts';
import { currentRequest } from '../../telemetry/request-scope.ts';
import type { GraphQLServerContext } from '../context.ts';
import { KeptAnswer } from '../kept-answer.ts';
import type { OperationReport } from '../operation-report.ts';

/** Reports each operation by name and outcome, what was refused of it, and whether its answer is kept. */
export function useOperationReport(report: OperationReport): Plugin<GraphQLServerContext> {
  return {
    onExecute({ args }) {
      const startedAt = performance.now();
      const { viewer, requestId, onDenied, onKept } = args.contextValue as GraphQLServerContext;
      const operation = getOperationAST(args.document, args.operationName);
      const name = operation?.name?.value ?? 'anonymous';
      const type = operation?.operation ?? 'query';
      const scope = currentRequest();
      const around = scope?.span;
      const span = report.begin(around, { name, type, startedAt });
      // What the operation calls is part of it.
      if (scope !== undefined && span !== undefined) scope.span = span;
      return {
        onExecuteDone({ result }) {
          if (scope !== undefined && span !== undefined) scope.span = around;
          if (Symbol.asyncIterator in (result as object)) return;
          const outcome = outcomeOf(result as ExecutionResult);
          for (const { operation, code } of listDenials(result as ExecutionResult, type)) onDenied(operation, code);
          report.end({ requestId, userId: viewerUserId(viewer), name, type, outcome, startedAt, span });
          if (result instanceof KeptAnswer && result.stamp !== undefined) {
            const { stamp, chats } = result;
            onKept?.({ stamp, chats, operation: { name, type } });
          }
        },
      };
    },
  };
}

/** The refused root fields, each once. */
function listDenials({ errors = [] }: ExecutionResult, type: string): { operation: string; code: string }[] {
  const denials = new Map<string, string>();
  for (const error of errors) {
    const { path, nodes } = error;
    const code = codeOf(error);
    if (code === 'FORBIDDEN' || code === 'UNAUTHENTICATED') {
      // The field's own name and not the alias, which the caller chooses.
      const field = nodes?.find((node) => node.kind === Kind.FIELD);
      denials.set(`${type} ${field?.name.value ?? path?.[0] ?? ''}`.trim(), code);
    }
  }
  return [...denials].map(([operation, code]) => ({ operation, code }));
}

/** `ok`, or the code of the first error. */
function outcomeOf({ errors }: ExecutionResult): string {
  const [error] = errors ?? [];
  if (error === undefined) return 'ok';
  return codeOf(error) ?? 'INTERNAL_SERVER_ERROR';
}

/** The code that the caller will see. Domain errors get it in their extensions only later, when errors are masked. */
function codeOf({ originalError, extensions }: GraphQLError): string | undefined {
  if (originalError instanceof DomainError) return originalError.code;
  const { code } = extensions;
  return typeof code === 'string' ? code : undefined;
}
