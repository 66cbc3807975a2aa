import type { ConfigChangeRecord, McpServerConfigRecord } from '../../data/records.ts';
import { can } from '../../policy/policy.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';

/** The types of events that a subscriber receives. */
export const CONFIG_EVENT_TYPES = ['ADDED', 'MODIFIED', 'REMOVED', 'BOOKMARK'] as const;

/** The type of an event. */
export type ConfigEventType = (typeof CONFIG_EVENT_TYPES)[number];

/** An event for one viewer, with the viewer's permissions at the time it was created. */
export interface ConfigEvent {
  cursor: string;
  type: ConfigEventType;
  configId: string | null;
  /** The config after the change. Null for removals and bookmarks. */
  config: McpServerConfigRecord | null;
  /** GraphQL field names. */
  changedFields: string[];
  occurredAt: Date;
  /** The recipient, with their permissions at this moment. */
  viewer: Viewer;
}

/** Columns whose field has another name, or no field. All other fields are the column name in camel case. */
const FIELDS: Readonly<Record<string, string | null>> = {
  oauth2_client_secret: 'hasOAuth2Secret',
  api_key_value: 'hasApiKey',
  custom_headers: 'hasCustomHeaders',
  oauth2_client_secret_key_id: null,
  api_key_value_key_id: null,
  custom_headers_key_id: null,
  created_by: 'createdBy',
};

/** Fields visible to every viewer. A change to another field is only reported to viewers who may see it. */
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
 * Converts a change to an event for a viewer with their current permissions: the config appears, changes or disappears
 * for them, or there is no event.
 *
 * @param known the config as currently known; changes to connections omit a large config
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
