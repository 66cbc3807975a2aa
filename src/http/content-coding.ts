import type { Context } from 'hono';
import { accepts } from 'hono/accepts';

/** The content codings that the gateway sends, best first. */
export const CODINGS = ['br', 'gzip'] as const;

/** A content coding (RFC 9110, section 8.4.1). */
export type Coding = (typeof CODINGS)[number];

/**
 * Returns the best coding that the client accepts; undefined if it wants none.
 *
 * @param among what there is to choose from, best first
 */
export function findCoding(c: Context, among: readonly Coding[] = CODINGS): Coding | undefined {
  const found = accepts(c, {
    header: 'Accept-Encoding',
    supports: [...among],
    default: 'identity',
    // Browsers name all codings as equally good, and gzip first.
    match: (asked) =>
      among.find((each) => asked.some(({ type, q }) => type.toLowerCase() === each && q > 0)) ?? 'identity',
  });
  return among.find((each) => each === found);
}
