import type { Caches } from '../../cache/caches.ts';
import type { Store } from '../../data/store.ts';
import type { ErrorCode } from '../../errors.ts';
import { SYSTEM, type Viewer } from '../../policy/viewer.ts';
import { runInRequest } from '../../telemetry/request-scope.ts';
import { createDenialSources, type DenialKind, type DenialSource } from './denial-sources.ts';

/** After an entry, repeats of the same denial are counted for this long before they get another entry. */
const QUIET_MS = 60_000;

/** How often counts that are due are written, for denials that nobody repeats. */
const FLUSH_MS = 30_000;

/** Error codes that count as a denial. */
const DENIALS: ReadonlySet<string> = new Set<ErrorCode>(['FORBIDDEN', 'UNAUTHENTICATED']);

/** Records denials in the audit log. */
export type Denials = ReturnType<typeof createDenials>;

/**
 * Creates the recorder. Each entry is a write that all others wait for, and any caller can cause denials. So the first
 * denial of a kind (the caller, the operation and the code) is written at once. Repeats are counted, and one entry says
 * how many there were. No caller's entries depend on another's denials.
 */
export function createDenials({ store, caches, now }: { store: Store; caches: Caches; now: () => Date }) {
  const sources = caches.add(createDenialSources());
  let timer: NodeJS.Timeout | undefined;
  let flushing: Promise<void> | undefined;

  const write = async ({ isShared }: DenialSource, kind: DenialKind): Promise<void> => {
    const { count, since, operation, code, viewer, scope } = kind;
    kind.count = 0;
    kind.quietUntil = now().getTime() + QUIET_MS;
    const times = count === 1 ? '' : ` ${count} times since ${new Date(since).toISOString()}.`;
    const where = isShared ? ' From one of many addresses.' : '';
    try {
      await runInRequest(scope, () =>
        store.transaction((tx) =>
          tx.audit.append(SYSTEM, {
            actor: viewer,
            action: 'access.denied',
            outcome: 'denied',
            target: { type: 'operation', label: operation },
            reason: `${code}.${times}${where}`,
          }),
        ),
      );
    } catch (error) {
      // Not in the log: the next attempt writes these as well.
      Object.assign(kind, { count: kind.count + count, since, quietUntil: 0 });
      throw error;
    }
  };

  const writeCounts = async (isDue: (source: DenialSource, kind: DenialKind) => boolean): Promise<void> => {
    for (const source of sources.all()) {
      for (const kind of source.kinds.values()) {
        if (kind.count > 0 && isDue(source, kind)) await write(source, kind);
      }
    }
  };

  const writeDueCounts = async (): Promise<void> => {
    const at = now().getTime();
    await writeCounts(({ bucket }, { quietUntil }) => at >= quietUntil && bucket.take(at));
    sources.sweep(at);
    if (!sources.isEmpty()) return;
    clearInterval(timer);
    timer = undefined;
  };

  /** A failure is retried at the next call, so it is not reported. */
  const flush = (): Promise<void> => {
    flushing ??= writeDueCounts()
      .catch(() => undefined)
      .finally(() => {
        flushing = undefined;
      });
    return flushing;
  };

  return {
    /** @param operation what was denied: a root field of the graph, or a method and route */
    async record(viewer: Viewer, denial: { operation: string; code: string }): Promise<void> {
      if (!DENIALS.has(denial.code)) return;
      const at = now().getTime();
      const { source, kind, isFirst } = sources.count(viewer, denial, at);
      timer ??= setInterval(() => void flush(), FLUSH_MS).unref();
      if (isFirst) source.bucket.spend(at, 1);
      else if (at < kind.quietUntil || !source.bucket.take(at)) return;
      await write(source, kind);
    },

    /** Writes all counts, also those that are not due, and stops. */
    async close(): Promise<void> {
      clearInterval(timer);
      await flushing;
      await writeCounts(() => true).catch(() => undefined);
    },
  };
}
