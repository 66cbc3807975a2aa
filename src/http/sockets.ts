import type { Caches } from '../cache/caches.ts';
import { STREAM_LIMITS, type StreamLimits } from '../domain/feed/config-streams.ts';
import type { Services } from '../domain/services.ts';
import { createErrorMask } from '../graphql/mask-error.ts';
import type { GraphQLFace } from '../graphql/yoga.ts';
import type { Logger } from '../telemetry/logger.ts';
import { createGraphQLSockets, type GraphQLSockets } from './graphql-sockets.ts';

/** Creates the WebSocket side of the graph. */
export function createSockets(options: {
  services: Services;
  graphql: GraphQLFace;
  caches: Caches;
  limits: Partial<StreamLimits> | undefined;
  log: Logger;
}): GraphQLSockets {
  const { services, graphql, caches, limits, log } = options;
  const { authentication, denials, shares, userRates, followViewer } = services;
  return createGraphQLSockets({
    graphql,
    caches,
    authentication,
    follow: followViewer,
    denials,
    shares,
    userRates,
    maskError: createErrorMask(log),
    limits: { ...STREAM_LIMITS, ...limits },
    log,
  });
}
