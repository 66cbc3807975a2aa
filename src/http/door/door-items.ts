import {
  type GetPromptResult,
  type InputRequiredResult,
  type ListPromptsResult,
  type ListResourcesResult,
  type ListResourceTemplatesResult,
  ProtocolError,
  ProtocolErrorCode,
  type ReadResourceResult,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import type { CallRefusal } from '../../domain/door/call-watch.ts';
import { type CallAnswer, PAGE_NOT_OPENED } from '../../domain/door/door-calls.ts';
import type { ItemKind } from '../../mcp/list-items.ts';
import type { CallOptions } from '../../mcp/upstreams.ts';
import { type DoorServerOptions, LIST_TTL_MS, toHow, toProtocolError } from './door-answer.ts';
import { askToOpen, hasDeclined } from './url-elicitation.ts';

/** What of a door's servers are not tools, as capabilities. Absent: no server behind the door exposes any. */
export function toItemCapabilities({ door, opened }: Pick<DoorServerOptions, 'door' | 'opened'>) {
  const { resources, prompts } = door.items.exposes(opened);
  return { ...(resources && { resources: {} }), ...(prompts && { prompts: {} }) };
}

/** Makes a server answer about resources and prompts, as far as its capabilities say so. */
export function serveItems(server: Server, options: DoorServerOptions): void {
  const { door, opened, revision, report } = options;
  const { resources, prompts } = door.items.exposes(opened);

  const list = async (kind: ItemKind, cursor: string | undefined) => {
    try {
      const { items, nextCursor } = await door.items.list(opened, kind, readCursor(cursor));
      const next = nextCursor === undefined ? {} : { nextCursor: Buffer.from(nextCursor).toString('base64url') };
      return { [kind]: items, ...next, ttlMs: LIST_TTL_MS, cacheScope: 'private' };
    } catch (error) {
      throw toProtocolError(error, report);
    }
  };

  const answer = async (
    context: ServerContext,
    ask: (how: CallOptions) => Promise<CallAnswer>,
  ): Promise<Readonly<Record<string, unknown>> | InputRequiredResult> => {
    if (hasDeclined(context)) throw toRefused(PAGE_NOT_OPENED);
    const answered = await ask(toHow(context)).catch((error: unknown) => {
      throw toProtocolError(error, report);
    });
    if (answered.kind === 'result') return answered.result;
    const asked = askToOpen(answered, context, revision);
    if (asked !== undefined) return asked;
    throw toRefused(answered);
  };

  if (resources) {
    server.setRequestHandler(
      'resources/list',
      async ({ params }) => (await list('resources', params?.cursor)) as unknown as ListResourcesResult,
    );
    server.setRequestHandler(
      'resources/templates/list',
      async ({ params }) => (await list('resourceTemplates', params?.cursor)) as unknown as ListResourceTemplatesResult,
    );
    server.setRequestHandler('resources/read', async ({ params: { uri } }, context) => {
      const result = await answer(context, (how) => door.items.read(opened, uri, how));
      return toBrief(result) as unknown as ReadResourceResult;
    });
  }
  if (prompts) {
    server.setRequestHandler(
      'prompts/list',
      async ({ params }) => (await list('prompts', params?.cursor)) as unknown as ListPromptsResult,
    );
    server.setRequestHandler('prompts/get', async ({ params: { name, arguments: args = {} } }, context) => {
      const result = await answer(context, (how) => door.items.getPrompt(opened, { name, arguments: args }, how));
      return result as unknown as GetPromptResult;
    });
  }
}

/**
 * The content of a resource may be kept for as long as a list, if its server says so: what is switched off should be gone
 * soon. It is for this user only, whatever the server says.
 */
function toBrief(result: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if ('inputRequests' in result) return result;
  const { ttlMs } = result;
  const isGiven = typeof ttlMs === 'number' && Number.isFinite(ttlMs) && ttlMs > 0;
  return { ...result, ttlMs: isGiven ? Math.min(ttlMs, LIST_TTL_MS) : 0, cacheScope: 'private' };
}

/** @throws ProtocolError for one that no answer had */
function readCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const slug = Buffer.from(cursor, 'base64url').toString();
  if (/^[a-z0-9-]+$/.test(slug) && Buffer.from(slug).toString('base64url') === cursor) return slug;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'The cursor is not one of an answer. List from the start.');
}

/** What neither exists nor can be filled in like this is a wrong parameter. All else is in `data`. */
const WRONG_PARAMS: ReadonlySet<string> = new Set(['NOT_FOUND', 'UNKNOWN_AT_SERVER']);

/** These requests have no results for refusals, as those of tools do. */
function toRefused({ code, message, connectUrl }: CallRefusal): ProtocolError {
  const rpcCode = WRONG_PARAMS.has(code) ? ProtocolErrorCode.InvalidParams : ProtocolErrorCode.InternalError;
  return new ProtocolError(rpcCode, message, { code, ...(connectUrl !== undefined && { connectUrl }) });
}
