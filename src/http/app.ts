import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { matchedRoutes } from 'hono/route';
import { scrubDatabaseError } from '../data/database/database-error.ts';
import type { Denials } from '../domain/audit/denials.ts';
import type { ChatService } from '../domain/chats/chat-service.ts';
import type { EffectiveServers } from '../domain/chats/effective-servers.ts';
import type { ConfigService } from '../domain/configs/config-service.ts';
import type { ConnectionFlow } from '../domain/connections/connection-flow.ts';
import type { ConnectionService } from '../domain/connections/connection-service.ts';
import type { OAuthSetup } from '../domain/connections/oauth-setup.ts';
import type { Authentication } from '../domain/credentials/authentication.ts';
import type { SessionService } from '../domain/credentials/session-service.ts';
import type { Experiment } from '../domain/experiments.ts';
import type { OAuthUrls } from '../domain/oauth/redirect-urls.ts';
import { DomainError } from '../errors.ts';
import type { GraphQLFace } from '../graphql/yoga.ts';
import type { PrivateRange } from '../outbound/private-ranges.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { authenticate } from './authenticate.ts';
import { createClientAddress } from './client-address.ts';
import type { HttpEnv } from './context.ts';
import { refuseCrossSite } from './csrf.ts';
import { createGraphQLRoutes, toGraphQLResponse } from './graphql-routes.ts';
import type { GraphQLSockets } from './graphql-sockets.ts';
import { createHealthRoutes, type ReadinessCheck } from './health-routes.ts';
import { createFlowCookie } from './oauth/flow-cookie.ts';
import { createClientMetadataRoutes, createOAuthRoutes } from './oauth/routes.ts';
import { createAssets } from './playground/assets.ts';
import { createAssetRoutes, createPlaygroundRoutes } from './playground/routes.ts';
import { createProblemResponse, toProblemResponse } from './problem.ts';
import { reportRequests } from './request-report.ts';
import { createChatRoutes } from './rest/chat-routes.ts';
import { createOpenApiRoutes } from './rest/openapi-routes.ts';
import { createServerRoutes } from './rest/server-routes.ts';
import { createSessionCookie } from './session-cookie.ts';
import { createSessionRoutes } from './session-routes.ts';

/** What the app answers with. */
export interface AppOptions {
  /** Of this build, e.g. `0.1.0`. */
  version: string;
  publicUrl: string;
  corsOrigins: readonly string[];
  graphiql: boolean;
  experiments: ReadonlySet<Experiment>;
  log: Logger;
  metrics: Metrics;
  authentication: Authentication;
  sessions: SessionService;
  configs: ConfigService;
  connections: ConnectionService;
  connectionFlow: ConnectionFlow;
  chats: ChatService;
  effectiveServers: EffectiveServers;
  denials: Denials;
  trustedProxies: readonly PrivateRange[];
  oauthSetup: Pick<OAuthSetup, 'clientMetadata'>;
  oauthUrls: OAuthUrls;
  graphql: GraphQLFace;
  sockets: GraphQLSockets;
  readinessChecks: Readonly<Record<string, ReadinessCheck>>;
  readinessDetails: () => Record<string, unknown>;
  isDraining: () => boolean;
}

/** The gateway as a function from Request to Response: every face of it, without a server around. */
export type App = Hono<HttpEnv>;

/** Puts the routes together in the order in which a request meets them. */
export function createApp(options: AppOptions): App {
  const { publicUrl, corsOrigins, log, metrics, sessions } = options;
  const cookie = createSessionCookie(publicUrl);
  const app: App = new Hono<HttpEnv>();

  app.onError(async (error, c) => {
    if (error instanceof DomainError) {
      const route = matchedRoutes(c).findLast(({ path }) => path !== '/*')?.path ?? 'unmatched';
      await options.denials.record(c.get('viewer'), { operation: `${c.req.method} ${route}`, code: error.code });
    }
    const response = toProblemResponse(error, (unexpected) => {
      const errorId = randomUUID();
      log.error({ errorId, requestId: c.get('requestId'), err: scrubDatabaseError(unexpected) }, 'unexpected error');
      return errorId;
    });
    return c.req.path === '/graphql' ? toGraphQLResponse(response) : response;
  });
  app.notFound(() => createProblemResponse(404, { message: 'There is nothing at this address.', code: 'NOT_FOUND' }));

  app.use(reportRequests({ log, metrics, addressOf: createClientAddress(options.trustedProxies) }));
  app.use(async (c, next) => {
    await next();
    // Not by `c.header`, which by now makes the answer anew, and a stream of its text.
    const { headers } = c.res;
    headers.set('x-content-type-options', 'nosniff');
    if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
    if (!headers.has('referrer-policy')) headers.set('referrer-policy', 'no-referrer');
  });
  if (corsOrigins.length > 0) app.use(cors({ origin: [...corsOrigins], credentials: true, maxAge: 600 }));
  app.route(
    '/',
    createHealthRoutes({
      checks: options.readinessChecks,
      metrics,
      readDetails: options.readinessDetails,
      isDraining: options.isDraining,
      onFailure: (check, error) => log.error({ check, err: scrubDatabaseError(error) }, 'not ready'),
    }),
  );

  app.route('/', createOpenApiRoutes({ version: options.version, publicUrl, sessionCookieName: cookie.name }));
  app.route('/', createClientMetadataRoutes({ setup: options.oauthSetup }));
  const playgroundAssets = options.graphiql ? createAssets() : undefined;
  if (playgroundAssets !== undefined) app.route('/', createAssetRoutes(playgroundAssets));

  app.use(authenticate({ authentication: options.authentication, sessions, cookie }));
  app.use(refuseCrossSite({ publicUrl, corsOrigins }));
  app.route('/', createSessionRoutes({ sessions, cookie, denials: options.denials }));
  app.route('/', createPlaygroundRoutes(playgroundAssets));
  app.route('/', createGraphQLRoutes({ graphql: options.graphql, sockets: options.sockets, denials: options.denials }));
  app.route(
    '/',
    createServerRoutes({
      configs: options.configs,
      connections: options.connections,
      experiments: options.experiments,
    }),
  );
  app.route(
    '/',
    createChatRoutes({
      chats: options.chats,
      effectiveServers: options.effectiveServers,
      experiments: options.experiments,
    }),
  );
  app.route(
    '/',
    createOAuthRoutes({
      flow: options.connectionFlow,
      setup: options.oauthSetup,
      urls: options.oauthUrls,
      cookie: createFlowCookie(publicUrl),
      denials: options.denials,
      publicUrl,
    }),
  );
  return app;
}
