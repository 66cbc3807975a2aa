import { createHash } from 'node:crypto';
import type { App } from '../../src/http/app.ts';
import { TEST_PUBLIC_URL } from '../setup/gateway.ts';
import { openSocket } from '../setup/socket-client.ts';

/** The SHA-256 of a document. */
export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The identifier of a document in GraphQL over HTTP. */
export const idOf = (text: string): string => `sha256:${hashOf(text)}`;

/** What says which document a request is about. */
export interface DocumentRequest {
  query?: string;
  documentId?: unknown;
  extensions?: { persistedQuery?: unknown };
}

/** The first answer to a request, as far as it tells whether the document ran. */
export interface DocumentAnswer {
  data?: unknown;
  code?: string;
  /** The issue of a refusal: path and code. */
  issue?: string;
}

/** A way to send an operation. */
export interface DocumentPath {
  name: string;
  operation: 'query' | 'subscription';
  send(request: DocumentRequest): Promise<DocumentAnswer>;
}

interface Answer {
  data?: unknown;
  errors?: { extensions: { code: string; issues?: { path: string[]; code: string }[] } }[];
}

function toAnswer({ data, errors }: Answer): DocumentAnswer {
  const { code, issues } = errors?.[0]?.extensions ?? {};
  const [issue] = issues ?? [];
  return {
    ...(data != null && { data }),
    ...(code !== undefined && { code }),
    ...(issue !== undefined && { issue: `${issue.path.join('.')} ${issue.code}` }),
  };
}

/** The first event of a stream, or the error instead of it. */
async function readFirst(response: Response): Promise<Answer> {
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) return response.json();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    const [, event] = /^data: ?(\{.*\})$/m.exec(text) ?? [];
    if (event !== undefined) return JSON.parse(event);
  }
  throw new Error('the stream ended without an event');
}

/** Where to send operations. */
export interface DocumentTarget {
  app: App;
  /** Of a server in front of it. */
  port: number;
  token: string;
}

/** All ways to send an operation. @param target asked for each time: tables of tests are made before there is one */
export function createDocumentPaths(target: () => DocumentTarget): DocumentPath[] {
  const fetch = async (address: string, init: RequestInit) =>
    target().app.fetch(new Request(new URL(address, TEST_PUBLIC_URL), init));
  const headers = (accept: string) => ({
    authorization: `Bearer ${target().token}`,
    'content-type': 'application/json',
    accept,
  });
  const post = (request: DocumentRequest, accept: string) =>
    fetch('/graphql', { method: 'POST', headers: headers(accept), body: JSON.stringify(request) });
  const get = ({ extensions, ...request }: DocumentRequest, accept: string) => {
    const all = { ...request, ...(extensions !== undefined && { extensions: JSON.stringify(extensions) }) };
    const address = `/graphql?${new URLSearchParams(all as Record<string, string>)}`;
    return fetch(address, { headers: headers(accept) });
  };
  const ask = async (payload: DocumentRequest): Promise<DocumentAnswer> => {
    const socket = await openSocket(target().port);
    try {
      await socket.init({ authorization: `Bearer ${target().token}` });
      socket.send({ type: 'subscribe', id: '1', payload });
      const message = await socket.next();
      return toAnswer(message?.type === 'error' ? { errors: message.payload } : message?.payload);
    } finally {
      socket.socket.terminate();
    }
  };
  const [JSON_ONLY, CURRENT, EVENTS] = ['application/json', 'application/graphql-response+json', 'text/event-stream'];
  return [
    {
      name: 'POST',
      operation: 'query',
      send: async (it) => toAnswer((await (await post(it, JSON_ONLY)).json()) as Answer),
    },
    {
      name: 'POST for the current media type',
      operation: 'query',
      send: async (it) => toAnswer((await (await post(it, CURRENT)).json()) as Answer),
    },
    {
      name: 'GET',
      operation: 'query',
      send: async (it) => toAnswer((await (await get(it, JSON_ONLY)).json()) as Answer),
    },
    {
      name: 'server-sent events by POST',
      operation: 'subscription',
      send: async (it) => toAnswer(await readFirst(await post(it, EVENTS))),
    },
    {
      name: 'server-sent events by GET',
      operation: 'subscription',
      send: async (it) => toAnswer(await readFirst(await get(it, EVENTS))),
    },
    { name: 'a query over WebSocket', operation: 'query', send: ask },
    { name: 'a subscription over WebSocket', operation: 'subscription', send: ask },
  ];
}
