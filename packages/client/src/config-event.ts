import type { TypedDocument } from './typed-document.ts';

/** A change to a config, with the fields that every role may see. `follow` yields it unless it gets another document. */
export interface ConfigEvent {
  /** The config appeared, changed or disappeared for the caller; or nothing happened, and only the cursor moved. */
  type: 'ADDED' | 'MODIFIED' | 'REMOVED' | 'BOOKMARK';
  /** Where to resume. Store it together with what you made of the event. */
  cursor: string;
  /** Null for a bookmark. */
  configId: string | null;
  /** The config after the change; null for `REMOVED` and `BOOKMARK`. */
  config: FollowedConfig | null;
  /** Names of the fields that changed, as far as the caller may see them. */
  changedFields: string[];
  /** When it happened, as an ISO 8601 time. */
  occurredAt: string;
}

/** A config as `ConfigEvent` has it. */
export interface FollowedConfig {
  id: string;
  slug: string;
  displayName: string;
  description: string;
  authType: 'NONE' | 'OAUTH2' | 'API_KEY' | 'CUSTOM_HEADERS';
  availability: 'FORCE_ON' | 'DEFAULT_ON' | 'DEFAULT_OFF';
  enabled: boolean;
  toolAllowList: string[];
  toolDenyList: string[];
  authConnected: boolean;
  viewerState: 'READY' | 'NEEDS_CONNECT' | 'RECONNECT' | 'DISABLED' | 'UNAVAILABLE';
  version: number;
  createdAt: string;
  updatedAt: string;
}

/** The least that a document for `follow` selects of an event. */
export interface FeedEvent {
  type: string;
  cursor: string;
}

/** The variables that `follow` gives its document. */
export interface FeedVariables {
  after?: string;
  includeInitial: boolean;
}

/** A subscription to `mcpServerConfigEvents` with the variables `$after` and `$includeInitial`. */
export type FeedDocument<Event extends FeedEvent> = TypedDocument<{ mcpServerConfigEvents: Event }, FeedVariables>;

/** The operation that `follow` sends if it gets no other one. */
export const CONFIG_EVENTS = `subscription Follow($after: String, $includeInitial: Boolean) {
  mcpServerConfigEvents(after: $after, includeInitial: $includeInitial) {
    type
    cursor
    configId
    changedFields
    occurredAt
    config {
      id
      slug
      displayName
      description
      authType
      availability
      enabled
      toolAllowList
      toolDenyList
      authConnected
      viewerState
      version
      createdAt
      updatedAt
    }
  }
}`;
