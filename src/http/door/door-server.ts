import {
  type CallToolResult,
  type InputRequiredResult,
  type ListToolsResult,
  Server,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/server';
import { PAGE_NOT_OPENED } from '../../domain/door/door-calls.ts';
import { toRefusal, toToolResult } from '../../domain/door/tool-result.ts';
import { type DoorServerOptions, LIST_TTL_MS, toHow, toIdentity, toProtocolError, toShown } from './door-answer.ts';
import { serveItems, toItemCapabilities } from './door-items.ts';
import { askToOpen, hasDeclined } from './url-elicitation.ts';

/**
 * Creates the MCP server for one request. It is the low-level one of the SDK: definitions of tools pass through as their
 * servers wrote them, and their schemas are neither compiled nor checked here.
 */
export function createDoorServer(options: DoorServerOptions): Server {
  const { door, opened, version, revision, isGreeting, inShare, report } = options;
  const instructions = isGreeting ? door.instructions(opened) : '';
  const server = new Server(toIdentity(version), {
    capabilities: { tools: { listChanged: true }, ...toItemCapabilities(options) },
    ...(instructions !== '' && { instructions }),
  });

  server.setRequestHandler('tools/list', async () => {
    try {
      const tools = await inShare(() => door.list(opened));
      return { tools, ttlMs: LIST_TTL_MS, cacheScope: 'private' } as unknown as ListToolsResult;
    } catch (error) {
      throw toProtocolError(error, report);
    }
  });

  server.setRequestHandler('tools/call', async ({ params }, context): Promise<CallToolResult | InputRequiredResult> => {
    const { name, arguments: args = {} } = params;
    if (hasDeclined(context)) return toToolResult(PAGE_NOT_OPENED) as CallToolResult;
    try {
      const answer = await door.call(opened, { name, arguments: args }, toHow(context));
      const asked = answer.kind === 'refused' ? askToOpen(answer, context, revision) : undefined;
      return asked ?? (toToolResult(answer) as CallToolResult);
    } catch (error) {
      if (error instanceof UrlElicitationRequiredError) throw error;
      const { code, message } = toShown(error, report);
      return toRefusal(code, message) as CallToolResult;
    }
  });

  serveItems(server, options);
  return server;
}
