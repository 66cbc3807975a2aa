import type { PriorDiscovery } from '@modelcontextprotocol/client';
import { LEGACY_VERDICT_MS, MAX_REMEMBERED } from './upstream-limits.ts';
import type { UpstreamTarget } from './upstream-target.ts';

type Of = Pick<UpstreamTarget, 'configId' | 'version'>;

/**
 * Creates the memory of which revision a server speaks, so that not every connection has to ask. Another version of the
 * config is another server.
 *
 * @param clock in milliseconds
 */
export function createRevisionMemory(clock: () => number) {
  const known = new Map<string, { verdict: PriorDiscovery; at: number }>();
  const toKey = ({ configId, version }: Of): string => `${configId} ${version}`;

  return {
    find(of: Of): PriorDiscovery | undefined {
      const found = known.get(toKey(of));
      // A server that is upgraded still answers in the old way, so only asking tells.
      const isOld = found?.verdict.kind === 'legacy' && clock() - found.at > LEGACY_VERDICT_MS;
      return isOld ? undefined : found?.verdict;
    },

    remember(of: Of, verdict: PriorDiscovery): void {
      const key = toKey(of);
      const before = known.get(key);
      const isSame = verdict.kind === 'legacy' && before?.verdict.kind === 'legacy';
      // The time when it was asked, not when it was used.
      const isFresh = isSame && clock() - before.at <= LEGACY_VERDICT_MS;
      known.delete(key);
      known.set(key, { verdict, at: isFresh ? before.at : clock() });
      const [oldest] = known.keys();
      if (known.size > MAX_REMEMBERED && oldest !== undefined) known.delete(oldest);
    },

    forget: (of: Of): boolean => known.delete(toKey(of)),
  };
}
