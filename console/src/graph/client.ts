import { Client, fetchExchange, mapExchange, subscriptionExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { createClient } from 'graphql-ws/client';
import { createActiveQueries } from './active-queries.ts';
import { hashOf } from './document-hash.ts';
import { codeOf } from './errors.ts';
import { createLateAnswers } from './late-answers.ts';
import { leaveForSignIn } from './leaving.ts';
import { repeatQueriesExchange } from './repeat-queries.ts';
import { sendHashesExchange } from './send-hashes.ts';
import { subscribeByHash } from './subscribe-by-hash.ts';

/** Close codes after which another try is of no use: the session has ended. */
const UNAUTHENTICATED_CLOSE = 4401;

/** Types that have no id of their own. They are kept inside of what holds them. */
const WITHOUT_ID = [
  'AuditChange',
  'AuditVerification',
  'AvailableMcpServer',
  'ChangeFeedStatus',
  'ChatMcpServer',
  'EffectiveMcpTool',
  'EncryptedValueVerification',
  'EncryptionKeyRotation',
  'EncryptionKeyUse',
  'GatewayStatus',
  'ImportedMcpServer',
  'McpReachability',
  'McpServerCheck',
  'McpServerConfigEvent',
  'McpServerConfigImpact',
  'McpServerConnection',
  'McpServerExplanation',
  'McpServerTest',
  'McpServerTestStep',
  'McpServerUsage',
  'McpServerUsagePeriod',
  'McpTextChange',
  'McpToolAnnotations',
  'McpToolChange',
  'McpToolFieldChange',
  'McpToolListWarning',
  'McpToolResult',
  'MissingSecret',
  'OAuthDiscovery',
  'OAuthDiscoveryStep',
  'PageInfo',
  'UnopenedValue',
  'Viewer',
];

const askers = new WeakMap<Client, () => void>();

/** Asks again for everything that is shown: something changed that the feed of changes may not tell. */
export function askAgain(client: Client): void {
  askers.get(client)?.();
}

/**
 * Creates the client of the graph, with an empty cache. The browser adds the session's cookie to requests and to the
 * WebSocket. When a change of the servers arrives, what depends on it is asked again.
 */
export function createGraphClient(): Client {
  const socket = createClient({
    url: () => `${location.origin.replace(/^http/, 'ws')}/graphql`,
    // Who follows decides when to try again, and from where: see `follow-servers.ts`.
    retryAttempts: 0,
    shouldRetry: () => false,
  });
  const lateAnswers = createLateAnswers();
  const activeQueries = createActiveQueries();
  let isRefused = false;
  const forgetAnswers = (cache: AnswerCache, fieldNames: readonly string[]): void => {
    lateAnswers.markChange();
    for (const { fieldName, fieldKey } of cache.inspectFields('Query')) {
      if (fieldNames.includes(fieldName)) cache.invalidate('Query', fieldKey);
    }
  };
  const client = new Client({
    url: '/graphql',
    preferGetMethod: false,
    exchanges: [
      mapExchange({
        // An answer without data is null on the wire. The types, and so the pages, know it as undefined.
        onResult(result) {
          if (result.operation.kind === 'subscription' && result.data) isRefused = false;
          return result.data === null ? { ...result, data: undefined } : result;
        },
        onError(error, { kind }) {
          const isClosed = closeCodeOf(error.networkError) === UNAUTHENTICATED_CLOSE;
          if (!isClosed && codeOf(error) !== 'UNAUTHENTICATED') return;
          // A WebSocket ends with its session. The browser may have a new one by then: who follows tries again.
          if (kind !== 'subscription' || isRefused) leaveForSignIn();
          else isRefused = true;
        },
      }),
      activeQueries.exchange,
      cacheExchange({
        keys: {
          ...Object.fromEntries(WITHOUT_ID.map((name) => [name, () => null])),
          McpTool: ({ id }) => (typeof id === 'string' ? id : null),
          EncryptionKey: ({ number }) => (number === undefined ? null : String(number)),
        },
        updates: {
          Subscription: {
            mcpServerConfigEvents({ mcpServerConfigEvents }, _args, cache) {
              const { type } = mcpServerConfigEvents as { type: string };
              if (type === 'BOOKMARK') return;
              forgetAnswers(cache, DEPEND_ON_SERVERS);
            },
          },
          Mutation: Object.fromEntries(
            Object.entries(CHANGED_BY).map(([mutation, fields]) => [
              mutation,
              (_result: unknown, _args: unknown, cache: AnswerCache) => forgetAnswers(cache, fields),
            ]),
          ),
        },
      }),
      lateAnswers.exchange,
      repeatQueriesExchange,
      sendHashesExchange,
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }, operation) => ({
          subscribe: (sink) => ({
            unsubscribe: subscribeByHash(socket, { query, variables: variables ?? {} }, hashOf(operation.query), sink),
          }),
        }),
      }),
    ],
  });
  askers.set(client, activeQueries.askAgain);
  return client;
}

/** What is asked again after a change of the servers, or of the viewer's connections. */
const DEPEND_ON_SERVERS = [
  'availableMcpServers',
  'chat',
  'effectiveMcpTools',
  'explainMcpServer',
  'gatewayStatus',
  'mcpServerConfig',
  'mcpServerConfigs',
  'mcpServerConfigImpact',
  'mcpServerConfigHistory',
];

/** What is asked again after a mutation. Everything else that a mutation changes is in its answer. */
const CHANGED_BY: Readonly<Record<string, readonly string[]>> = {
  createChat: ['chats'],
  deleteChat: ['chats', 'chat'],
  createChatMessage: ['chat'],
  updateChat: ['effectiveMcpTools', 'explainMcpServer'],
  createApiToken: ['viewer', 'user'],
  revokeApiToken: ['viewer', 'user'],
  endSession: ['viewer', 'user'],
  disconnectMcpServer: DEPEND_ON_SERVERS,
  createMcpServerConfig: DEPEND_ON_SERVERS,
  updateMcpServerConfig: DEPEND_ON_SERVERS,
  deleteMcpServerConfig: DEPEND_ON_SERVERS,
  importMcpServers: DEPEND_ON_SERVERS,
  removeMcpServerUserTokens: [...DEPEND_ON_SERVERS, 'user'],
  restoreMcpServerConfigVersion: DEPEND_ON_SERVERS,
  refreshMcpServerTools: DEPEND_ON_SERVERS,
  approveMcpTools: DEPEND_ON_SERVERS,
  createUser: ['users'],
  updateUser: ['users', 'user'],
  deleteUser: ['users', 'user'],
  addEncryptionKey: ['encryptionKeys'],
  rotateEncryptionKeys: ['encryptionKeys'],
  revokeEncryptionKey: ['encryptionKeys'],
};

/** The code with which a WebSocket was closed, if that was the failure. */
function closeCodeOf(failure: unknown): unknown {
  return typeof failure === 'object' && failure !== null && 'code' in failure ? failure.code : undefined;
}

interface AnswerCache {
  inspectFields(entity: string): { fieldName: string; fieldKey: string }[];
  invalidate(entity: string, fieldKey: string): void;
}
