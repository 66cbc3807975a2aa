import { setTimeout as delay } from 'node:timers/promises';
import { readSse } from '../setup/sse-reader.ts';
import type { ConfigState, Step } from './feed-ledger.ts';

/** An event as a mirror received it. */
export interface MirroredEvent extends Step {
  cursor: string;
  configId: string;
}

/** A subscriber who follows all changes over HTTP and resumes when a stream breaks. */
export interface Mirror {
  events: readonly MirroredEvent[];
  /** Resolves when the mirror follows; rejects with the reason if it cannot. */
  ready: Promise<void>;
  /** Whether an event about this config arrived. */
  has(configId: string): boolean;
  /** How often a stream ended. */
  breaks(): number;
  /** Why the mirror gave up, if it did. */
  failure(): Error | undefined;
  stop(): Promise<void>;
}

/** After this long without data, the mirror switches to another replica. */
const ANSWER_MS = 3_000;
/** A bookmark arrives every ten seconds. */
const SILENCE_MS = 20_000;
const MIN_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 400;

/** After these errors a subscriber must not continue as if nothing were lost. */
const FATAL_CODES: ReadonlySet<string> = new Set([
  'CURSOR_EXPIRED',
  'CURSOR_INVALID',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'VALIDATION_FAILED',
  'EXPERIMENT_DISABLED',
  'NOT_FOUND',
]);

/** What changes when the tools of a server are listed. */
const LISTED: ReadonlySet<string> = new Set(['tools', 'reachability']);

const QUERY = `subscription ($after: String) {
  mcpServerConfigEvents(after: $after) { cursor type configId changedFields config { version enabled description } } }`;

interface Answer {
  data?: {
    mcpServerConfigEvents: {
      cursor: string;
      type: string;
      configId: string | null;
      changedFields: string[];
      config: ConfigState | null;
    };
  } | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

class FatalError extends Error {}

/** Starts a mirror at the first of these replicas. */
export function startMirror(urls: readonly string[], token: string): Mirror {
  const events: MirroredEvent[] = [];
  const seen = new Set<string>();
  let setReady = (): void => undefined;
  let setFailed = (_error: Error): void => undefined;
  const ready = new Promise<void>((resolve, reject) => {
    setReady = resolve;
    setFailed = reject;
  });
  ready.catch(() => undefined);
  let cursor: string | undefined;
  let breaks = 0;
  let failure: Error | undefined;
  let isStopped = false;
  let current: AbortController | undefined;

  const take = ({ data, errors = [] }: Answer): void => {
    const codes = errors.map(({ extensions }) => extensions?.code ?? 'none');
    if (codes.some((code) => FATAL_CODES.has(code))) throw new FatalError(JSON.stringify(errors));
    if (data == null || codes.length > 0) throw new Error(`no event: ${codes.join(', ')}`);
    const { cursor: next, type, configId, changedFields, config: state } = data.mcpServerConfigEvents;
    cursor = next;
    setReady();
    if (type === 'BOOKMARK') return;
    if (configId === null) throw new FatalError(`an event of type ${type} about nothing`);
    seen.add(configId);
    // The gateway lists the servers' tools by itself. The ledger knows only what the writers change.
    if (changedFields.length > 0 && changedFields.every((field) => LISTED.has(field))) return;
    events.push({ cursor, type, configId, state });
  };

  /** Follows until the stream breaks. @returns whether anything arrived */
  const follow = async (url: string): Promise<boolean> => {
    const before = cursor;
    const controller = new AbortController();
    current = controller;
    let timer = setTimeout(() => controller.abort(), ANSWER_MS);
    try {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'text/event-stream',
          authorization: `Bearer ${token}`,
        },
        body: JSON.stringify({ query: QUERY, variables: { after: cursor } }),
        signal: controller.signal,
      });
      if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true || response.body === null) {
        take((await response.json()) as Answer);
        throw new Error(`not a stream: ${response.status}`);
      }
      for await (const { event, data } of readSse(response.body)) {
        clearTimeout(timer);
        timer = setTimeout(() => controller.abort(), SILENCE_MS);
        if (event === 'complete') break;
        if (event !== 'next') throw new FatalError(`an event of the name ${event}`);
        take(JSON.parse(data) as Answer);
      }
    } catch (error) {
      if (error instanceof FatalError) throw error;
      // Whatever the reason: continue at another replica.
    } finally {
      clearTimeout(timer);
      controller.abort();
    }
    return cursor !== before;
  };

  const run = async (): Promise<void> => {
    let backoffMs = MIN_BACKOFF_MS;
    for (let turn = 0; !isStopped; ) {
      const hasCome = await follow(urls[turn % urls.length] ?? '');
      breaks += 1;
      if (!hasCome) turn += 1;
      backoffMs = hasCome ? MIN_BACKOFF_MS : Math.min(backoffMs * 2, MAX_BACKOFF_MS);
      if (!isStopped) await delay(backoffMs * (0.5 + Math.random() / 2));
    }
  };
  const ended = run().catch((error: Error) => {
    failure = error;
    setFailed(error);
  });

  return {
    events,
    ready,
    has: (configId) => seen.has(configId),
    breaks: () => breaks,
    failure: () => failure,
    async stop() {
      isStopped = true;
      current?.abort();
      await ended;
    },
  };
}
