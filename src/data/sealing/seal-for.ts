import type { BoundText } from '../../crypto/bound-text.ts';
import { OpenError } from '../../crypto/open-error.ts';
import { originOf } from '../../crypto/origin.ts';

/**
 * Names the URLs that a secret may be sent to, for a write of a sealed column. The sealing extension accepts nothing else
 * there: who writes a secret has to say where it goes. Empty URLs count as absent.
 *
 * Prisma's types know only strings for these columns, hence the type. It is an object, because a string could come from a
 * caller.
 *
 * @throws OpenError `destination` when there is no URL, or a text that is not one
 */
export function sealFor(text: string, urls: readonly string[]): string {
  return { text, origins: toOrigins(urls) } satisfies BoundText as unknown as string;
}

/** Whether a value comes from `sealFor`. */
export function isSealedFor(value: unknown): value is BoundText {
  return typeof value === 'object' && value !== null && 'text' in value && 'origins' in value;
}

/**
 * The origins of URLs, without repetitions. Empty URLs count as absent.
 *
 * @throws OpenError `destination` when there is no URL, or a text that is not one: SQL can write any text
 */
export function toOrigins(urls: readonly string[]): string[] {
  const origins = new Set<string>();
  for (const url of urls) {
    if (url === '') continue;
    const origin = originOf(url);
    if (origin === undefined) throw new OpenError('destination');
    origins.add(origin);
  }
  if (origins.size === 0) throw new OpenError('destination');
  return [...origins];
}
