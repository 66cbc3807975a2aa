import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A received request. */
export interface HandmadeRequest {
  method: string;
  /** With the query. */
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A server on loopback that answers what a test tells it to, including invalid answers. */
export interface HandmadeServer {
  /** Its origin. */
  url: string;
  port: number;
  requests: HandmadeRequest[];
  /** Method and path of each request so far, e.g. `GET /mcp`. */
  readonly log: string[];
  /** Sets the answer at this path, whatever the method; until then it is 404. The body was read. */
  on(path: string, listener: RequestListener): void;
  /** Answers with JSON at this path. */
  onJson(path: string, body: unknown, status?: number): void;
  /** Answers with this text at this path. */
  onText(path: string, text: string, status?: number, headers?: Record<string, string>): void;
  close(): Promise<void>;
}

export async function startHandmadeServer(): Promise<HandmadeServer> {
  const requests: HandmadeRequest[] = [];
  const listeners = new Map<string, RequestListener>();
  const server = createServer(async (request, response) => {
    const { method = '', url: path = '', headers } = request;
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    requests.push({ method, path, headers, body });
    const listener = listeners.get(path);
    if (listener === undefined) response.writeHead(404).end();
    else listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  const onText: HandmadeServer['onText'] = (path, text, status = 200, headers = {}) =>
    void listeners.set(path, (_request, response) => response.writeHead(status, headers).end(text));
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    get log() {
      return requests.map(({ method, path }) => `${method} ${path}`);
    },
    on: (path, listener) => void listeners.set(path, listener),
    onJson: (path, body, status) => onText(path, JSON.stringify(body), status, { 'content-type': 'application/json' }),
    onText,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
