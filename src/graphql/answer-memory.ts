import { createHash } from 'node:crypto';
import {
  BREAK,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
  getNamedType,
  getOperationAST,
  OperationTypeNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { CacheBounds } from '../cache/bounded-map.ts';
import type { Caches } from '../cache/caches.ts';
import type { AnswerStamp } from '../domain/feed/answer-stamp.ts';
import { type Viewer, viewerUserId } from '../policy/viewer.ts';
import type { GraphQLContext } from './context.ts';
import { coerceVariables } from './declared-variables.ts';
import { KeptAnswer, keepAnswer } from './kept-answer.ts';

/**
 * Fields whose values follow from what `AnswerStamp` stands for, and from the viewer's role: answers made only of these
 * may be given again. A field that is not here has its operation executed each time.
 */
const SHARED_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  Query: new Set(['mcpServerConfig', 'mcpServerConfigs']),
  Subscription: new Set(['mcpServerConfigEvents']),
  McpServerConfigEvent: new Set(['cursor', 'type', 'configId', 'config', 'changedFields', 'occurredAt']),
  McpServerConfigConnection: new Set(['edges', 'nodes', 'pageInfo', 'totalCount']),
  McpServerConfigEdge: new Set(['node']),
  PageInfo: new Set(['hasNextPage', 'hasPreviousPage']),
  McpServerConfig: new Set([
    ...['id', 'slug', 'displayName', 'description', 'iconUrl', 'authType', 'availability', 'enabled'],
    ...['toolAllowList', 'toolDenyList', 'hasOAuth2Secret', 'hasApiKey', 'hasCustomHeaders'],
    ...['version', 'createdAt', 'updatedAt', 'url', 'transport', 'oauth2ClientId', 'oauth2AuthUrl', 'oauth2TokenUrl'],
    ...['oauth2RevocationUrl', 'oauth2Issuer', 'oauth2Scopes', 'oauth2ResourceMode', 'apiKeyHeader'],
  ]),
};

/** The same for one viewer: their own connections and cursors. */
const OWN_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  McpServerConfig: new Set(['authConnected', 'viewerState', 'viewerStateReason']),
  McpServerConfigEdge: new Set(['cursor']),
  PageInfo: new Set(['startCursor', 'endCursor']),
};

const MEGABYTE = 1_000_000;

/** The texts of all remembered answers together. */
const ANSWERS: CacheBounds = { name: 'answers', maxEntries: 10_000, maxBytes: 16 * MEGABYTE };

/** Many subscribers are told of the newest events at the same time. */
const EVENTS: CacheBounds = { name: 'events', maxEntries: 100, maxBytes: 8 * MEGABYTE };

/** For whom the answer to a document is the same. */
export type AnswerReach = 'role' | 'viewer' | 'nobody';

/** How far the answer to a document reaches while nothing changes; `nobody` when it has to be made each time. */
export function findAnswerReach(schema: GraphQLSchema, document: DocumentNode): AnswerReach {
  let reach: AnswerReach = 'role';
  const typeInfo = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(typeInfo, {
      OperationDefinition(operation) {
        if (operation.operation === OperationTypeNode.MUTATION) reach = 'nobody';
      },
      Field({ name: { value: field } }) {
        const type = getNamedType(typeInfo.getParentType())?.name ?? '';
        if (field === '__typename' || SHARED_FIELDS[type]?.has(field) === true) return;
        if (OWN_FIELDS[type]?.has(field) !== true) reach = 'nobody';
        else if (reach === 'role') reach = 'viewer';
      },
    }),
  );
  return reach;
}

/** Keeps answers. */
export type AnswerMemory = ReturnType<typeof createAnswerMemory>;

/** Keeps answers until anything changes. */
export function createAnswerMemory(schema: GraphQLSchema, caches: Caches) {
  const reaches = new WeakMap<DocumentNode, { reach: AnswerReach; number: number; hasDirectives: boolean }>();
  let documents = 0;
  let stamp = '';
  const answers = caches.createMap<string, KeptAnswer>(ANSWERS, (_key, answer) => answer.bytes);
  /** Answers that are being made: those who ask meanwhile get the same. */
  let pending = new Map<string, Promise<ExecutionResult>>();

  /** What events are to everyone of a role. One that failed is made again. */
  const events = caches.createPromiseCache<string, ExecutionResult>(
    EVENTS,
    // Streams share its bytes, encoded once.
    (_key, answer) => (answer instanceof KeptAnswer ? 2 * answer.bytes : 0),
    (answer) => answer instanceof KeptAnswer,
  );

  /** Only the answers of one moment are kept. */
  const turnTo = (current: string): void => {
    if (current === stamp) return;
    stamp = current;
    answers.clear();
    pending = new Map();
  };

  const describe = (document: DocumentNode) => {
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
   * A hash of what the answer hangs on besides the stamp; undefined when it must not be remembered. Of the variables, it
   * has those that the operation declares, as the resolvers get them.
   */
  const toKey = (document: DocumentNode, about: AskedFor, viewer: Viewer): string | undefined => {
    const { operationName = null, variables, event = null } = about;
    const { reach, number, hasDirectives } = describe(document);
    if (reach === 'nobody' || viewer.kind !== 'user') return undefined;
    const operation = getOperationAST(document, operationName);
    if (operation == null) return undefined;
    const whose = reach === 'viewer' ? viewerUserId(viewer) : null;
    // From where somebody follows is of no concern to an event.
    const isGiven = event === null || hasDirectives;
    const given = isGiven ? coerceVariables(schema, operation, variables ?? {}) : {};
    if (given === undefined) return undefined;
    const text = JSON.stringify([number, operationName, viewer.role, whose, given, event]);
    return createHash('sha256').update(text).digest('base64');
  };

  const answerAt = (
    key: string,
    answerStamp: AnswerStamp,
    asked: string,
    make: () => Promise<ExecutionResult>,
  ): ExecutionResult | Promise<ExecutionResult> => {
    turnTo(asked);
    const known = answers.get(key) ?? pending.get(key);
    if (known !== undefined) return known;
    const made = make().then(
      (result) => {
        // What changed while it was made may be in a part of it.
        if (pending.get(key) !== made) return result;
        pending.delete(key);
        if (answerStamp.current() !== asked) return result;
        const answer = keepAnswer(result);
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
    /**
     * What an event is for those who ask for it like this. What is the same for a role hangs on nothing but the event; the
     * rest is as of what is known now, and does not wait for changes that come after it.
     */
    answerEvent(
      document: DocumentNode,
      about: AskedFor & { event: string },
      { viewer, services }: Pick<GraphQLContext, 'viewer' | 'services'>,
      make: () => Promise<ExecutionResult>,
    ): ExecutionResult | Promise<ExecutionResult> {
      const key = toKey(document, about, viewer);
      if (key === undefined) return make();
      if (describe(document).reach === 'viewer')
        return answerAt(key, services.answerStamp, services.answerStamp.current(), make);
      return events.getOrStart(key, async () => keepAnswer(await make()));
    },

    /** Gives an answer again, or has it made. */
    answer(
      document: DocumentNode,
      about: AskedFor,
      { viewer, services }: Pick<GraphQLContext, 'viewer' | 'services'>,
      make: () => Promise<ExecutionResult>,
    ): ExecutionResult | Promise<ExecutionResult> {
      const key = toKey(document, about, viewer);
      if (key === undefined) return make();
      const { answerStamp } = services;
      const fresh = answerStamp.fresh();
      if (!(fresh instanceof Promise)) return answerAt(key, answerStamp, fresh, make);
      return fresh.then((asked) => answerAt(key, answerStamp, asked, make));
    },
  };
}

/** What is asked for with a document. */
interface AskedFor {
  operationName?: string | null | undefined;
  variables?: Readonly<Record<string, unknown>> | null | undefined;
  /** What tells the event of a subscription from all others. */
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
