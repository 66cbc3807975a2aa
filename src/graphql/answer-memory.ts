import { hash } from 'node:crypto';
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
import type { Caches } from '../cache/caches.ts';
import type { AnswerStamp } from '../domain/feed/answer-stamp.ts';
import { CACHE_BOUNDS } from '../limits/cache-bounds.ts';
import { type Viewer, viewerUserId } from '../policy/viewer.ts';
import type { GraphQLContext } from './context.ts';
import { coerceVariables } from './declared-variables.ts';
import { KeptAnswer, keepAnswer } from './kept-answer.ts';

/**
 * Fields whose values depend only on the state that `AnswerStamp` identifies, and on the viewer's role. Answers that
 * consist of these fields are cached. An operation with any other field is executed each time.
 */
const SHARED_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  Query: new Set(['mcpServerConfig', 'mcpServerConfigs']),
  Subscription: new Set(['mcpServerConfigEvents']),
  McpServerConfigEvent: new Set(['cursor', 'type', 'configId', 'config', 'changedFields', 'occurredAt']),
  McpServerConfigConnection: new Set(['edges', 'nodes', 'pageInfo', 'totalCount']),
  McpServerConfigEdge: new Set(['node']),
  PageInfo: new Set(['hasNextPage', 'hasPreviousPage']),
  McpServerConfig: new Set([
    ...['id', 'slug', 'displayName', 'description', 'iconUrl', 'iconHref', 'authType', 'availability', 'enabled'],
    ...['toolAllowList', 'toolDenyList', 'hasOAuth2Secret', 'hasApiKey', 'hasCustomHeaders'],
    ...['version', 'createdAt', 'updatedAt', 'url', 'transport', 'oauth2ClientId', 'oauth2AuthUrl', 'oauth2TokenUrl'],
    ...['oauth2RevocationUrl', 'oauth2Issuer', 'oauth2Scopes', 'oauth2ResourceMode', 'oauth2CallbackMode'],
    ...['oauthCallbackUrl', 'apiKeyHeader', 'toolApproval', 'exposeResources', 'exposePrompts'],
  ]),
};

/** Fields that also depend on the viewer: their own connections and cursors. */
const OWN_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  McpServerConfig: new Set(['authConnected', 'viewerState', 'viewerStateReason']),
  McpServerConfigEdge: new Set(['cursor']),
  PageInfo: new Set(['startCursor', 'endCursor']),
};

/** An argument that also depends on the viewer: a field of an input type. */
const OWN_ARGUMENT = { type: 'McpServerConfigFilter', field: 'viewerState' } as const;

/** Who may share the answer to a document. */
export type AnswerReach = 'role' | 'viewer' | 'nobody';

/**
 * Who may share the answer to a document while nothing changes; `nobody` if it must be executed each time. Variables can
 * restrict it further: see `asksOwn`.
 */
export function findAnswerReach(schema: GraphQLSchema, document: DocumentNode): AnswerReach {
  let reach: AnswerReach = 'role';
  const typeInfo = new TypeInfo(schema);
  visit(
    document,
    visitWithTypeInfo(typeInfo, {
      OperationDefinition(operation) {
        if (operation.operation === OperationTypeNode.MUTATION) reach = 'nobody';
      },
      ObjectField({ name: { value: field } }) {
        const type = getNamedType(typeInfo.getParentInputType())?.name;
        if (type === OWN_ARGUMENT.type && field === OWN_ARGUMENT.field && reach === 'role') reach = 'viewer';
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
    const operation = getOperationAST(document, operationName);
    if (operation == null) return undefined;
    // An event does not depend on the arguments of the subscription, unless directives use them.
    const isGiven = event === null || hasDirectives;
    const given = isGiven ? coerceVariables(schema, operation, variables ?? {}) : {};
    if (given === undefined) return undefined;
    const whose = reach === 'viewer' || asksOwn(given) ? viewerUserId(viewer) : null;
    const text = JSON.stringify([number, operationName, viewer.role, whose, given, event]);
    return hash('sha256', text, 'base64');
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
      { viewer, services }: Pick<GraphQLContext, 'viewer' | 'services'>,
      make: () => Promise<ExecutionResult>,
    ): ExecutionResult | Promise<ExecutionResult> {
      const key = toKey(document, about, viewer);
      if (key === undefined) return make();
      const { answerStamp } = services;
      const fresh = answerStamp.fresh();
      if (!(fresh instanceof Promise)) return answerAt(key, answerStamp, fresh, make);
      return fresh.then((requested) => answerAt(key, answerStamp, requested, make));
    },
  };
}

/** What a document is executed with. */
interface Execution {
  operationName?: string | null | undefined;
  variables?: Readonly<Record<string, unknown>> | null | undefined;
  /** Identifies the event of a subscription. */
  event?: string;
}

/** Whether a variable is a filter by what depends on the viewer. */
function asksOwn(given: Readonly<Record<string, unknown>>): boolean {
  return Object.values(given).some(
    (value) => typeof value === 'object' && value !== null && OWN_ARGUMENT.field in value,
  );
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
