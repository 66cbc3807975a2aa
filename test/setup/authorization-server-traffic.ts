import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A received request. */
export interface SeenRequest {
  method: string;
  /** Without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
  /** The body of an `application/x-www-form-urlencoded` request. */
  form?: URLSearchParams;
}

/** An answer that a test sets instead of the server's; `hang` never answers, `drop` closes the connection. */
export type PlannedAnswer =
  | { status: number; headers?: Readonly<Record<string, string>>; body?: string }
  | 'hang'
  | 'drop';

/** A request that a test holds in flight. */
export interface HeldRequest {
  /** Resolves when the request has arrived, or its answer is ready if that is held. */
  arrived: Promise<void>;
  /** Releases it. */
  release(): void;
  /** Closes its connection: the client sees a lost request or a lost answer. */
  drop(): void;
}

/** Lets a test see a server's requests and intercept them or their answers. */
export interface Traffic {
  /** All requests so far, in order of arrival. */
  requests: readonly SeenRequest[];
  /**
   * Sets the answer to the next requests for the path, which do not reach the server. @param times how many, 1 by
   * default
   */
  failNext(path: string, answer: PlannedAnswer, times?: number): void;
  /**
   * Holds the next request for the path.
   *
   * @param point `request`: before the server processes it; `answer`: after it did, before the client knows
   */
  holdNext(path: string, point?: 'request' | 'answer'): HeldRequest;
}

/** A server on a loopback port, with its traffic. */
export interface WatchedServer extends Traffic {
  /** `http://127.0.0.1:<port>` */
  origin: string;
  close(): Promise<void>;
}

/** Answers one request. The body of `request` is complete and can be read once more; its `url` may be changed. */
export type WatchedHandler = (
  seen: SeenRequest,
  request: IncomingMessage,
  response: ServerResponse,
) => void | Promise<void>;

/** Starts a server on a free loopback port. Close it, which also ends hanging and held requests. */
export async function startWatchedServer(handle: WatchedHandler): Promise<WatchedServer> {
  const requests: SeenRequest[] = [];
  const failures: { path: string; answer: PlannedAnswer }[] = [];
  const holds: Hold[] = [];

  const receive = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(incoming);
    const seen = toSeenRequest(incoming, body);
    requests.push(seen);
    const hold = takeFirst(holds, seen.path);
    if (hold?.point === 'request' && (await hold.stop()) === 'drop') return void response.destroy();
    if (hold?.point === 'answer') holdAnswer(response, hold);
    const failure = takeFirst(failures, seen.path);
    if (failure === undefined) await handle(seen, replay(incoming, body), response);
    else answerAsPlanned(response, failure.answer);
  };

  const server = createServer((incoming, response) => {
    receive(incoming, response).catch((error: unknown) => {
      // A client that disconnected is not a failure of the server.
      if (response.destroyed || response.headersSent) return void response.destroy();
      response.writeHead(500, { 'content-type': 'text/plain' }).end(`The test's server failed: ${String(error)}`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    failNext(path, answer, times = 1) {
      for (let left = times; left > 0; left -= 1) failures.push({ path, answer });
    },
    holdNext(path, point = 'request') {
      const hold = createHold(path, point);
      holds.push(hold);
      return { arrived: hold.arrived, release: () => hold.go('on'), drop: () => hold.go('drop') };
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Hold {
  path: string;
  point: 'request' | 'answer';
  arrived: Promise<void>;
  /** Announces the request and waits for the test's decision. */
  stop(): Promise<'on' | 'drop'>;
  go(way: 'on' | 'drop'): void;
}

function createHold(path: string, point: Hold['point']): Hold {
  let arrive: () => void = () => undefined;
  let go: Hold['go'] = () => undefined;
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const decided = new Promise<'on' | 'drop'>((resolve) => {
    go = resolve;
  });
  return {
    path,
    point,
    arrived,
    stop: () => {
      arrive();
      return decided;
    },
    go: (way) => go(way),
  };
}

/** Handlers send an answer with its end, headers included: holding the end holds the answer. */
function holdAnswer(response: ServerResponse, hold: Hold): void {
  const end = response.end;
  const heldEnd = (...args: unknown[]): ServerResponse => {
    void hold.stop().then((way) => (way === 'on' ? Reflect.apply(end, response, args) : response.destroy()));
    return response;
  };
  response.end = heldEnd as typeof response.end;
}

function answerAsPlanned(response: ServerResponse, answer: PlannedAnswer): void {
  if (answer === 'hang') return;
  if (answer === 'drop') return void response.destroy();
  response.writeHead(answer.status, answer.headers).end(answer.body);
}

function takeFirst<Item extends { path: string }>(items: Item[], path: string): Item | undefined {
  const index = items.findIndex((item) => item.path === path);
  return index === -1 ? undefined : items.splice(index, 1)[0];
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function toSeenRequest(incoming: IncomingMessage, bytes: Buffer): SeenRequest {
  const url = new URL(incoming.url ?? '/', 'http://127.0.0.1');
  const body = bytes.toString();
  const isForm = incoming.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  return {
    method: incoming.method ?? '',
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    body,
    ...(isForm && { form: new URLSearchParams(body) }),
  };
}

/** The same request with an unread body, so that the handler can read it from the start. */
function replay(incoming: IncomingMessage, body: Buffer): IncomingMessage {
  const { method, url, headers, rawHeaders, httpVersion } = incoming;
  const request = Object.assign(new IncomingMessage(incoming.socket), {
    method,
    url,
    headers,
    rawHeaders,
    httpVersion,
  });
  request.complete = true;
  request.push(body);
  request.push(null);
  return request;
}
