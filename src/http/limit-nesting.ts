import { REQUEST_LIMITS } from '../limits/request-limits.ts';

/** The maximum nesting of JSON. No input of the gateway has nearly as many levels. */
export const MAX_NESTING = REQUEST_LIMITS.nesting.value;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** `[` and `{`, `]` and `}` differ in this bit only. */
const BRACE_BIT = 0x20;
const OPENING = 0x5b;
const CLOSING = 0x5d;

/**
 * Replaces values that are nested too deeply by null, before the text is parsed. Parsing 100,000 levels takes a hundred times
 * as long, and code that walks the result runs out of stack. The rest still has the wrong type, so it is refused later. The
 * replaced text does not have to be valid JSON.
 */
export function limitNesting(text: string): string {
  let kept = '';
  let keptUpTo = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) {
      at = findEndOfString(text, at);
    } else if ((unit & ~BRACE_BIT) === OPENING) {
      depth += 1;
      if (depth === MAX_NESTING + 1) kept += `${text.slice(keptUpTo, at)}null`;
    } else if ((unit & ~BRACE_BIT) === CLOSING) {
      if (depth === MAX_NESTING + 1) keptUpTo = at + 1;
      depth -= 1;
    }
  }
  if (kept === '') return text;
  // Brackets that are left open: there is nothing to parse behind them.
  return depth > MAX_NESTING ? kept : kept + text.slice(keptUpTo);
}

function findEndOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) return at;
    if (unit === BACKSLASH) at += 1;
  }
  return text.length;
}
