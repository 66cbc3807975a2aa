import type { Store } from '../../data/store.ts';
import type { ErrorCode } from '../../errors.ts';
import { SYSTEM, type Viewer } from '../../policy/viewer.ts';

/** Refusals of callers without a credential that are written down at once, and how many more each second. */
const NOBODY_BURST = 60;
const NOBODY_PER_SECOND = 1;

/** Codes that say that somebody may not. */
const DENIALS: ReadonlySet<string> = new Set<ErrorCode>(['FORBIDDEN', 'UNAUTHENTICATED']);

/** Writes refusals down. */
export type Denials = ReturnType<typeof createDenials>;

/**
 * Makes it. Every refusal of a known caller is written. Of those whom nobody knows only so many: each is a write that
 * all others wait for, and anybody on the network can cause them; what was left out is counted in the next one.
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
    /** @param operation what was refused: a root field of the graph, or method and route */
    async record(viewer: Viewer, { operation, code }: { operation: string; code: string }): Promise<void> {
      if (!DENIALS.has(code)) return;
      if (viewer.kind === 'nobody' && !takeToken()) {
        leftOut += 1;
        return;
      }
      const more = viewer.kind === 'nobody' && leftOut > 0 ? ` ${leftOut} more before it were not written down.` : '';
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
