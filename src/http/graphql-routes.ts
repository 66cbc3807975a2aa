import { type HttpBindings, upgradeWebSocket } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { Denials } from '../domain/audit/denials.ts';
import { unauthenticated, validationFailed } from '../errors.ts';
import { toGraphQLError } from '../graphql/mask-error.ts';
import type { GraphQLFace } from '../graphql/yoga.ts';
import { currentRequest } from '../telemetry/request-scope.ts';
import type { HttpEnv } from './context.ts';
import type { GraphQLSockets } from './graphql-sockets.ts';
import { decodeUtf8, readLimitedBody } from './limited-body.ts';
import { isJson } from './media-type.ts';

const MAX_URL_LENGTH = 8_192;

/**
 * A stream whose client takes nothing for so long, or twice as long where the last of it went slowly, is cut off; he can
 * go on with a new one.
 */
const MAX_STALL_MS = 30_000;

const NOT_JSON = {
  path: [],
  code: 'INVALID_TYPE',
  message: 'Send the operation as "Content-Type: application/json".',
};

const NO_UPGRADE = {
  path: [],
  code: 'INVALID_TYPE',
  message: 'A WebSocket needs "Connection: Upgrade", too, and a proxy that lets it through.',
};

const URL_TOO_LONG = {
  path: [],
  code: 'TOO_LONG',
  message: `With the query the URL is longer than ${MAX_URL_LENGTH.toLocaleString('en')} characters; send it by POST.`,
};

/**
 * `/graphql`: POST as `application/json`, GET for queries, and WebSocket. Forms, multipart and plain text are refused: a
 * page of another site can send these without asking first.
 */
export function createGraphQLRoutes(options: {
  graphql: Pick<GraphQLFace, 'handle'>;
  sockets: GraphQLSockets;
  denials: Denials;
}): Hono<HttpEnv> {
  const { graphql, sockets, denials } = options;
  const routes = new Hono<HttpEnv>();

  routes.get('/graphql', async (c, next) => {
    if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') return next();
    const viewer = c.get('viewer');
    // Without any credential here, the first message may still bring one.
    if (viewer.kind === 'nobody' && c.get('credentialSource') === 'bearer') throw unauthenticated();
    // A request like others that only says so, as a proxy sends it that does not let WebSockets through.
    const { incoming, outgoing }: Partial<HttpBindings> = c.env ?? {};
    if (incoming === undefined || outgoing !== undefined) {
      c.header('upgrade', 'websocket');
      return c.json({ errors: [toGraphQLError(validationFailed([NO_UPGRADE]))] }, 426);
    }
    sockets.assertRoom();
    return upgrade(c, next);
  });
  const upgrade = upgradeWebSocket((c: Context<HttpEnv>) => {
    const events = sockets.handle({ viewer: c.get('viewer'), address: currentRequest()?.address });
    // The sockets are those of `ws`, which the server was made with; the adapter takes others too.
    return events as never;
  });

  routes.on(['GET', 'POST'], '/graphql', async (c) => {
    const viewer = c.get('viewer');
    if (viewer.kind === 'nobody') {
      await denials.record(viewer, { operation: `${c.req.method} /graphql`, code: 'UNAUTHENTICATED' });
      c.header('www-authenticate', 'Bearer');
      return c.json({ errors: [toGraphQLError(unauthenticated())] }, 401);
    }
    if (c.req.method === 'POST' && !isJson(c.req.header('content-type'))) {
      const errors = [toGraphQLError(validationFailed([NOT_JSON]))];
      return c.json({ errors }, 415);
    }
    if (c.req.url.length > MAX_URL_LENGTH) {
      const errors = [toGraphQLError(validationFailed([URL_TOO_LONG]))];
      return c.json({ errors }, 414);
    }
    const denied: { operation: string; code: string }[] = [];
    const onDenied = (operation: string, code: string) => void denied.push({ operation, code });
    const { method, url } = c.req;
    const { incoming, outgoing }: Partial<HttpBindings> = c.env ?? {};
    // Read before the graph sees it, so that one which is too large is 413 and not a syntax error.
    const body = method === 'POST' ? decodeUtf8(await readLimitedBody(c.req.raw, incoming)) : undefined;
    const accept = c.req.header('accept');
    const acceptsEvents = /\btext\/event-stream\b/i.test(accept ?? '');
    const context = { viewer, requestId: c.get('requestId'), acceptsEvents, onDenied };
    const response = await graphql.handle({ method, url, accept, body }, context);
    const unique = new Map(denied.map((denial) => [denial.operation, denial]));
    for (const denial of unique.values()) await denials.record(viewer, denial);
    if (response.headers.get('content-type')?.startsWith('text/event-stream') === true) {
      outgoing?.setTimeout(MAX_STALL_MS);
    }
    return response;
  });

  return routes;
}

/** The answer to a request that did not get as far as the graph, in the graph's form. */
export async function toGraphQLResponse(problem: Response): Promise<Response> {
  const { message, code, errorId } = (await problem.json()) as { message: string; code: string; errorId?: string };
  const errors = [{ message, extensions: { code, ...(errorId !== undefined && { errorId }) } }];
  return Response.json({ errors }, { status: problem.status });
}
