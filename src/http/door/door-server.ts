import {
  type CallToolResult,
  type InputRequiredResult,
  type ListToolsResult,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/server';
import type { Door } from '../../domain/door/door.ts';
import { PAGE_NOT_OPENED } from '../../domain/door/door-calls.ts';
import type { OpenDoor } from '../../domain/door/door-place.ts';
import { toRefusal, toToolResult } from '../../domain/door/tool-result.ts';
import { DomainError } from '../../errors.ts';
import { readTraceContext } from '../../mcp/request-meta.ts';
import { askToOpen, hasDeclined } from './url-elicitation.ts';

/** Clients may keep a list for this long. Calls are decided anew each time, so an old list gives nobody a tool. */
const LIST_TTL_MS = 10_000;

/** What a server for one request works with. */
export interface DoorServerOptions {
  door: Door;
  opened: OpenDoor;
  version: string;
  /** The protocol revision in the header of the request. */
  revision: string | undefined;
  /** Whether the request asks for what a client tells its model at the start. */
  isGreeting: boolean;
  /** Logs an unexpected error. @returns the id of the log entry */
  report: (error: unknown) => string;
}

/**
 * Creates the MCP server for one request. It is the low-level one of the SDK: definitions of tools pass through as their
 * servers wrote them, and their schemas are neither compiled nor checked here.
 */
export function createDoorServer({ door, opened, version, revision, isGreeting, report }: DoorServerOptions): Server {
  const instructions = isGreeting ? door.instructions(opened) : '';
  const server = new Server(
    { name: 'gatehouse', title: 'Gatehouse', version },
    { capabilities: { tools: { listChanged: true } }, ...(instructions !== '' && { instructions }) },
  );

  server.setRequestHandler('tools/list', async () => {
    try {
      const tools = await door.list(opened);
      return { tools, ttlMs: LIST_TTL_MS, cacheScope: 'private' } as unknown as ListToolsResult;
    } catch (error) {
      throw toProtocolError(error, report);
    }
  });

  server.setRequestHandler('tools/call', async ({ params }, context): Promise<CallToolResult | InputRequiredResult> => {
    const { name, arguments: args = {} } = params;
    if (hasDeclined(context)) return toToolResult(PAGE_NOT_OPENED) as CallToolResult;
    try {
      const { signal, _meta } = context.mcpReq;
      const how = { signal, onProgress: toProgress(context), trace: readTraceContext(_meta) };
      const answer = await door.call(opened, { name, arguments: args }, how);
      const asked = answer.kind === 'refused' ? askToOpen(answer, context, revision) : undefined;
      return asked ?? (toToolResult(answer) as CallToolResult);
    } catch (error) {
      if (error instanceof UrlElicitationRequiredError) throw error;
      const { code, message } = toShown(error, report);
      return toRefusal(code, message) as CallToolResult;
    }
  });

  return server;
}

/** Passes the progress of a call on to a client that asked for it. */
function toProgress({ mcpReq }: ServerContext) {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  return (progress: { progress: number; total?: number | undefined; message?: string | undefined }): void => {
    const params = { ...progress, progressToken } as never;
    // The client went away: there is nobody to tell.
    void mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  };
}

function toShown(error: unknown, report: (error: unknown) => string): { code: string; message: string } {
  if (error instanceof DomainError) return error;
  const message = `Internal error in the gateway. Its log has the details under ${report(error)}.`;
  return { code: 'INTERNAL_SERVER_ERROR', message };
}

function toProtocolError(error: unknown, report: (error: unknown) => string): ProtocolError {
  const { code, message } = toShown(error, report);
  return new ProtocolError(ProtocolErrorCode.InternalError, message, { code });
}
