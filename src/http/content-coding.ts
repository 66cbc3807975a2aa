import type { Context } from 'hono';
import { accepts } from 'hono/accepts';

/** The content codings that the gateway sends, best first. */
export const CODINGS = ['br', 'gzip'] as const;

/** A content coding (RFC 9110, section 8.4.1). */
export type Coding = (typeof CODINGS)[number];

/** Returns the best coding that the client accepts; undefined if it wants none. */
export function findCoding(c: Context): Coding | undefined {
  const found = accepts(c, {
    header: 'Accept-Encoding',
    supports: [...CODINGS],
    default: 'identity',
    // Browsers name all codings as equally good, and gzip first.
    match: (asked) =>
      CODINGS.find((each) => asked.some(({ type, q }) => type.toLowerCase() === each && q > 0)) ?? 'identity',
  });
  return CODINGS.find((each) => each === found);
}
