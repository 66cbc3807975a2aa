import { type HttpBindings, upgradeWebSocket } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { Denials } from '../domain/audit/denials.ts';
import { unauthenticated, validationFailed } from '../errors.ts';
import type { GraphQLServerContext } from '../graphql/context.ts';
import { toGraphQLError } from '../graphql/mask-error.ts';
import type { GraphQLFace } from '../graphql/yoga.ts';
import { REQUEST_LIMITS } from '../limits/request-limits.ts';
import { currentRequest } from '../telemetry/request-scope.ts';
import type { HttpEnv } from './context.ts';
import type { GraphQLSockets } from './graphql-sockets.ts';
import { limitNesting } from './limit-nesting.ts';
import { decodeUtf8, readLimitedBody } from './limited-body.ts';
import { isJson } from './media-type.ts';
import { findEarlyBody } from './repeats/read-early.ts';
import type { RepeatableAnswer } from './repeats/repeat-memory.ts';
import { toWholeAnswer } from './whole-answer.ts';

const MAX_URL_LENGTH = REQUEST_LIMITS.url.value;

/**
 * A stream is closed if its client reads nothing for this long (up to twice as long if the last data was read slowly).
 * The client can resume with a new stream.
 */
const MAX_STALL_MS = REQUEST_LIMITS.stallTime.value;

const NOT_JSON = {
  path: [],
  code: 'INVALID_TYPE',
  message: 'Send the operation as "Content-Type: application/json".',
};

const NO_UPGRADE = {
  path: [],
  code: 'INVALID_TYPE',
  message: 'A WebSocket also needs the header "Connection: Upgrade" and a proxy that forwards it.',
};

const URL_TOO_LONG = {
  path: [],
  code: 'TOO_LONG',
  message: `The URL is longer than ${MAX_URL_LENGTH.toLocaleString('en')} characters; send the query by POST.`,
};

/**
 * Routes of `/graphql`: POST with `application/json`, GET for queries, and WebSocket. Forms, multipart and plain text are
 * rejected, because a page of another site can send those without a CORS preflight.
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
    // Without a credential in the handshake, `connection_init` may still have one.
    if (viewer.kind === 'nobody' && c.get('credentialSource') === 'bearer') throw unauthenticated();
    // A plain request with an Upgrade header, as sent by a proxy that does not forward WebSockets.
    const { incoming, outgoing }: Partial<HttpBindings> = c.env ?? {};
    if (incoming === undefined || outgoing !== undefined) {
      c.header('upgrade', 'websocket');
      return c.json({ errors: [toGraphQLError(validationFailed([NO_UPGRADE]))] }, 426);
    }
    sockets.assertCapacity({ viewer, address: currentRequest()?.address });
    return upgrade(c, next);
  });
  const upgrade = upgradeWebSocket((c: Context<HttpEnv>) => {
    const events = sockets.handle({ viewer: c.get('viewer'), address: currentRequest()?.address });
    // The server uses `ws` sockets. The adapter's type also allows others.
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
    // Read before GraphQL does, so that a body that is too large gets 413 instead of a syntax error.
    const bytes =
      method === 'POST' ? (findEarlyBody(incoming) ?? (await readLimitedBody(c.req.raw, incoming))) : undefined;
    const body = bytes === undefined ? undefined : limitNesting(decodeUtf8(bytes));
    const accept = c.req.header('accept');
    const acceptsEvents = /\btext\/event-stream\b/i.test(accept ?? '');
    // No closure holds the body: a subscription keeps its context for as long as it runs.
    const kept: Omit<RepeatableAnswer, 'body'>[] = [];
    const context: GraphQLServerContext = {
      ...{ viewer, requestId: c.get('requestId'), acceptsEvents, onDenied },
      onKept: (answer) => void kept.push(answer),
      gone: () => c.req.raw.signal,
    };
    const response = toResponse(await graphql.handle({ method, url, accept, body }, context));
    if (kept[0] !== undefined) c.set('repeatable', { ...kept[0], body: bytes });
    const unique = new Map(denied.map((denial) => [denial.operation, denial]));
    for (const denial of unique.values()) await denials.record(viewer, denial);
    if (response.headers.get('content-type')?.startsWith('text/event-stream') === true) {
      outgoing?.setTimeout(MAX_STALL_MS);
    }
    return response;
  });

  return routes;
}

function toResponse(answer: Awaited<ReturnType<GraphQLFace['handle']>>): Response {
  if (answer instanceof Response) return answer;
  const { status, headers, text } = answer;
  if (text === null) return new Response(null, { status, headers });
  return toWholeAnswer(text, { status, headers, length: Buffer.byteLength(text) });
}

/** Converts a problem response to the GraphQL error format, for requests that fail before GraphQL handles them. */
export async function toGraphQLResponse(problem: Response): Promise<Response> {
  const { message, code, errorId } = (await problem.json()) as { message: string; code: string; errorId?: string };
  const errors = [{ message, extensions: { code, ...(errorId !== undefined && { errorId }) } }];
  const kept = ['allow', 'retry-after'].flatMap((name) => {
    const value = problem.headers.get(name);
    return value === null ? [] : [[name, value] as [string, string]];
  });
  return Response.json({ errors }, { status: problem.status, headers: kept });
}
