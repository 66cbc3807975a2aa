import { MCP_LIMITS } from '../limits/mcp-limits.ts';
import type { Exchange } from './exchange.ts';
import { readPage } from './list-page.ts';
import { findProblem } from './tool-definition.ts';
import { UpstreamError } from './upstream-error.ts';
import { MAX_NAME_LENGTH, MAX_PAGES } from './upstream-limits.ts';
import type { UpstreamSession } from './upstream-session.ts';

/** What servers list besides tools. */
export const ITEM_KINDS = {
  resources: { method: 'resources/list', capability: 'resources', key: 'uri', maxLength: MCP_LIMITS.itemUri.value },
  resourceTemplates: {
    method: 'resources/templates/list',
    capability: 'resources',
    key: 'uriTemplate',
    maxLength: MCP_LIMITS.itemUri.value,
  },
  prompts: { method: 'prompts/list', capability: 'prompts', key: 'name', maxLength: MAX_NAME_LENGTH },
} as const;

/** Names a kind. */
export type ItemKind = keyof typeof ITEM_KINDS;

/** A resource, a template or a prompt, as the server describes it. */
export interface UpstreamItem {
  /** Identifies it at its server: a URI, a template of URIs, or a name. */
  readonly key: string;
  readonly definition: Readonly<Record<string, unknown>>;
}

/**
 * Reads all pages of a list. Entries that cannot be used are left out, and of two with one key the second. A server that
 * does not say that it has any is not asked.
 *
 * @throws UpstreamError
 */
export async function listAllItems(
  session: UpstreamSession,
  exchange: Exchange,
  kind: ItemKind,
): Promise<readonly UpstreamItem[]> {
  const { method, capability } = ITEM_KINDS[kind];
  if (!session.hasCapability(capability)) return [];
  const items = new Map<string, UpstreamItem>();
  const cursors = new Set<string>();
  let seen = 0;
  let cursor: string | undefined;
  do {
    const params = cursor === undefined ? undefined : { cursor };
    const page = readPage(await session.request(exchange, { method, params }));
    for (const value of page.items) {
      seen += 1;
      if (seen > MCP_LIMITS.items.value) return [...items.values()];
      const item = readItem(value, kind);
      if (item !== undefined && !items.has(item.key)) items.set(item.key, item);
    }
    cursor = page.nextCursor;
    // A cursor that comes again would never end.
    if (cursor !== undefined && cursors.has(cursor)) throw new UpstreamError('PROTOCOL_ERROR');
    if (cursor !== undefined) cursors.add(cursor);
  } while (cursor !== undefined && cursors.size < MAX_PAGES);
  return [...items.values()];
}

function readItem(value: unknown, kind: ItemKind): UpstreamItem | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const definition = value as Readonly<Record<string, unknown>>;
  const { key: part, maxLength } = ITEM_KINDS[kind];
  const { [part]: key, name } = definition;
  if (typeof key !== 'string' || key.trim() === '' || key.length > maxLength) return undefined;
  if (typeof name !== 'string' || findProblem(definition) !== undefined) return undefined;
  // Only now: an entry of any depth would exhaust the stack.
  if (Buffer.byteLength(JSON.stringify(definition)) > MCP_LIMITS.item.value) return undefined;
  return { key, definition };
}
