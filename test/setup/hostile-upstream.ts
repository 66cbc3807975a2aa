import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

/** A JSON-RPC request that it received. */
export interface RpcRequest {
  id: unknown;
  method: string;
  params: Record<string, unknown>;
}

/** How it answers a request: itself, or with a result. */
export type Answer = (request: RpcRequest, response: ServerResponse) => unknown;

/** A server that speaks MCP (2025-11-25, without sessions) until a test makes it misbehave. Close it. */
export interface HostileUpstream {
  port: number;
  /** `path` selects what happens; each test uses its own. */
  urlOf(path: string): string;
  /** Answers all requests at the path. */
  on(path: string, listener: RequestListener): void;
  /** Answers some methods at the path; the others honestly. A returned value is the result. */
  onMethod(path: string, answers: Record<string, Answer>): void;
  /** Methods that were received at the path, in order. */
  seen(path: string): string[];
  close(): Promise<void>;
}

/** In everything that it sends: must never be shown. */
export const UPSTREAM_CANARY = 'canary-of-the-upstream';

const HONEST: Record<string, Answer> = {
  initialize: ({ params }) => ({
    protocolVersion: params['protocolVersion'],
    capabilities: { tools: {} },
    serverInfo: { name: UPSTREAM_CANARY, version: '1' },
  }),
  'tools/list': () => ({ tools: [toTool('fine')] }),
  'tools/call': () => ({ content: [{ type: 'text', text: 'fine' }] }),
};

/** @param tls serves https at `localhost` with this certificate */
export async function startHostileUpstream(tls?: { key: string; cert: string }): Promise<HostileUpstream> {
  const listeners = new Map<string, RequestListener>();
  const seen = new Map<string, string[]>();
  const listen: RequestListener = (request, response) => {
    const listener = listeners.get(request.url ?? '');
    response.on('error', () => undefined);
    if (listener === undefined) response.writeHead(404).end(UPSTREAM_CANARY);
    else listener(request, response);
  };
  const server = tls === undefined ? createServer(listen) : createTlsServer(tls, listen);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    port,
    urlOf: (path) => `${tls === undefined ? 'http://127.0.0.1' : 'https://localhost'}:${port}${path}`,
    on: (path, listener) => void listeners.set(path, listener),
    onMethod(path, answers) {
      const log: string[] = [];
      seen.set(path, log);
      listeners.set(path, async (request, response) => {
        if (request.method !== 'POST') return void response.writeHead(405).end();
        let body = '';
        for await (const chunk of request.setEncoding('utf8')) body += chunk;
        const { id, method, params = {} } = JSON.parse(body) as RpcRequest;
        log.push(method);
        if (id === undefined) return void response.writeHead(202).end();
        const answer = answers[method] ?? HONEST[method];
        if (answer === undefined) return sendJson(response, { id, error: { code: -32_601, message: UPSTREAM_CANARY } });
        const result = await answer({ id, method, params }, response);
        if (result !== undefined) sendJson(response, { id, result });
      });
    },
    seen: (path) => seen.get(path) ?? [],
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A tool with changes. */
export function toTool(name: string, change: Record<string, unknown> = {}): Record<string, unknown> {
  return { name, description: `${UPSTREAM_CANARY} ${name}`, inputSchema: { type: 'object' }, ...change };
}

/** A JSON-RPC message as the whole answer. */
export function sendJson(response: ServerResponse, message: Record<string, unknown>): void {
  const text = JSON.stringify({ jsonrpc: '2.0', ...message });
  response.writeHead(200, { 'content-type': 'application/json' }).end(text);
}

/** Text as the answer, of any type. */
export function sendText(text: string, type = 'application/json', headers: Record<string, string> = {}): Answer {
  return (_request, response) => void response.writeHead(200, { 'content-type': type, ...headers }).end(text);
}

/** A status and headers. */
export function sendStatus(status: number, headers: Record<string, string> = {}): RequestListener {
  return (_request, response) => void response.writeHead(status, headers).end(UPSTREAM_CANARY);
}

/** A small answer that becomes a large one. */
export const sendBomb: Answer = (_request, response) => {
  const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20));
  response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(bomb);
};

/** Events without an end. */
export const sendEndlessEvents: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const event = `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { data: UPSTREAM_CANARY.repeat(100) } })}\n\n`;
  const push = (): void => {
    while (!response.destroyed && response.write(event));
    if (!response.destroyed) response.once('drain', push);
  };
  push();
};

/** Messages as events, then the end of the stream. */
export function sendEvents(...messages: readonly Record<string, unknown>[]): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const message of messages) response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
    response.end();
  };
}
