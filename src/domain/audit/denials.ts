import type { Store } from '../../data/store.ts';
import type { ErrorCode } from '../../errors.ts';
import { SYSTEM, type Viewer } from '../../policy/viewer.ts';

/** How many denials of anonymous callers are recorded in a burst, and how many more per second. */
const NOBODY_BURST = 60;
const NOBODY_PER_SECOND = 1;

/** Error codes that count as a denial. */
const DENIALS: ReadonlySet<string> = new Set<ErrorCode>(['FORBIDDEN', 'UNAUTHENTICATED']);

/** Records denials in the audit log. */
export type Denials = ReturnType<typeof createDenials>;

/**
 * Creates the recorder. Every denial of a known caller is recorded. Denials of anonymous callers are rate-limited: each
 * one is a write that blocks other appends, and anyone on the network can cause them. The next recorded entry says how
 * many were left out.
 */
export function createDenials({ store, now }: { store: Store; now: () => Date }) {
  let tokens = NOBODY_BURST;
  let refilledAt = now().getTime();
  let leftOut = 0;

  const takeToken = (): boolean => {
    const at = now().getTime();
    tokens = Math.min(NOBODY_BURST, tokens + (Math.max(0, at - refilledAt) / 1_000) * NOBODY_PER_SECOND);
    refilledAt = at;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };

  return {
    /** @param operation what was denied: a root field of the graph, or a method and route */
    async record(viewer: Viewer, { operation, code }: { operation: string; code: string }): Promise<void> {
      if (!DENIALS.has(code)) return;
      if (viewer.kind === 'nobody' && !takeToken()) {
        leftOut += 1;
        return;
      }
      const more = viewer.kind === 'nobody' && leftOut > 0 ? ` ${leftOut} earlier denials were not recorded.` : '';
      if (more !== '') leftOut = 0;
      await store.transaction((tx) =>
        tx.audit.append(SYSTEM, {
          actor: viewer,
          action: 'access.denied',
          outcome: 'denied',
          target: { type: 'operation', label: operation },
          reason: `${code}.${more}`,
        }),
      );
    },
  };
}
