import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { DoorPlace, DoorRequest } from '../../domain/door/door-place.ts';
import { forbidden, unauthenticated, validationFailed } from '../../errors.ts';
import { REQUEST_LIMITS } from '../../limits/request-limits.ts';
import type { HttpEnv } from '../context.ts';
import { limitNesting } from '../limit-nesting.ts';
import { readLimitedBody } from '../limited-body.ts';

/** Of a request, only these headers reach the MCP library. */
const PASSED = ['accept', 'content-type', 'mcp-protocol-version', 'mcp-method', 'mcp-name'] as const;

/** The only revision with several messages in one request. */
const WITH_BATCHES = '2025-03-26';

/** Cookies do not open doors: pages of other sites could use them. @throws UNAUTHENTICATED */
export function assertBearer(c: Context<HttpEnv>): void {
  if (c.get('credentialSource') === 'bearer' && c.get('viewer').kind !== 'nobody') return;
  throw unauthenticated('Send an API token as "Authorization: Bearer …". A session cookie does not count here.');
}

/** A browser says which page sends a request. Others' pages have nothing to do here. @throws FORBIDDEN */
export function assertOrigin(
  c: Context<HttpEnv>,
  origins: { publicUrl: string; corsOrigins: readonly string[] },
): void {
  const origin = c.req.header('origin');
  if (origin === undefined || origin === origins.publicUrl || origins.corsOrigins.includes(origin)) return;
  throw forbidden('Pages of this origin may not use the gateway. Its operator can allow it in GATEHOUSE_CORS_ORIGINS.');
}

/** @throws VALIDATION_FAILED for a query that means nothing here */
export function readDoorRequest(c: Context<HttpEnv>): DoorRequest {
  const users = c.req.queries('user') ?? [];
  const unknown = Object.keys(c.req.queries()).find((name) => name !== 'user');
  if (unknown !== undefined) throw wrongQuery([], 'UNKNOWN_FIELD', 'The only parameter that a door takes is "user".');
  if (users.length > 1) throw wrongQuery(['user'], 'TOO_MANY', 'Name one user.');
  return { place: toPlace(c), userId: users[0] };
}

function toPlace(c: Context<HttpEnv>): DoorPlace {
  const { slug, chatId } = c.req.param() as { slug?: string; chatId?: string };
  if (slug !== undefined) return { kind: 'server', slug };
  return chatId === undefined ? { kind: 'own' } : { kind: 'chat', chatId };
}

function wrongQuery(path: string[], code: string, message: string) {
  return validationFailed([{ path, code, message }]);
}

/** A message, or the answer to what is none. */
export type ReadMessage = { message: unknown } | { refused: Response };

/**
 * Reads the message of a request. What is nested too deeply is refused, not shortened: nothing may change on its way.
 *
 * @throws HttpProblem 413 if it is too large, 400 if it is incomplete
 */
export async function readMessage(c: Context<HttpEnv>): Promise<ReadMessage> {
  const { incoming }: Partial<HttpBindings> = c.env ?? {};
  const bytes = await readLimitedBody(c.req.raw, incoming);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse(-32_700, 'Parse error: the body is not UTF-8.');
  }
  if (limitNesting(text) !== text) {
    return refuse(-32_600, `The message has more than ${REQUEST_LIMITS.nesting.value} levels of lists and objects.`);
  }
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return refuse(-32_700, 'Parse error: the body is not valid JSON.');
  }
  // Without a header, a client speaks the revision that has them.
  const revision = c.req.header('mcp-protocol-version') ?? WITH_BATCHES;
  if (Array.isArray(message) && revision !== WITH_BATCHES) {
    return refuse(-32_600, `Send one message: only revision ${WITH_BATCHES} has batches.`);
  }
  return { message };
}

function refuse(code: number, message: string): ReadMessage {
  return { refused: Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status: 400 }) };
}

/** The request for the MCP library: without credentials, and without a body, which was read already. */
export function toLibraryRequest(c: Context<HttpEnv>, signal: AbortSignal): Request {
  const headers = new Headers();
  for (const name of PASSED) {
    const value = c.req.header(name);
    if (value !== undefined) headers.set(name, value);
  }
  for (const [name, value] of c.req.raw.headers) if (name.startsWith('mcp-param-')) headers.set(name, value);
  return new Request(new URL(c.req.path, c.req.url), { method: 'POST', headers, signal });
}
