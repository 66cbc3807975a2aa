import type { Secret } from '../../crypto/secret.ts';

/** What stands in place of a credential. */
const REMOVED = '[removed]';
/** Shorter values are words or numbers that occur by themselves: without them an answer would make no sense. */
const MIN_CHARACTERS = 8;

/** Removes from a value what it contains of some credentials. */
export type Scrub = <Value>(value: Value) => Value;

/**
 * Creates what removes credentials from answers: a server may send back what it got, and no caller ever sees it. A
 * header's value is removed as it is, without its scheme (`Bearer`), and as it is written within JSON text.
 *
 * @param sent the values of the headers that were sent
 */
export function createScrub(sent: Iterable<Secret>): Scrub {
  const needles = toNeedles(sent);
  const scrubText = (text: string): string =>
    needles.reduce((rest, needle) => (rest.includes(needle) ? rest.replaceAll(needle, REMOVED) : rest), text);
  const scrub = (value: unknown): unknown => {
    if (typeof value === 'string') return scrubText(value);
    if (Array.isArray(value)) return value.map(scrub);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [scrubText(key), scrub(each)]));
  };
  return <Value>(value: Value): Value => (needles.length === 0 ? value : (scrub(value) as Value));
}

/** Longest first: a token goes with its scheme, where both are there. */
function toNeedles(sent: Iterable<Secret>): string[] {
  const needles = new Set<string>();
  for (const secret of sent) {
    const whole = secret.expose();
    const bare = /^[A-Za-z]+ +(\S.*)$/.exec(whole)?.[1];
    for (const value of [whole, bare]) {
      if (value === undefined || value.length < MIN_CHARACTERS) continue;
      needles.add(value);
      needles.add(JSON.stringify(value).slice(1, -1));
    }
  }
  return [...needles].sort((a, b) => b.length - a.length);
}
