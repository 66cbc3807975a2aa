import { hash } from 'node:crypto';
import type { Context } from 'hono';
import type { HttpEnv } from '../context.ts';

/**
 * Creates the list of the requests that run in this process, so that a notification can cancel one. With the revisions of
 * 2025, a client cancels a request by a notification of its own, and nothing but its token, the door and the id tells whose
 * request is meant: there are no sessions. When several clients of one user have requests with the same id, none of them is
 * cancelled. There are as many entries as there are requests.
 */
export function createRunningCalls() {
  const running = new Map<string, Set<() => void>>();
  return {
    /** Adds a request. @returns a function that removes it */
    add(c: Context<HttpEnv>, id: unknown, cancel: () => void): () => void {
      const key = toKey(c, id);
      const same = running.get(key) ?? new Set();
      running.set(key, same.add(cancel));
      return () => {
        same.delete(cancel);
        if (same.size === 0 && running.get(key) === same) running.delete(key);
      };
    },

    /** Cancels a request of the same caller at the same door, if it is clear which one. */
    cancel(c: Context<HttpEnv>, id: unknown): void {
      const [only, ...others] = running.get(toKey(c, id)) ?? [];
      if (others.length === 0) only?.();
    },
  };
}

function toKey(c: Context<HttpEnv>, id: unknown): string {
  const { pathname, search } = new URL(c.req.url);
  const parts = [c.req.header('authorization'), pathname, search, typeof id, String(id)];
  return hash('sha256', JSON.stringify(parts), 'base64');
}
