import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { type CallToolResult, createMcpHandler, Server, type ServerContext } from '@modelcontextprotocol/server';

import { serveTestItems } from './items.ts';

/** What a door has to pass on: the tools that the suite calls, by name. */
const DATA = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
const IMAGE = { type: 'image', data: DATA, mimeType: 'image/png' } as const;
const AUDIO = {
  type: 'audio',
  data: 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=',
  mimeType: 'audio/wav',
} as const;
const text = (words: string) => ({ type: 'text', text: words }) as const;
const resource = (uri: string, mimeType: string, words: string) =>
  ({ type: 'resource', resource: { uri, mimeType, text: words } }) as const;

type Tool = (context: ServerContext) => CallToolResult | Promise<CallToolResult>;
const TOOLS: Readonly<Record<string, Tool>> = {
  test_simple_text: () => ({ content: [text('This is a simple text response for testing.')] }),
  test_image_content: () => ({ content: [IMAGE] }),
  test_audio_content: () => ({ content: [AUDIO] }),
  test_embedded_resource: () => ({
    content: [resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  }),
  test_multiple_content_types: () => ({
    content: [
      text('Multiple content types test:'),
      IMAGE,
      resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  }),
  test_error_handling: () => ({
    content: [text('This tool intentionally returns an error for testing')],
    isError: true,
  }),
  async test_tool_with_progress({ mcpReq }) {
    const progressToken = mcpReq._meta?.progressToken ?? 0;
    for (const progress of [0, 50, 100]) {
      const params = { progressToken, progress, total: 100, message: `Completed step ${progress} of 100` };
      await mcpReq.notify({ method: 'notifications/progress', params });
    }
    return { content: [text(String(progressToken))] };
  },
};

/** Starts a server with these tools, and with resources and prompts, on a loopback port. */
export async function startToolServer(): Promise<{ url: string; close(): void }> {
  const handler = createMcpHandler(() => {
    const server = new Server(
      { name: 'tools', version: '1' },
      { capabilities: { tools: {}, resources: {}, prompts: {} } },
    );
    serveTestItems(server);
    server.setRequestHandler('tools/list', () => ({
      tools: Object.keys(TOOLS).map((name) => ({
        name,
        description: `The tool ${name}.`,
        inputSchema: { type: 'object' },
      })),
    }));
    server.setRequestHandler('tools/call', ({ params }, context) => {
      const tool = TOOLS[params.name];
      return tool === undefined ? { content: [text('no such tool')], isError: true } : tool(context);
    });
    return server;
  });
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const made = await handler.fetch(
      new Request(`http://127.0.0.1${request.url}`, {
        method: request.method ?? 'GET',
        headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
        ...(body !== '' && { body }),
      }),
    );
    response.writeHead(made.status, Object.fromEntries(made.headers));
    if (made.body === null) response.end();
    else Readable.fromWeb(made.body as never).pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
