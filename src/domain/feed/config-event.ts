import type { ConfigChangeRecord, McpServerConfigRecord } from '../../data/records.ts';
import { can } from '../../policy/policy.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import type { FeedPlace } from './feed-cursor.ts';

/** The types of events that a subscriber receives. */
export const CONFIG_EVENT_TYPES = ['ADDED', 'MODIFIED', 'REMOVED', 'BOOKMARK'] as const;

/** The type of an event. */
export type ConfigEventType = (typeof CONFIG_EVENT_TYPES)[number];

/** An event for one viewer, with the viewer's permissions at the time it was created. */
export interface ConfigEvent {
  /** The position after this event. */
  place: FeedPlace;
  /** `place`, sealed for the viewer. */
  readonly cursor: string;
  type: ConfigEventType;
  configId: string | null;
  /** The config after the change, or as it is now if the change is old. Null for removals and bookmarks. */
  config: McpServerConfigRecord | null;
  /** GraphQL field names. */
  changedFields: readonly string[];
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
  'tools',
  'reachability',
  'hasOAuth2Secret',
  'hasApiKey',
  'hasCustomHeaders',
]);

/**
 * Converts a change to an event for a viewer with their current permissions: the config appears, changes or disappears
 * for them, or there is no event.
 *
 * @param shown the config to show: as it became by a change that has just happened, or as it is now. If the viewer may
 *   not see it, the change that took it away follows, so there is no event for this one. Undefined if it is deleted
 */
export function toConfigEvent(
  change: ConfigChangeRecord,
  viewer: Viewer,
  shown: McpServerConfigRecord | undefined,
): Pick<ConfigEvent, 'type' | 'config' | 'changedFields'> | null {
  const isVisibleAfter = isVisible(viewer, change.enabledAfter);
  const config = shown !== undefined && isVisible(viewer, shown.enabled) ? shown : undefined;
  if (change.kind === 'connection') {
    const isOwn = change.userId === viewerUserId(viewer);
    if (!isOwn || !isVisibleAfter || config === undefined) return null;
    const changedFields = change.changedColumns.length === 0 ? ['authConnected'] : [...change.changedColumns];
    return { type: 'MODIFIED', config, changedFields };
  }
  const wasVisible = isVisible(viewer, change.enabledBefore);
  if (!isVisibleAfter) return wasVisible ? { type: 'REMOVED', config: null, changedFields: [] } : null;
  if (config === undefined) return null;
  if (!wasVisible) return { type: 'ADDED', config, changedFields: [] };
  return { type: 'MODIFIED', config, changedFields: toFields(change.changedColumns, viewer) };
}

/** Whether a change can be an event for this viewer. */
export function concernsViewer(change: ConfigChangeRecord, viewer: Viewer): boolean {
  return change.kind !== 'connection' || change.userId === viewerUserId(viewer);
}

function isVisible(viewer: Viewer, enabled: boolean | null): boolean {
  return enabled !== null && can(viewer, 'mcpServerConfig.read', { enabled });
}

/** The changed fields of a change: all, and those that everybody may see. Found once for all subscribers. */
const fieldsOf = new WeakMap<readonly string[], { all: string[]; shown: string[] }>();

function toFields(columns: readonly string[], viewer: Viewer): string[] {
  let known = fieldsOf.get(columns);
  if (known === undefined) {
    const all = listFields(columns);
    known = { all, shown: all.filter((field) => PUBLIC_FIELDS.has(field)) };
    fieldsOf.set(columns, known);
  }
  return can(viewer, 'mcpServerConfig.readAdminFields') ? known.all : known.shown;
}

function listFields(columns: readonly string[]): string[] {
  const fields = columns.map((column) =>
    column in FIELDS ? FIELDS[column] : column.replace(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase()),
  );
  return fields.filter((field) => field != null);
}
