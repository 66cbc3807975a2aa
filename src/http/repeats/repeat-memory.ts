import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Caches } from '../../cache/caches.ts';
import type { ChatVersions } from '../../domain/chats/chat-service.ts';
import type { AnswerStamp } from '../../domain/feed/answer-stamp.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { REQUEST_LIMITS } from '../../limits/request-limits.ts';
import type { Viewer } from '../../policy/viewer.ts';

/** A caller that is a user. Only their answers are kept. */
export type UserViewer = Extract<Viewer, { kind: 'user' }>;

/** What is known of an answer that may be sent again. */
export interface RepeatableAnswer {
  /** The state that it shows. */
  stamp: string;
  /** The chats that it shows, too. */
  chats?: ChatVersions | undefined;
  /** The body of the request; undefined for a method without one. */
  body: Uint8Array | undefined;
  /** What to log and count. Undefined for an answer that is not GraphQL. */
  operation?: { name: string; type: string } | undefined;
}

/** An answer, as it is sent again. */
export interface Repeat {
  /** The chats that have to be as they were. */
  chats: ChatVersions | undefined;
  viewer: UserViewer;
  method: string;
  route: string;
  operation: { name: string; type: string } | undefined;
  status: number;
  /** Names and values in turns, as Node's server takes them. */
  headers: readonly string[];
  body: Uint8Array<ArrayBuffer> | null;
  /** After this time, in milliseconds, the credential is verified again. */
  until: number;
}

/** The head of a request, as Node's server gives it. */
export type Incoming = Pick<IncomingMessage, 'method' | 'url' | 'rawHeaders'> & {
  socket: Pick<IncomingMessage['socket'], 'remoteAddress'>;
};

/** The paths whose answers can be kept, by method. */
const PATHS: Readonly<Record<string, RegExp>> = {
  GET: /^\/(?:graphql|api\/experimental\/mcp\/servers\/?)(?:\?|$)/,
  POST: /^\/graphql(?:\?|$)/,
};

/** Header fields that differ in each request and that no answer depends on. The request id is set anew each time. */
const VARYING = new Set(['x-request-id', 'traceparent', 'tracestate', 'baggage']);

/** A credential is verified at least this often: what is recorded of its use stays true. */
const MAX_AGE_MS = REQUEST_LIMITS.repeatAge.value;

/** What an entry needs beside its body and its headers. */
const ENTRY_BYTES = 1_000;

/** A request that was answered once. Most requests are never sent again, so their answers are not kept yet. */
const ASKED_ONCE = 'asked once';

/** The memory of answers to whole requests. */
export type RepeatMemory = ReturnType<typeof createRepeatMemory>;

/**
 * Keeps the answers to whole requests: the same method, URL, header fields (the credential is one of them), body and
 * connection address get the same answer, as long as the stamp is the same. The stamp changes with every config, connection, user and
 * credential, so an answer is void before any of them could make a difference. Keys are hashes: they hold no credentials.
 */
export function createRepeatMemory({
  caches,
  answerStamp,
  now,
}: {
  caches: Caches;
  answerStamp: AnswerStamp;
  now: () => Date;
}) {
  /** Hashes of everything but the body. The body of a request whose head is not among them is not read early. */
  const heads = caches.createMap<string, true>(CACHE_BOUNDS.repeatedHeads, (head) => head.length);
  const answers = caches.createMap<string, Repeat | typeof ASKED_ONCE>(CACHE_BOUNDS.repeats, (key, answer) =>
    answer === ASKED_ONCE ? key.length : ENTRY_BYTES + (answer.body?.length ?? 0),
  );
  let stamp = '';

  const switchTo = (current: string): void => {
    if (current === stamp) return;
    stamp = current;
    heads.clear();
    answers.clear();
  };

  return {
    /** A hash of everything but the body. Undefined if the answer cannot have been kept. */
    hashHead({ method = '', url = '', rawHeaders, socket }: Incoming): string | undefined {
      if (PATHS[method]?.test(url) !== true) return undefined;
      let text = `${method} ${url}\n${socket.remoteAddress}`;
      for (let index = 0; index < rawHeaders.length; index += 2) {
        const name = rawHeaders[index] ?? '';
        if (!VARYING.has(name.toLowerCase())) text += `\n${name}: ${rawHeaders[index + 1]}`;
      }
      return hash('sha256', text, 'base64');
    },

    /** Whether the answer to a request with this head may have been kept. */
    isKnown: (head: string): boolean => heads.get(head) === true,

    /** Finds the answer to a request that was sent before. None if the database has to be asked whether anything changed. */
    find(head: string, body: Uint8Array | undefined): Repeat | undefined {
      const fresh = answerStamp.fresh();
      if (typeof fresh !== 'string') {
        // Who answers in full asks again, and sees the failure.
        fresh.catch(() => undefined);
        return undefined;
      }
      switchTo(fresh);
      const found = answers.get(toKey(head, body));
      return found === undefined || found === ASKED_ONCE || found.until <= now().getTime() ? undefined : found;
    },

    /** The stamp as far as this process knows now. */
    stamp: answerStamp.current,

    /** Whether to keep the answer to this request: if it was asked before, at this stamp. */
    isWorthKeeping(head: string, { stamp: answered, body }: RepeatableAnswer): boolean {
      switchTo(answered);
      const key = toKey(head, body);
      if (answers.get(key) !== undefined) return true;
      heads.set(head, true);
      answers.set(key, ASKED_ONCE);
      return false;
    },

    /** Keeps an answer, unless something has changed since. */
    keep(head: string, { stamp: answered, body }: RepeatableAnswer, answer: Omit<Repeat, 'until'>): void {
      if (answered !== stamp || answerStamp.current() !== stamp) return;
      const { credential } = answer.viewer;
      const end = credential.kind === 'bootstrap' ? undefined : credential.expiresAt?.getTime();
      const until = Math.min(now().getTime() + MAX_AGE_MS, end ?? Number.POSITIVE_INFINITY);
      heads.set(head, true);
      answers.set(toKey(head, body), { ...answer, until });
    },
  };
}

function toKey(head: string, body: Uint8Array | undefined): string {
  return body === undefined ? head : `${head} ${hash('sha256', body, 'base64')}`;
}
