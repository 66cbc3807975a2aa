import { createHash } from 'node:crypto';
import { MCP_LIMITS } from '../../limits/mcp-limits.ts';

/** The longest name that all model APIs accept. */
const MAX_SHOWN = MCP_LIMITS.shownName.value;
const HASH_DIGITS = 10;

/** A name that ends like one that was changed: it is changed, too, so that no two tools are shown with one name. */
const LOOKS_CHANGED = new RegExp(`_[0-9a-f]{${HASH_DIGITS}}$`);

/**
 * The name of a tool as models see it: `<slug>__<tool>` in letters, digits, `_` and `-`, at most 64 characters. A name
 * that does not fit is cut and gets a hash of the whole name, so that it is still unique and always the same.
 */
export function toShownName(slug: string, tool: string): string {
  return toFittingName(`${slug}__${tool}`);
}

/** As `toShownName`, where all tools are of one server: without the slug. */
export function toFittingName(whole: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(whole) && !LOOKS_CHANGED.test(whole)) return whole;
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, HASH_DIGITS);
  const cut = whole.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, MAX_SHOWN - HASH_DIGITS - 1);
  return `${cut}_${hash}`;
}
