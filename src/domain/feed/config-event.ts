import type { ConfigChangeRecord, McpServerConfigRecord } from '../../data/records.ts';
import { can } from '../../policy/policy.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';

/** What a viewer sees happen. */
export const CONFIG_EVENT_TYPES = ['ADDED', 'MODIFIED', 'REMOVED', 'BOOKMARK'] as const;

/** One of them. */
export type ConfigEventType = (typeof CONFIG_EVENT_TYPES)[number];

/** One event, for one viewer as he was when it was made. */
export interface ConfigEvent {
  cursor: string;
  type: ConfigEventType;
  configId: string | null;
  /** As it was after the change; null for what is removed, and for a bookmark. */
  config: McpServerConfigRecord | null;
  /** The graph's names. */
  changedFields: string[];
  occurredAt: Date;
  /** Who gets it, with what he may do at this moment. */
  viewer: Viewer;
}

/** Columns whose field has another name, or none. The others are the field's name in snake case. */
const FIELDS: Readonly<Record<string, string | null>> = {
  oauth2_client_secret: 'hasOAuth2Secret',
  api_key_value: 'hasApiKey',
  custom_headers: 'hasCustomHeaders',
  oauth2_client_secret_key_id: null,
  api_key_value_key_id: null,
  custom_headers_key_id: null,
  created_by: 'createdBy',
};

/** Fields that every viewer sees; a change of another one is only told to those who see it. */
const PUBLIC_FIELDS: ReadonlySet<string> = new Set([
  'slug',
  'displayName',
  'description',
  'iconUrl',
  'authType',
  'availability',
  'enabled',
  'toolAllowList',
  'toolDenyList',
  'hasOAuth2Secret',
  'hasApiKey',
  'hasCustomHeaders',
]);

/**
 * What a change is to a viewer as he is now: something appears, changes, or disappears for him, or nothing happens.
 *
 * @param known the config as it is known now: changes of connections do not have it where it is large
 */
export function toConfigEvent(
  change: ConfigChangeRecord,
  viewer: Viewer,
  known: McpServerConfigRecord | undefined,
): Pick<ConfigEvent, 'type' | 'config' | 'changedFields'> | null {
  const isVisibleAfter = isVisible(viewer, change.enabledAfter);
  if (change.kind === 'connection') {
    const config = change.config ?? known;
    const isOwn = change.userId === viewerUserId(viewer);
    if (!isOwn || !isVisibleAfter || config === undefined || !isVisible(viewer, config.enabled)) return null;
    return { type: 'MODIFIED', config, changedFields: ['authConnected'] };
  }
  const { config } = change;
  const wasVisible = isVisible(viewer, change.enabledBefore);
  if (config === null || !isVisibleAfter) {
    return wasVisible ? { type: 'REMOVED', config: null, changedFields: [] } : null;
  }
  if (!wasVisible) return { type: 'ADDED', config, changedFields: [] };
  return { type: 'MODIFIED', config, changedFields: toFields(change.changedColumns, viewer) };
}

function isVisible(viewer: Viewer, enabled: boolean | null): boolean {
  return enabled !== null && can(viewer, 'mcpServerConfig.read', { enabled });
}

function toFields(columns: readonly string[], viewer: Viewer): string[] {
  const seesAll = can(viewer, 'mcpServerConfig.readAdminFields');
  const fields = columns.map((column) =>
    column in FIELDS ? FIELDS[column] : column.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase()),
  );
  return fields.filter((field) => field != null).filter((field) => seesAll || PUBLIC_FIELDS.has(field));
}
