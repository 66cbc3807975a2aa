import type { Secret } from '../../crypto/secret.ts';
import type { UpstreamItem } from '../../mcp/list-items.ts';
import type { ListedTools } from '../../mcp/list-tools.ts';
import { toForms } from './credential-forms.ts';

/** What stands in place of a credential. */
const REMOVED = '[removed]';

/** A list keeps shorter ones. */
const MIN_LISTED_CHARACTERS = 16;

/** Removes from a value what it contains of some credentials. */
export type Scrub = <Value>(value: Value) => Value;

/**
 * Creates what removes credentials from answers: a server may send back what it got, and no caller ever sees it. A
 * header's value is removed in each of its forms (`toForms`). Nothing else is: only what was sent for this answer.
 *
 * @param sent the values of the headers that were sent
 */
export function createScrub(sent: Iterable<Secret>): Scrub {
  return toScrub(toNeedles(sent));
}

/**
 * Removes credentials from a list of tools. A list lasts, and its words are names to call by. So a value that could be a
 * word, such as the `production` of a header, is left. A tool whose name has a credential in it is left out: under another
 * name, nobody could call it.
 *
 * @param sent the values of the headers that were sent
 */
export function scrubList(sent: Iterable<Secret>, { tools, ...rest }: ListedTools): ListedTools {
  const scrub = toScrub(toNeedles(sent).filter(({ length }) => length >= MIN_LISTED_CHARACTERS));
  return { ...scrub(rest), tools: scrub(tools.filter(({ name }) => scrub(name) === name)) };
}

/** The same for resources, templates and prompts. */
export function scrubItems(sent: Iterable<Secret>, items: readonly UpstreamItem[]): UpstreamItem[] {
  const scrub = toScrub(toNeedles(sent).filter(({ length }) => length >= MIN_LISTED_CHARACTERS));
  return items.filter(({ key }) => scrub(key) === key).map((item) => scrub(item));
}

function toScrub(needles: readonly string[]): Scrub {
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
    for (const form of toForms(secret.expose())) needles.add(form);
  }
  return [...needles].sort((a, b) => b.length - a.length);
}
