import type { Context } from 'hono';
import { accepts } from 'hono/accepts';

/** Whether the caller is a browser in which someone opened a URL. Programs accept JSON or anything. */
export function prefersHtml(c: Context): boolean {
  const supports = ['application/json', 'text/html'];
  return accepts(c, { header: 'Accept', supports, default: 'application/json' }) === 'text/html';
}
