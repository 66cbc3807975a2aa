import type { ConfigChangeRecord } from '../../data/records.ts';
import type { Upstreams } from '../../mcp/upstreams.ts';

/** Columns that say nothing about where a server is, whether it may be called, and with what. */
const HARMLESS: ReadonlySet<string> = new Set([
  'availability',
  'description',
  'display_name',
  'expose_prompts',
  'expose_resources',
  'icon_url',
  'reachability',
  'slug',
  'tool_allow_list',
  'tool_approval',
  'tool_deny_list',
  'tools',
  'updated_at',
  'updated_by_id',
  'version',
]);

/**
 * Creates what ends connections, and the calls that use them, as soon as the feed says that they must not go on: a server
 * that is switched off, deleted or changed, and a user who connects or disconnects. Other changes give the next operation
 * a new connection, and let running ones end. A change may be read when its successor is in use already, which stays.
 */
export function createUpstreamClosing(options: {
  upstreams: Pick<Upstreams, 'close' | 'has'>;
  /** Identifies what the user granted now. Undefined for nothing. */
  findGrant: (of: { configId: string; userId: string }) => Promise<string | undefined>;
}) {
  const { upstreams, findGrant } = options;

  const closeOf = async (configId: string, userId: string): Promise<void> => {
    if (!upstreams.has(configId, userId)) return;
    // When it cannot be found out, none stays.
    const exceptGrant = await findGrant({ configId, userId }).catch(() => undefined);
    await upstreams.close({ configId, owner: userId, exceptGrant });
  };

  return (changes: readonly ConfigChangeRecord[]): void => {
    for (const { kind, configId, userId, changedColumns, config } of changes) {
      if (kind === 'connection' && userId !== null) void closeOf(configId, userId);
      else if (kind === 'deleted' || changedColumns.some((column) => !HARMLESS.has(column))) {
        void upstreams.close({ configId, beforeVersion: config?.version });
      }
    }
  };
}
