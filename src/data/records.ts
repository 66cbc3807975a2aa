import type { Role } from '../policy/viewer.ts';

/** How servers are talked to. */
export const MCP_TRANSPORTS = ['streamable_http', 'sse'] as const;
/** One of them. */
export type McpTransport = (typeof MCP_TRANSPORTS)[number];

/** What credentials servers get. */
export const MCP_AUTH_TYPES = ['none', 'oauth2', 'api_key', 'custom_headers'] as const;
/** One of them. */
export type McpAuthType = (typeof MCP_AUTH_TYPES)[number];

/** In which chats servers are. */
export const MCP_AVAILABILITIES = ['force_on', 'default_on', 'default_off'] as const;
/** One of them. */
export type McpAvailability = (typeof MCP_AVAILABILITIES)[number];

/** Whether users may come in. */
export const USER_STATUSES = ['active', 'suspended'] as const;
/** One of them. */
export type UserStatus = (typeof USER_STATUSES)[number];

/** Whether the `resource` parameter (RFC 8707) is sent to the authorization server. */
export const OAUTH_RESOURCE_MODES = ['auto', 'include', 'omit'] as const;
/** One of them. */
export type OAuthResourceMode = (typeof OAUTH_RESOURCE_MODES)[number];

/** A config as the gateway passes it around: whether secrets are stored, never the secrets. */
export interface McpServerConfigRecord {
  id: string;
  displayName: string;
  slug: string;
  description: string;
  iconUrl: string;
  transport: McpTransport;
  url: string;
  authType: McpAuthType;
  oauth2ClientId: string;
  oauth2AuthUrl: string;
  oauth2TokenUrl: string;
  oauth2RevocationUrl: string;
  oauth2Issuer: string;
  oauth2Scopes: string[];
  oauth2ResourceMode: OAuthResourceMode;
  apiKeyHeader: string;
  toolAllowList: string[];
  toolDenyList: string[];
  availability: McpAvailability;
  enabled: boolean;
  hasOAuth2Secret: boolean;
  hasApiKey: boolean;
  hasCustomHeaders: boolean;
  /** Digests of the keys that seal its secrets; none twice. */
  secretKeyDigests: string[];
  version: number;
  createdById: string | null;
  updatedById: string | null;
  createdAt: Date;
  updatedAt: Date;
}

/**
 * How one user stands with one server, without any token: connected, or ended by the authorization server. No record
 * means that he never was, or disconnected.
 */
export type ConnectionRecord =
  | {
      kind: 'connected';
      configId: string;
      tokenId: string;
      /** Counts the tokens that the connection has had. */
      version: number;
      /** Digests of the keys that seal the tokens; none twice. */
      secretKeyDigests: string[];
      /** Whether the server asked for more scopes than the tokens have. */
      needsMoreScopes: boolean;
    }
  | { kind: 'ended'; configId: string; reason: string };

/** What discovery found out about a config's authorization server, and the client that the gateway has there. */
export interface OAuthDiscoveryRecord {
  mcpServerConfigId: string;
  resource: string;
  issParameterSupported: boolean;
  scopes: string[];
  registrationUrl: string;
  tokenAuthMethods: string[];
  clientMode: 'metadata_document' | 'registered';
  clientAuthMethod: 'client_secret_basic' | 'client_secret_post' | 'none';
  clientSecretExpiresAt: Date | null;
  clientIsUnknown: boolean;
  discoveredAt: Date;
}

/** A user as the gateway passes him around. */
export interface UserRecord {
  id: string;
  email: string;
  role: Role;
  status: UserStatus;
  createdAt: Date;
  updatedAt: Date;
}

/** An API token without the token. */
export interface ApiTokenRecord {
  id: string;
  userId: string;
  name: string;
  expiresAt: Date | null;
  revokedAt: Date | null;
  lastUsedAt: Date | null;
  createdAt: Date;
}

/** A session without its cookie. */
export interface SessionRecord {
  id: string;
  userId: string;
  apiTokenId: string | null;
  createdAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
}

/** A chat, with the servers chosen for it. */
export interface ChatRecord {
  id: string;
  ownerId: string;
  title: string;
  mcpServerIds: string[];
  createdAt: Date;
  updatedAt: Date;
}

/** A message of a chat. */
export interface ChatMessageRecord {
  id: string;
  chatId: string;
  content: string;
  createdAt: Date;
}

/** A change of a config, or of one user's connection to it. */
export interface ConfigChangeRecord {
  /** Counts the changes, without gaps, in the order of the commits. */
  rev: bigint;
  kind: 'created' | 'updated' | 'deleted' | 'connection';
  configId: string;
  /** Whose connection. */
  userId: string | null;
  /** Null where there was, or is, no config. */
  enabledBefore: boolean | null;
  enabledAfter: boolean | null;
  /** The database's names. */
  changedColumns: string[];
  /** As it was after the change; null when it was deleted, and for a connection. */
  config: McpServerConfigRecord | null;
  occurredAt: Date;
}

/** What the audit log knows of, in the order of where it happens. */
export const AUDIT_ACTIONS = [
  'mcpServerConfig.create',
  'mcpServerConfig.update',
  'mcpServerConfig.delete',
  'mcpServerConnection.connect',
  'mcpServerConnection.disconnect',
  'mcpServerConnection.remove',
  'mcpServerConnection.refresh',
  'chat.create',
  'chatMessage.create',
  'user.create',
  'user.update',
  'user.delete',
  'user.provision',
  'apiToken.create',
  'apiToken.revoke',
  'session.create',
  'session.end',
  'encryptionKey.add',
  'encryptionKey.rotate',
  'encryptionKey.verify',
  'encryptionKey.revoke',
  'auditLog.expire',
  'access.denied',
] as const;
/** One of them. */
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** How it ended: a refused or failed thing changed nothing. */
export const AUDIT_OUTCOMES = ['success', 'denied', 'failed'] as const;
/** One of them. */
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

/** What an entry is about. */
export const AUDIT_TARGET_TYPES = [
  'mcp_server_config',
  'user',
  'api_token',
  'chat',
  'encryption_key',
  'operation',
] as const;
/** One of them. */
export type AuditTargetType = (typeof AUDIT_TARGET_TYPES)[number];

/** One field that changed. Of a secret only that it did. */
export type FieldChange = { field: string; before: unknown; after: unknown } | { field: string; changed: true };

/** One entry of the audit log. */
export interface AuditEntryRecord {
  /** Counts the entries, without gaps. */
  seq: bigint;
  occurredAt: Date;
  actorKind: 'user' | 'system' | 'nobody';
  actorId: string | null;
  actorEmail: string | null;
  actorRole: Role | null;
  action: AuditAction;
  outcome: AuditOutcome;
  targetType: AuditTargetType | null;
  targetId: string | null;
  targetLabel: string | null;
  changes: FieldChange[];
  reason: string | null;
  requestId: string | null;
  address: string | null;
}

/** One page of a keyset-paginated list. */
export interface Page<Row> {
  rows: Row[];
  hasMore: boolean;
}
