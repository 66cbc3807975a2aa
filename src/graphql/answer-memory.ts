import {
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
import { type Viewer, viewerUserId } from '../policy/viewer.ts';

/**
 * Fields whose values follow from what `AnswerStamp` stands for, and from the viewer's role: answers made only of these
 * may be given again. A field that is not here has its operation executed each time.
 */
const SHARED_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  Query: new Set(['mcpServerConfig', 'mcpServerConfigs']),
  McpServerConfigConnection: new Set(['edges', 'nodes', 'pageInfo', 'totalCount', 'feedCursor']),
  McpServerConfigEdge: new Set(['node', 'cursor']),
  PageInfo: new Set(['hasNextPage', 'hasPreviousPage', 'startCursor', 'endCursor']),
  McpServerConfig: new Set([
    ...['id', 'slug', 'displayName', 'description', 'iconUrl', 'authType', 'availability', 'enabled'],
    ...['toolAllowList', 'toolDenyList', 'hasOAuth2Secret', 'hasApiKey', 'hasCustomHeaders'],
    ...['version', 'createdAt', 'updatedAt', 'url', 'transport', 'oauth2ClientId', 'oauth2AuthUrl', 'oauth2TokenUrl'],
    ...['oauth2RevocationUrl', 'oauth2Issuer', 'oauth2Scopes', 'oauth2ResourceMode', 'apiKeyHeader'],
  ]),
};

/** The same for one viewer: they are about his own connections. */
const OWN_FIELDS: Readonly<Record<string, ReadonlySet<string>>> = {
  McpServerConfig: new Set(['authConnected', 'viewerState', 'viewerStateReason']),
};

/** Characters of all remembered answers together. */
const MAX_CHARACTERS = 16_000_000;

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
        if (operation.operation !== OperationTypeNode.QUERY) reach = 'nobody';
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

/** An answer as Yoga takes it: with its text, so that it is not made again. */
export type RememberedAnswer = ExecutionResult & { stringify: () => string };

/** Keeps answers until anything changes. */
export function createAnswerMemory(schema: GraphQLSchema) {
  const reaches = new WeakMap<DocumentNode, { reach: AnswerReach; number: number }>();
  let documents = 0;
  let stamp = '';
  let characters = 0;
  let answers = new Map<string, RememberedAnswer>();

  /** Only the answers of one moment are kept. */
  const turnTo = (current: string): void => {
    if (current === stamp) return;
    stamp = current;
    characters = 0;
    answers = new Map();
  };

  return {
    /** What the answer hangs on besides the stamp; undefined when it must not be remembered. */
    toKey(
      document: DocumentNode,
      { operationName, variables }: { operationName: string | undefined; variables: unknown },
      viewer: Viewer,
    ): string | undefined {
      let known = reaches.get(document);
      if (known === undefined) {
        documents += 1;
        known = { reach: findAnswerReach(schema, document), number: documents };
        reaches.set(document, known);
      }
      if (known.reach === 'nobody' || viewer.kind !== 'user') return undefined;
      if (getOperationAST(document, operationName) == null) return undefined;
      const whose = known.reach === 'viewer' ? viewerUserId(viewer) : null;
      return JSON.stringify([known.number, operationName ?? null, viewer.role, whose, variables ?? null]);
    },

    find(key: string, current: string): RememberedAnswer | undefined {
      turnTo(current);
      return answers.get(key);
    },

    /** Remembers a good answer that was made at this stamp; one with errors is made again. */
    remember(key: string, current: string, result: ExecutionResult): ExecutionResult {
      if (result.errors !== undefined || result.data == null) return result;
      turnTo(current);
      const text = JSON.stringify(result);
      if (characters + text.length > MAX_CHARACTERS) return result;
      characters += text.length;
      const answer = { ...result, stringify: () => text };
      answers.set(key, answer);
      return answer;
    },
  };
}
