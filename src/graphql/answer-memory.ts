import { hash } from 'node:crypto';
import { BREAK, type DocumentNode, type ExecutionResult, type GraphQLSchema, getOperationAST, visit } from 'graphql';
import type { Caches } from '../cache/caches.ts';
import type { AnswerStamp } from '../domain/feed/answer-stamp.ts';
import { CACHE_BOUNDS } from '../limits/cache-bounds.ts';
import { type Viewer, viewerUserId } from '../policy/viewer.ts';
import { type AnswerReach, asksOwn, findAnswerReach } from './answer-reach.ts';
import type { GraphQLContext } from './context.ts';
import { coerceVariables } from './declared-variables.ts';
import { KeptAnswer, keepAnswer } from './kept-answer.ts';

/** Longer names of operations are hashed. */
const PLAIN_NAME_LENGTH = 100;

/** The cache of answers. */
export type AnswerMemory = ReturnType<typeof createAnswerMemory>;

/** Creates the cache of answers. It keeps them until anything changes. */
export function createAnswerMemory(schema: GraphQLSchema, caches: Caches) {
  const reaches = new WeakMap<DocumentNode, { reach: AnswerReach; number: number; hasDirectives: boolean }>();
  let documents = 0;
  let stamp = '';
  const answers = caches.createMap<string, KeptAnswer>(CACHE_BOUNDS.answers, (_key, answer) => answer.bytes);
  /** Answers in progress. Callers with the same key share them. */
  let pending = new Map<string, Promise<ExecutionResult>>();

  /** Events as every viewer of a role sees them. Failures are not cached. */
  const events = caches.createPromiseCache<string, ExecutionResult>(
    CACHE_BOUNDS.events,
    // Streams share its bytes, encoded once.
    (_key, answer) => (answer instanceof KeptAnswer ? 2 * answer.bytes : 0),
    (answer) => answer instanceof KeptAnswer,
  );

  /** Only answers for the current stamp are kept. */
  const switchTo = (current: string): void => {
    if (current === stamp) return;
    stamp = current;
    answers.clear();
    pending = new Map();
  };

  const analyse = (document: DocumentNode) => {
    let known = reaches.get(document);
    if (known === undefined) {
      documents += 1;
      const reach = findAnswerReach(schema, document);
      known = { reach, number: documents, hasDirectives: hasDirectives(document) };
      reaches.set(document, known);
    }
    return known;
  };

  /**
   * A hash of everything that the answer depends on besides the stamp. Undefined if it must not be cached. It includes the
   * variables that the operation declares, as the resolvers get them.
   */
  const toKey = (document: DocumentNode, about: Execution, viewer: Viewer): string | undefined => {
    const { operationName = null, variables, event = null } = about;
    const { reach, number, hasDirectives } = analyse(document);
    if (reach === 'nobody' || viewer.kind !== 'user') return undefined;
    // Thousands of streams ask for this one: to hash it would take longer than to compare it.
    const isShort = operationName === null || operationName.length < PLAIN_NAME_LENGTH;
    if (event !== null && reach === 'role' && !hasDirectives && isShort) {
      return `${number} ${operationName} ${viewer.role} ${event}`;
    }
    const operation = getOperationAST(document, operationName);
    if (operation == null) return undefined;
    // An event does not depend on the arguments of the subscription, unless directives use them.
    const isGiven = event === null || hasDirectives;
    const given = isGiven ? coerceVariables(schema, operation, variables ?? {}) : {};
    if (given === undefined) return undefined;
    const whose = reach !== 'role' || asksOwn(given) ? viewerUserId(viewer) : null;
    const text = JSON.stringify([number, operationName, viewer.role, whose, given, event]);
    return hash('sha256', text, 'base64');
  };

  /** The answer of a document with a chat. Nobody waits for another's: it may have read the chat before it changed. */
  const answerInChat = async (
    key: string,
    { viewer, services, chatVersions }: AnswerContext,
    requested: string,
    make: () => Promise<ExecutionResult>,
  ): Promise<ExecutionResult> => {
    switchTo(requested);
    const known = answers.get(key);
    if (known?.chats !== undefined && (await services.chats.areUnchanged(viewer, known.chats))) return known;
    const result = await make();
    if (services.answerStamp.current() !== requested) return result;
    const answer = keepAnswer(result, requested, chatVersions);
    // Without a chat in it, such as for a directive, it is made each time.
    if (answer instanceof KeptAnswer && answer.chats !== undefined) {
      switchTo(requested);
      answers.set(key, answer);
    }
    return answer;
  };

  const answerAt = (
    key: string,
    answerStamp: AnswerStamp,
    requested: string,
    make: () => Promise<ExecutionResult>,
  ): ExecutionResult | Promise<ExecutionResult> => {
    switchTo(requested);
    const known = answers.get(key) ?? pending.get(key);
    if (known !== undefined) return known;
    const made = make().then(
      (result) => {
        // If anything changed in the meantime, the answer may mix two states.
        if (pending.get(key) !== made) return result;
        pending.delete(key);
        if (answerStamp.current() !== requested) return result;
        const answer = keepAnswer(result, requested);
        if (answer instanceof KeptAnswer) answers.set(key, answer);
        return answer;
      },
      (error: unknown) => {
        if (pending.get(key) === made) pending.delete(key);
        throw error;
      },
    );
    pending.set(key, made);
    return made;
  };

  return {
    /** An event that was rendered already, for streams that would make a promise and closures each. */
    findEvent(
      document: DocumentNode,
      about: Execution & { event: string },
      viewer: Viewer,
    ): ExecutionResult | undefined {
      const key = toKey(document, about, viewer);
      return key === undefined ? undefined : events.getKept(key);
    },

    /**
     * Renders an event, or returns it from the cache. A part that is the same for a role depends only on the event. The
     * rest shows the state that is known now, and does not wait for later changes.
     */
    answerEvent(
      document: DocumentNode,
      about: Execution & { event: string },
      { viewer, services }: Pick<GraphQLContext, 'viewer' | 'services'>,
      make: () => Promise<ExecutionResult>,
    ): ExecutionResult | Promise<ExecutionResult> {
      const key = toKey(document, about, viewer);
      if (key === undefined) return make();
      if (analyse(document).reach === 'viewer')
        return answerAt(key, services.answerStamp, services.answerStamp.current(), make);
      return events.getOrStart(key, async () => keepAnswer(await make()));
    },

    /** Returns a cached answer, or makes it. */
    answer(
      document: DocumentNode,
      about: Execution,
      context: AnswerContext,
      make: () => Promise<ExecutionResult>,
    ): ExecutionResult | Promise<ExecutionResult> {
      const key = toKey(document, about, context.viewer);
      if (key === undefined) return make();
      const { answerStamp } = context.services;
      const answerAs = (requested: string) =>
        analyse(document).reach === 'viewerInChat'
          ? answerInChat(key, context, requested, make)
          : answerAt(key, answerStamp, requested, make);
      const fresh = answerStamp.fresh();
      return fresh instanceof Promise ? fresh.then(answerAs) : answerAs(fresh);
    },
  };
}

/** What an answer depends on beside its document. */
type AnswerContext = Pick<GraphQLContext, 'viewer' | 'services' | 'chatVersions'>;

/** What a document is executed with. */
interface Execution {
  operationName?: string | null | undefined;
  variables?: Readonly<Record<string, unknown>> | null | undefined;
  /** Identifies the event of a subscription. */
  event?: string;
}

/** Whether variables can decide on which fields are in the answer. */
function hasDirectives(document: DocumentNode): boolean {
  let found = false;
  visit(document, {
    Directive() {
      found = true;
      return BREAK;
    },
  });
  return found;
}
