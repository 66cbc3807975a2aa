import { randomUUID } from 'node:crypto';
import type { Caches } from '../../cache/caches.ts';
import { estimateBytes } from '../../cache/estimate-bytes.ts';
import type { ToolListKey } from '../../data/repositories/tool-lists.ts';
import type { Store } from '../../data/store.ts';
import { DomainError } from '../../errors.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { MCP_LIMITS } from '../../limits/mcp-limits.ts';
import { UpstreamError } from '../../mcp/upstream-error.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import type { CallWatch } from '../door/call-watch.ts';
import type { UpstreamCalls } from '../upstreams/upstream-calls.ts';

/** Servers that one process hears. */
const MAX_HEARD = MCP_LIMITS.listeners.value;
/** Longer than hearing may take. Another replica hears the server if this one ends before. */
const LEASE_SECONDS = MCP_LIMITS.listenTime.value / 1_000 + 30;
/** A server that ended it, or cannot be reached, is heard again after this time. It doubles with each time. */
const MIN_PAUSE_MS = 30_000;
const MAX_PAUSE_MS = 3_600_000;
/** After so much time without an end, the server counts as one that does not end it. */
const STEADY_MS = 60_000;

/** Hears from servers in use that their tools changed. */
export type ToolListeners = ReturnType<typeof createToolListeners>;

/** A server that is heard. */
interface Heard {
  /** Whose connection is used, if the server has connections. */
  userId: string | null;
  end: AbortController;
  done: Promise<void>;
  /** Whether somebody used the list since hearing began. */
  isUsed: boolean;
}

/** Why a server is not heard now. */
interface Pause {
  until: number;
  /** The ends in a row that were the server's. */
  ends: number;
}

/**
 * Creates what hears servers of revision 2026-07-28 for one process. A server is heard by one process of all, over one
 * stream, as long as somebody uses its list. With OAuth 2 it is the connection of a user who uses it.
 */
export function createToolListeners(options: {
  store: Store;
  listen: UpstreamCalls['listen'];
  watch: CallWatch;
  caches: Caches;
  isOn: boolean;
  /** The list may have changed. */
  onChanged: (key: ToolListKey) => void;
  onError: (error: unknown) => void;
  now: () => Date;
}) {
  const { store, listen, watch, caches, isOn, onChanged, onError, now } = options;
  const heard = new Map<string, Heard>();
  const pauses = caches.createMap<string, Pause>(CACHE_BOUNDS.unheard, (key) => estimateBytes(key) + 16);
  let isClosed = !isOn;

  const pauseFor = (configId: string, ms: number, ends: number): void => {
    pauses.set(configId, { until: now().getTime() + ms, ends });
  };

  /** @returns whether it may be heard again at once */
  const hearOnce = async (key: ToolListKey, isFresh: boolean, signal: AbortSignal): Promise<boolean> => {
    const { configId } = key;
    const ends = pauses.get(configId)?.ends ?? 0;
    let openedAt: number | undefined;
    const onOpen = (): void => {
      openedAt = performance.now();
      // What it told before was told to nobody.
      if (!isFresh) onChanged(key);
    };
    const outcome = await listen(key, { signal, onOpen }).catch((error: unknown) => {
      if (!(error instanceof UpstreamError || error instanceof DomainError)) throw error;
      return { state: 'ok', value: 'ended' } as const;
    });
    if (signal.aborted) return false;
    // Its owner has to connect, or an admin switched it off: the change makes it heard again.
    if (outcome.state !== 'ok') return false;
    if (outcome.value === 'expired') {
      pauses.delete(configId);
      return true;
    }
    if (outcome.value === 'unsupported') pauseFor(configId, MAX_PAUSE_MS, 0);
    else {
      const isSteady = openedAt !== undefined && performance.now() - openedAt >= STEADY_MS;
      const count = isSteady ? 1 : ends + 1;
      pauseFor(configId, Math.min(MIN_PAUSE_MS * 2 ** (count - 1), MAX_PAUSE_MS), count);
    }
    return false;
  };

  const hear = async (key: ToolListKey, entry: Heard, wasListed: boolean): Promise<void> => {
    const { configId, userId } = key;
    let isFresh = wasListed;
    const lease = { configId, listenerId: randomUUID() };
    const isActive = async (): Promise<boolean> =>
      userId === null || (await store.sessions.findUser(SYSTEM, { id: userId }))?.status === 'active';
    const watched = watch.add({
      configId,
      decide: async () => ((await isActive()) ? undefined : { kind: 'refused', code: 'FORBIDDEN', message: '' }),
    });
    const signal = AbortSignal.any([entry.end.signal, watched.signal]);
    try {
      do {
        entry.isUsed = false;
        if (!(await store.tools.takeListener(SYSTEM, { ...lease, seconds: LEASE_SECONDS }))) return;
        if (!(await hearOnce(key, isFresh, signal))) return;
        isFresh = true;
      } while (entry.isUsed);
    } finally {
      watched.leave();
      await store.tools.endListener(SYSTEM, lease);
    }
  };

  return {
    /**
     * Somebody uses a list: its server is heard, unless another process hears it. Never waits.
     *
     * @param isFresh whether it was listed just now. Else it is when the server is heard
     */
    want(key: ToolListKey, isFresh: boolean): void {
      const { configId, userId } = key;
      const known = heard.get(configId);
      if (known !== undefined) {
        known.isUsed ||= known.userId === userId;
        return;
      }
      if (isClosed || heard.size >= MAX_HEARD) return;
      if ((pauses.get(configId)?.until ?? 0) > now().getTime()) return;
      const entry: Heard = { userId, end: new AbortController(), done: Promise.resolve(), isUsed: false };
      heard.set(configId, entry);
      entry.done = hear(key, entry, isFresh)
        .catch(onError)
        .finally(() => heard.delete(configId));
    },

    /** The server, or how it is called, changed: what was learned of the earlier one says nothing. */
    forget: (configId: string): void => void pauses.delete(configId),

    async close(): Promise<void> {
      isClosed = true;
      for (const { end } of heard.values()) end.abort();
      while (heard.size > 0) await Promise.all([...heard.values()].map(({ done }) => done));
    },
  };
}
