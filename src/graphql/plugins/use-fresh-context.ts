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
import type { ConfigEvent } from '../../domain/feed/config-event.ts';
import { type IterableSupply, iterate, NOTHING_YET, OVER, type Taken } from '../../domain/feed/supply.ts';
import { DomainError, validationFailed } from '../../errors.ts';
import { can } from '../../policy/policy.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { currentRequest, runInRequest } from '../../telemetry/request-scope.ts';
import type { AnswerMemory } from '../answer-memory.ts';
import { runWithinBudget } from '../budget/run-within-budget.ts';
import { createContext, type GraphQLContext } from '../context.ts';
import type { DocumentMemory } from '../document-memory.ts';
import { CURSOR_PLACEHOLDER, withCursor } from '../event-cursor.ts';
import type { OpenResults } from '../event-stream.ts';
import { ROOT_PERMISSIONS } from '../permissions.ts';
import { emptyParams } from '../request-params.ts';

type EventResults = IterableSupply<ExecutionResult>;

const NOT_A_STREAM = validationFailed([
  {
    path: [],
    code: 'INVALID_DOCUMENT',
    message: 'A subscription returns a stream: request it with "Accept: text/event-stream".',
  },
]);

/** Numbers the config records, which never change: a later state of a config is another record. */
const recordNumbers = new WeakMap<object, number>();
let records = 0;

function numberOf(record: object): number {
  let number = recordNumbers.get(record);
  if (number === undefined) {
    records += 1;
    number = records;
    recordNumbers.set(record, number);
  }
  return number;
}

/** Identifies the content of an event, without the subscriber's own cursor. */
function toEventKey({ type, configId, config, place, occurredAt }: ConfigEvent): string {
  const record = config === null ? 0 : numberOf(config);
  return `${type} ${configId} ${record} ${place.rev} ${place.initialAfter ?? ''} ${occurredAt.getTime()}`;
}

/**
 * Executes each event of a subscription with a fresh context, for the viewer as they were when the event was made.
 * Field scopes are cached for as long as a context lives: with one context for the whole stream, a demoted admin would
 * keep reading admin fields. Subscribers with the same role and the same selection share the result of an event, so
 * that many subscribers cost little more than one.
 *
 * graphql-shield does not guard subscriptions, so their root fields are guarded here.
 */
export function useFreshContext(answers: AnswerMemory, documents: DocumentMemory, results: OpenResults): Plugin {
  return {
    onSubscribe({ args, setSubscribeFn }) {
      setSubscribeFn(async (given: SubscriptionArgs) => {
        const { params, viewer } = given.contextValue as GraphQLContext & { params?: object };
        const release = documents.hold(given.document, viewerUserId(viewer) ?? '');
        try {
          const made: ExecutionResult | EventResults = await subscribeFreshly(given, answers, release);
          if (!('take' in made)) {
            release();
            return made;
          }
          // The stream does not need the request's parameters any more.
          if (params !== undefined) emptyParams(params);
          results.set(given.contextValue as object, made);
          return made;
        } catch (error) {
          release();
          throw error;
        }
      });
      assertAllowed(args);
    },
  };
}

async function subscribeFreshly(
  args: SubscriptionArgs,
  answers: AnswerMemory,
  onEnd: () => void,
): Promise<ExecutionResult | EventResults> {
  const source = await createSourceEventStream(args);
  if (!(Symbol.asyncIterator in source)) return source as ExecutionResult;
  const events = source as IterableSupply<ConfigEvent>;
  const { services, requestId, acceptsEvents, onDenied, gone } = args.contextValue as GraphQLContext;
  const server = { requestId, acceptsEvents, onDenied, gone };
  const { document, schema, variableValues, operationName } = args as ExecutionArgs;
  /** Whoever wakes the stream may be in another request. */
  const scope = currentRequest();
  const run = { document, schema, variableValues: variableValues ?? null, operationName: operationName ?? null };
  const executeAs = async (viewer: Viewer, rootValue: unknown): Promise<ExecutionResult> => {
    const contextValue = createContext(services, { ...server, viewer });
    const executeIt = () => runWithinBudget(contextValue.budget, () => execute({ ...run, rootValue, contextValue }));
    return scope === undefined ? executeIt() : runInRequest(scope, executeIt);
  };
  const executeFor = (event: ConfigEvent): ExecutionResult | Promise<ExecutionResult> => {
    const { viewer } = event;
    // Every bookmark is different.
    if (event.configId === null) return executeAs(viewer, event);
    const about = { operationName, variables: variableValues, event: toEventKey(event) };
    const known = answers.findEvent(document, about, viewer);
    if (known !== undefined) return withCursor(known, event);
    // Named one by one: a spread would seal the cursor.
    const { type, configId, config, changedFields, occurredAt } = event;
    const shared = { type, configId, config, changedFields, occurredAt, viewer, cursor: CURSOR_PLACEHOLDER };
    const result = answers.answerEvent(document, about, { viewer, services }, () => executeAs(viewer, shared));
    return result instanceof Promise ? result.then((made) => withCursor(made, event)) : withCursor(result, event);
  };

  let isOver = false;

  const fail = (error: unknown): ExecutionResult => {
    isOver = true;
    onEnd();
    events.close();
    if (!(error instanceof DomainError)) throw error;
    // The last message says why the stream ends: the client must know whether its cursor is still valid.
    return { errors: [new GraphQLError(error.message, { originalError: error })] };
  };
  const executeTaken = (taken: Taken<ConfigEvent>): Taken<ExecutionResult> | Promise<Taken<ExecutionResult>> => {
    if (taken === OVER) onEnd();
    return taken === OVER || taken === NOTHING_YET ? taken : executeFor(taken);
  };

  const results: EventResults = {
    take() {
      if (isOver) return OVER;
      try {
        const taken = events.take();
        const made = taken instanceof Promise ? taken.then(executeTaken) : executeTaken(taken);
        return made instanceof Promise ? made.catch(fail) : made;
      } catch (error) {
        return fail(error);
      }
    },
    onReady: (callback) => events.onReady(callback),
    close() {
      onEnd();
      events.close();
    },
    [Symbol.asyncIterator]: () => iterate(results),
  };
  return results;
}

/** Names of the root fields, including those in fragments. */
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
