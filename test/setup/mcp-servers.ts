import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { Server as OldServer } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import {
  createMcpHandler,
  InMemoryServerEventBus,
  Server as ModernServer,
  ResourceNotFoundError,
  type Tool,
} from '@modelcontextprotocol/server';

/** A small MCP server on loopback. Close it. */
export interface SmallMcpServer {
  url: string;
  port: number;
  /** The headers of each request, as sent, with the JSON-RPC method. */
  seen: { httpMethod: string; method: string | undefined; headers: IncomingHttpHeaders; rawHeaders: string[] }[];
  /** Ids of the sessions that it knows. Empty them, and they have vanished. */
  sessions: Map<string, unknown>;
  /** Connections that are open. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

/** A definition with a keyword that no library knows. */
export const ECHO: Tool = {
  name: 'echo',
  description: 'Says it again.',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, 'x-odd': { $ref: 'https://example.com/a' } },
} as Tool;

/** Answers whom the server takes the caller for. */
export const WHO: Tool = { name: 'who', inputSchema: { type: 'object' } };

function answer(name: string, args: unknown, who: string | undefined) {
  const text = name === 'who' ? (who ?? 'nobody') : JSON.stringify(args ?? null);
  return { content: [{ type: 'text' as const, text }] };
}

/** A server of the second SDK: stateless, for revision 2026-07-28, and older ones if asked. */
export async function startModernServer(
  options: { legacy?: 'reject' | 'stateless'; listTools?: () => Tool[] } = {},
): Promise<SmallMcpServer> {
  const { listTools = () => [ECHO, WHO] } = options;
  const handler = createMcpHandler(
    ({ requestInfo }) => {
      const server = new ModernServer(
        { name: 'modern', version: '2' },
        { capabilities: { tools: {} }, instructions: 'Be kind.' },
      );
      server.setRequestHandler('tools/list', () => ({ tools: listTools(), ttlMs: 5_000, cacheScope: 'private' }));
      server.setRequestHandler('tools/call', ({ params }) =>
        answer(params.name, params.arguments, requestInfo?.headers.get('authorization') ?? undefined),
      );
      return server;
    },
    { legacy: options.legacy ?? 'stateless' },
  );
  return listen(new Map(), (request, body, respond) => answerBy(handler, request, body, respond));
}

/** A server of the second SDK that tells when its tools change. */
export interface ChangingServer extends SmallMcpServer {
  /** Gives its only tool another description, and tells, unless it must not. */
  describe(description: string, options?: { isTold: boolean }): void;
  /** Ends what it tells. */
  hangUp(): Promise<void>;
  /** Streams on which it tells, now. */
  listeners(): number;
}

/** Starts one. Its list says that it stays the same for a day. */
export async function startChangingServer(): Promise<ChangingServer> {
  let description = 'first';
  const bus = new InMemoryServerEventBus();
  const create = () =>
    createMcpHandler(
      () => {
        const server = new ModernServer(
          { name: 'changing', version: '2' },
          { capabilities: { tools: { listChanged: true } } },
        );
        server.setRequestHandler('tools/list', () => ({
          tools: [{ name: 'tool', description, inputSchema: { type: 'object' } }],
          ttlMs: 86_400_000,
          cacheScope: 'public',
        }));
        server.setRequestHandler('tools/call', ({ params }) => answer(params.name, params.arguments, undefined));
        return server;
      },
      { bus },
    );
  let handler = create();
  const server = await listen(new Map(), (request, body, respond) => answerBy(handler, request, body, respond));
  return Object.assign(server, {
    describe(changed: string, { isTold } = { isTold: true }) {
      description = changed;
      if (isTold) handler.notify.toolsChanged();
    },
    async hangUp() {
      const before = handler;
      handler = create();
      await before.close();
    },
    listeners: () => bus.listenerCount,
  });
}

async function answerBy(
  handler: { fetch(request: Request): Promise<Response> },
  request: IncomingMessage,
  body: string,
  respond: (response: Response) => void,
): Promise<void> {
  const { host = '', ...headers } = request.headers;
  const response = await handler.fetch(
    new Request(`http://${host}${request.url}`, {
      method: request.method ?? 'GET',
      headers: headers as Record<string, string>,
      ...(body !== '' && { body }),
    }),
  );
  respond(response);
}

/** A library: resources, a template and prompts, for revision 2026-07-28 and older ones. */
export async function startLibrary(): Promise<SmallMcpServer> {
  const handler = createMcpHandler(
    () => {
      const server = new ModernServer(
        { name: 'library', version: '2' },
        { capabilities: { tools: {}, resources: {}, prompts: {} } },
      );
      server.setRequestHandler('tools/list', () => ({ tools: [ECHO] }));
      server.setRequestHandler('tools/call', () => ({
        content: [{ type: 'resource_link', uri: BOOK, name: 'a book' }],
      }));
      server.setRequestHandler('resources/list', () => ({
        resources: [{ uri: BOOK, name: 'A book', mimeType: 'text/plain' }],
      }));
      server.setRequestHandler('resources/templates/list', () => ({
        resourceTemplates: [{ uriTemplate: 'shelf://by-title/{title}{?page}', name: 'By title' }],
      }));
      server.setRequestHandler('resources/read', ({ params: { uri } }) => {
        if (uri !== BOOK && !uri.startsWith('shelf://by-title/')) throw new ResourceNotFoundError(uri);
        return { contents: [{ uri, text: `read ${uri}` }], ttlMs: 3_600_000, cacheScope: 'public' as const };
      });
      server.setRequestHandler('prompts/list', () => ({
        prompts: [{ name: 'review', arguments: [{ name: 'of', required: true }] }, { name: LONG_PROMPT }],
      }));
      server.setRequestHandler('prompts/get', ({ params }) => ({
        messages: [
          { role: 'user', content: { type: 'text', text: `${params.name} ${params.arguments?.['of'] ?? ''}` } },
          { role: 'user', content: { type: 'resource', resource: { uri: BOOK, text: 'words' } } },
        ],
      }));
      return server;
    },
    { legacy: 'stateless' },
  );
  return listen(new Map(), (request, body, respond) => answerBy(handler, request, body, respond));
}

/** A resource of the library. */
export const BOOK = 'shelf://fiction/1?edition=2#start';
/** One of its prompts, with a name that does not fit at a door. */
export const LONG_PROMPT = 'what would you say / '.repeat(5);

/** Describes its tools, and itself, with the headers `x-key` and `x-stage` that it gets. */
export async function startTellingServer(): Promise<SmallMcpServer> {
  const handler = createMcpHandler(
    ({ requestInfo }) => {
      const [key, stage] = ['x-key', 'x-stage'].map((name) => requestInfo?.headers.get(name) ?? 'none');
      const server = new ModernServer(
        { name: `told ${key}`, version: '2' },
        { capabilities: { tools: {} }, instructions: `Use ${key}.` },
      );
      const description = `Seen: ${key} ${stage}`;
      const inputSchema = { type: 'object' as const, description: Buffer.from(`${key}`).toString('base64') };
      const names = [`tell_${stage}`, `tell_${key}`];
      server.setRequestHandler('tools/list', () => ({
        tools: names.map((name) => ({ name, description, inputSchema })),
        ttlMs: 5_000,
        cacheScope: 'public',
      }));
      return server;
    },
    { legacy: 'stateless' },
  );
  return listen(new Map(), (request, body, respond) => answerBy(handler, request, body, respond));
}

/** A server of the first SDK, with a session for each client. A session remembers who opened it. */
export async function startSessionServer(): Promise<SmallMcpServer> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  return listen(sessions, async (request, body, _respond, response) => {
    const id = request.headers['mcp-session-id'];
    const known = typeof id === 'string' ? sessions.get(id) : undefined;
    if (id !== undefined && known === undefined) return void response.writeHead(404).end();
    const parsed: unknown = body === '' ? undefined : JSON.parse(body);
    if (known !== undefined) return known.handleRequest(request, response, parsed);
    const opener = request.headers.authorization;
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (opened) => void sessions.set(opened, transport),
      onsessionclosed: (closed) => void sessions.delete(closed),
    });
    const server = new OldServer({ name: 'old', version: '1' }, { capabilities: { tools: {} } });
    server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: [ECHO, WHO] as never }));
    server.setRequestHandler(CallToolRequestSchema, ({ params }) => answer(params.name, params.arguments, opener));
    await server.connect(transport as never);
    await transport.handleRequest(request, response, parsed);
  });
}

async function listen(
  sessions: Map<string, unknown>,
  handle: (
    request: IncomingMessage,
    body: string,
    respond: (response: Response) => void,
    response: import('node:http').ServerResponse,
  ) => Promise<void> | void,
): Promise<SmallMcpServer> {
  const seen: SmallMcpServer['seen'] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const method = body === '' ? undefined : (JSON.parse(body) as { method?: string }).method;
    seen.push({ httpMethod: request.method ?? '', method, headers: request.headers, rawHeaders: request.rawHeaders });
    const respond = (made: Response): void => {
      response.writeHead(made.status, Object.fromEntries(made.headers));
      if (made.body === null) response.end();
      else {
        const source = Readable.fromWeb(made.body as never);
        response.on('close', () => source.destroy());
        source.on('error', () => undefined).pipe(response);
      }
    };
    await handle(request, body, respond, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    port,
    seen,
    sessions,
    connections: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
      ),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
