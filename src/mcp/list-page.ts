import { RAW_ITEMS } from './guarded-transport.ts';
import { UpstreamError } from './upstream-error.ts';

/** One page of a list of a server. */
export interface Page {
  /** As received. */
  items: readonly unknown[];
  nextCursor: string | undefined;
  /** How long the list may be used, in milliseconds. Undefined if the server does not say. */
  ttlMs: number | undefined;
  cacheScope: 'public' | 'private' | undefined;
}

/** Reads the result of a list. @throws UpstreamError if it is none */
export function readPage(result: unknown): Page {
  const { [RAW_ITEMS]: items, nextCursor, ttlMs, cacheScope } = (result ?? {}) as Record<string, unknown>;
  const isEnd = nextCursor === undefined || nextCursor === null || nextCursor === '';
  if (!Array.isArray(items) || !(isEnd || typeof nextCursor === 'string')) throw new UpstreamError('PROTOCOL_ERROR');
  return {
    items,
    nextCursor: isEnd ? undefined : (nextCursor as string),
    ttlMs: typeof ttlMs === 'number' && Number.isFinite(ttlMs) ? Math.max(0, ttlMs) : undefined,
    cacheScope: cacheScope === 'public' || cacheScope === 'private' ? cacheScope : undefined,
  };
}
