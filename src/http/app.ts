import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { matchedRoutes } from 'hono/route';
import type { Caches } from '../cache/caches.ts';
import type { Config } from '../config.ts';
import { scrubDatabaseError } from '../data/database/database-error.ts';
import type { DataHealth } from '../data/health.ts';
import type { Services } from '../domain/services.ts';
import { DomainError } from '../errors.ts';
import type { OperationReport } from '../graphql/operation-report.ts';
import type { GraphQLFace } from '../graphql/yoga.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { refuseOtherHosts } from './allowed-hosts.ts';
import { respondUnhandled } from './allowed-methods.ts';
import { authenticate } from './authenticate.ts';
import { createClientAddress, createProxyCheck } from './client-address.ts';
import { readConsoleFiles } from './console/console-files.ts';
import { createConsoleRoutes } from './console/console-routes.ts';
import type { HttpEnv } from './context.ts';
import { refuseCrossSite } from './csrf.ts';
import { createDoorRoutes } from './door/door-routes.ts';
import { createResourceMetadataRoutes, isDoorPath, toChallenge } from './door/resource-metadata.ts';
import { encodeAnswers } from './encode-answers.ts';
import { createGraphQLRoutes, toGraphQLResponse } from './graphql-routes.ts';
import type { GraphQLSockets } from './graphql-sockets.ts';
import { createHealthRoutes } from './health-routes.ts';
import { createHostCookie } from './host-cookie.ts';
import { createFlowCookie } from './oauth/flow-cookie.ts';
import { createClientMetadataRoutes, createOAuthRoutes } from './oauth/routes.ts';
import { createAssets } from './playground/assets.ts';
import { createAssetRoutes, createPlaygroundRoutes } from './playground/routes.ts';
import { toProblemResponse } from './problem.ts';
import { RATE_LIMIT_HEADERS, tellRateLimits } from './rate-limit-headers.ts';
import { type AnswerRepeats, answerRepeats } from './repeats/answer-repeats.ts';
import { keepAnswers } from './repeats/keep-answers.ts';
import { createRepeatMemory } from './repeats/repeat-memory.ts';
import { createRequestReport, reportRequests } from './request-report.ts';
import { createRequestSpans } from './request-spans.ts';
import { setResponseHeaders } from './response-headers.ts';
import { createChatRoutes } from './rest/chat-routes.ts';
import { createIconRoutes } from './rest/icon-routes.ts';
import { createOpenApiRoutes } from './rest/openapi-routes.ts';
import { createServerRoutes } from './rest/server-routes.ts';
import { createRootRoutes } from './root-routes.ts';
import { createSessionRoutes } from './session-routes.ts';
import { shareOperations } from './share-operations.ts';
import { createHintCookie } from './sign-in/hint-cookie.ts';
import { createOidcRoutes } from './sign-in/oidc-routes.ts';
import { createPages } from './sign-in/pages.ts';
import { createPendingCookies } from './sign-in/pending-cookies.ts';
import { createSignInRoutes } from './sign-in/sign-in-routes.ts';
import { requireTokenScope } from './token-scope.ts';

/** The dependencies of the app. */
export interface AppOptions {
  /** The version of this build, e.g. `0.1.0`. */
  version: string;
  config: Pick<
    Config,
    'publicUrl' | 'oidc' | 'corsOrigins' | 'graphiql' | 'trustedDocumentsOnly' | 'trustedProxies' | 'allowedHosts'
  >;
  services: Services;
  graphql: GraphQLFace;
  sockets: GraphQLSockets;
  caches: Caches;
  health: DataHealth;
  /** Whether the gateway is shutting down. */
  isDraining: () => boolean;
  log: Logger;
  metrics: Metrics;
  /** Undefined: there is none. */
  tracing: Tracing | undefined;
  reportOperation: OperationReport;
  now: () => Date;
}

/** The gateway as a function from Request to Response, without a server around it. */
export interface App extends Hono<HttpEnv> {
  /** What a server puts before it: see `answerRepeats`. */
  answerRepeats: AnswerRepeats;
}

/** Creates the app. The order of the routes and middleware is the order in which a request passes them. */
export function createApp(options: AppOptions): App {
  const { config, services, graphql, sockets, health, log, metrics, tracing } = options;
  const { publicUrl, corsOrigins } = config;
  const { authentication, denials, sessions, oidcSignIn } = services;
  const cookie = createHostCookie(publicUrl, 'gatehouse_session');
  const app = new Hono<HttpEnv>();

  app.onError(async (error, c) => {
    if (error instanceof DomainError) {
      const route = matchedRoutes(c).findLast(({ path }) => path !== '/*')?.path ?? 'unmatched';
      await denials.record(c.get('viewer'), { operation: `${c.req.method} ${route}`, code: error.code });
    }
    const response = toProblemResponse(error, (unexpected) => {
      const errorId = randomUUID();
      log.error({ errorId, requestId: c.get('requestId'), err: scrubDatabaseError(unexpected) }, 'unexpected error');
      return errorId;
    });
    if (response.status === 401 && isDoorPath(c.req.path)) {
      const hadToken = c.get('credentialSource') === 'bearer';
      response.headers.set('www-authenticate', toChallenge(publicUrl, c.req.path, hadToken));
    }
    return c.req.path === '/graphql' ? toGraphQLResponse(response) : response;
  });
  app.notFound((c) => respondUnhandled(app, c));

  const { trustedProxies } = config;
  const requestReport = createRequestReport({ log, metrics });
  const isFromProxy = createProxyCheck(trustedProxies);
  const scheme = new URL(publicUrl).protocol.slice(0, -1);
  const spans = tracing === undefined ? undefined : createRequestSpans({ tracing, scheme });
  app.use(reportRequests({ requestReport, addressOf: createClientAddress(trustedProxies), isFromProxy, spans }));
  app.use(tellRateLimits());
  const memory = createRepeatMemory({ caches: options.caches, answerStamp: services.answerStamp, now: options.now });
  app.use(keepAnswers(memory));
  app.use(encodeAnswers(options.caches));
  app.use(setResponseHeaders(config));
  // Before the check of the host: probes use the addresses of pods.
  app.route(
    '/',
    createHealthRoutes({
      checks: health.checks,
      metrics,
      readDetails: health.details,
      isDraining: options.isDraining,
      onFailure: (check, error) => log.error({ check, err: scrubDatabaseError(error) }, 'not ready'),
    }),
  );

  app.use(refuseOtherHosts(config));
  const exposeHeaders = [...RATE_LIMIT_HEADERS, 'ETag'];
  if (corsOrigins.length > 0) {
    app.use(cors({ origin: [...corsOrigins], credentials: true, maxAge: 600, exposeHeaders }));
  }
  const consoleFiles = readConsoleFiles();
  const { pageFiles } = consoleFiles;
  app.route('/', createConsoleRoutes(consoleFiles));
  app.route('/', createRootRoutes(config));
  app.route('/', createOpenApiRoutes({ version: options.version, publicUrl, sessionCookieName: cookie.name }));
  app.route('/', createResourceMetadataRoutes(config));
  app.route('/', createClientMetadataRoutes({ setup: services.oauthSetup }));
  const pages = createPages({ files: pageFiles, providerLabel: oidcSignIn?.label });
  const playgroundAssets = config.graphiql ? createAssets() : undefined;
  if (playgroundAssets !== undefined) app.route('/', createAssetRoutes(playgroundAssets));

  app.use(authenticate({ authentication, sessions, cookie, publicUrl: config.publicUrl }));
  app.use(refuseCrossSite(config));
  app.use(requireTokenScope());
  app.route('/', createDoorRoutes({ ...services, version: options.version, origins: config, log, tracing }));
  app.use(shareOperations(services));
  app.route('/', createSessionRoutes({ sessions, cookie }));
  const hintCookie = createHintCookie(publicUrl);
  app.route(
    '/',
    createSignInRoutes({ authentication, sessions, oidcSignIn, cookie, hintCookie, denials, pages, publicUrl }),
  );
  const readExpiry = (value: string) => oidcSignIn?.readExpiry(value);
  const pendingCookies = createPendingCookies({ publicUrl, readExpiry });
  app.route(
    '/',
    createOidcRoutes({ signIn: oidcSignIn, sessions, cookie, pendingCookies, hintCookie, denials, pages }),
  );
  const isTrustedOnly = config.trustedDocumentsOnly;
  app.route('/', createPlaygroundRoutes({ assets: playgroundAssets, pageFiles, pages, isTrustedOnly }));
  app.route('/', createGraphQLRoutes({ graphql, sockets, denials }));
  app.route('/', createServerRoutes(services));
  app.route('/', createIconRoutes(services));
  app.route('/', createChatRoutes(services));
  app.route(
    '/',
    createOAuthRoutes({
      flow: services.connectionFlow,
      setup: services.oauthSetup,
      urls: services.oauthUrls,
      cookie: createFlowCookie(publicUrl),
      denials,
      pageFiles,
      origins: config,
    }),
  );
  const { reportOperation } = options;
  const { chats, userRates } = services;
  return Object.assign(app, {
    answerRepeats: answerRepeats({
      ...{ memory, chats, userRates, requestReport, reportOperation, metrics, isFromProxy, spans },
    }),
  });
}
