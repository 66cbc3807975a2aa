import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type FragmentDefinitionNode,
  GraphQLError,
  getOperationAST,
  Kind,
  type SelectionSetNode,
  type SubscriptionArgs,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { DomainError, validationFailed } from '../../errors.ts';
import { can } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';
import type { AnswerMemory } from '../answer-memory.ts';
import { createContext, type GraphQLContext } from '../context.ts';
import { ROOT_PERMISSIONS } from '../permissions.ts';

const NOT_A_STREAM = validationFailed([
  {
    path: [],
    code: 'INVALID_DOCUMENT',
    message: 'A subscription returns a stream: request it with "Accept: text/event-stream".',
  },
]);

/** What a subscription's source gives: each event says whom it was made for, and which one it is. */
interface ForViewer {
  viewer: Viewer;
  type: string;
  cursor: string;
  configId: string | null;
  occurredAt: Date;
}

/**
 * Runs each event of a subscription with a context of its own, for the viewer as he was when the event was made. The
 * scopes of fields are remembered for as long as a context lives: with one for the whole stream, an admin who was
 * demoted would go on reading. What an event is for one viewer it is for all others who ask for the same fields with the
 * same role, so that many who follow cost little more than one.
 *
 * graphql-shield does not look at subscriptions; their root fields are guarded here.
 */
export function useFreshContext(answers: AnswerMemory): Plugin {
  return {
    onSubscribe({ args, setSubscribeFn }) {
      setSubscribeFn((given: SubscriptionArgs) => subscribeFreshly(given, answers));
      assertAllowed(args);
    },
  };
}

async function subscribeFreshly(args: SubscriptionArgs, answers: AnswerMemory) {
  const source = await createSourceEventStream(args);
  if (!(Symbol.asyncIterator in source)) return source as ExecutionResult;
  const events = (source as AsyncIterable<ForViewer>)[Symbol.asyncIterator]();
  const context = args.contextValue as GraphQLContext;
  const { document, schema, variableValues, operationName } = args as ExecutionArgs;
  const run = { document, schema, variableValues: variableValues ?? null, operationName: operationName ?? null };
  let isOver = false;

  const executeFor = (event: ForViewer): ExecutionResult | Promise<ExecutionResult> => {
    const { viewer } = event;
    const executeAnew = async () =>
      execute({ ...run, rootValue: event, contextValue: createContext(context.services, { ...context, viewer }) });
    // No two bookmarks are the same.
    if (event.configId === null) return executeAnew();
    const which = `${event.type} ${event.configId} ${event.cursor} ${event.occurredAt.getTime()}`;
    const about = { operationName, variables: variableValues, event: which };
    return answers.answerEvent(document, about, { viewer, services: context.services }, executeAnew);
  };

  return {
    async next(): Promise<IteratorResult<ExecutionResult>> {
      if (isOver) return { value: undefined, done: true };
      let result: IteratorResult<ForViewer>;
      try {
        result = await events.next();
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        // Why the stream ends is its last message: a client has to know whether its cursor is still good.
        isOver = true;
        return { value: { errors: [new GraphQLError(error.message, { originalError: error })] }, done: false };
      }
      const { value, done } = result;
      if (done === true) return { value: undefined, done };
      return { value: await executeFor(value as ForViewer), done: false };
    },
    async return(): Promise<IteratorResult<ExecutionResult>> {
      await events.return?.();
      return { value: undefined, done: true };
    },
    async throw(error: unknown): Promise<IteratorResult<ExecutionResult>> {
      await events.return?.();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** The names of the fields at the root, those of fragments too. */
function listRootFields(document: DocumentNode, selectionSet: SelectionSetNode | undefined): string[] {
  return (selectionSet?.selections ?? []).flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [selection.name.value];
    if (selection.kind === Kind.INLINE_FRAGMENT) return listRootFields(document, selection.selectionSet);
    const fragment = document.definitions.find(
      (each) => each.kind === Kind.FRAGMENT_DEFINITION && each.name.value === selection.name.value,
    );
    return listRootFields(document, (fragment as FragmentDefinitionNode | undefined)?.selectionSet);
  });
}

function assertAllowed({ document, operationName, contextValue }: ExecutionArgs): void {
  const { viewer, acceptsEvents } = contextValue as GraphQLContext;
  if (!acceptsEvents) throw new GraphQLError(NOT_A_STREAM.message, { originalError: NOT_A_STREAM });
  const operation = getOperationAST(document, operationName);
  const permissions: Readonly<Record<string, Parameters<typeof can>[1]>> = ROOT_PERMISSIONS.Subscription;
  const isAllowed = listRootFields(document, operation?.selectionSet).every((name) => {
    const action = Object.hasOwn(permissions, name) ? permissions[name] : undefined;
    return action !== undefined && can(viewer, action);
  });
  if (isAllowed) return;
  const code = viewer.kind === 'nobody' ? 'UNAUTHENTICATED' : 'FORBIDDEN';
  throw new GraphQLError('Your role does not allow this.', { extensions: { code } });
}
