import { createMiddleware } from 'hono/factory';
import type { HttpEnv } from '../context.ts';
import { findRoute } from '../request-report.ts';
import type { Incoming, RepeatMemory } from './repeat-memory.ts';

/** The statuses of answers that are kept. */
const KEPT_STATUSES = new Set([200, 304]);

/**
 * Keeps the answer to a request if its route says that it may be sent again (`c.set('repeatable', …)`). It comes after
 * whatever differs in each answer (the request id, what is left of limits) and before everything else.
 */
export function keepAnswers(memory: RepeatMemory) {
  return createMiddleware<HttpEnv>(async (c, next) => {
    // Before the caller is authenticated: a role that has changed since must not be kept with the answer.
    const before = memory.stamp();
    await next();
    const answer = c.get('repeatable');
    const viewer = c.get('viewer');
    if (answer === undefined || answer.stamp !== before || viewer.kind !== 'user') return;
    const { status, headers } = c.res;
    if (!KEPT_STATUSES.has(status) || headers.has('set-cookie')) return;
    // A query that is answered as events goes the way of streams.
    if (headers.get('content-type')?.startsWith('text/event-stream') === true) return;
    // Answers are sent again to requests that come over a connection.
    const { incoming }: { incoming?: Incoming } = c.env ?? {};
    const head = incoming === undefined ? undefined : memory.hashHead(incoming);
    if (head === undefined || !memory.isWorthKeeping(head, answer)) return;
    // Only now: to look at the body makes a stream of it.
    const body = c.res.body === null ? null : new Uint8Array(await c.res.arrayBuffer());
    const sent = Object.fromEntries(headers);
    delete sent['content-length'];
    const length: [string, string][] = body === null ? [] : [['content-length', String(body.length)]];
    memory.keep(head, answer, {
      viewer,
      method: c.req.method,
      route: findRoute(c),
      operation: answer.operation,
      chats: answer.chats,
      status,
      headers: [...Object.entries(sent), ...length].flat(),
      body,
    });
    // Else Hono adds the headers of the former response.
    c.res = undefined;
    c.res = new Response(body, { status, headers: sent });
  });
}
