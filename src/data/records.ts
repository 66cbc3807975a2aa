import type { Role, TokenScope } from '../policy/viewer.ts';

/** The transports of MCP servers. */
export const MCP_TRANSPORTS = ['streamable_http', 'sse'] as const;
/** A transport of an MCP server. */
export type McpTransport = (typeof MCP_TRANSPORTS)[number];

/** The credentials that the gateway sends to servers. */
export const MCP_AUTH_TYPES = ['none', 'oauth2', 'api_key', 'custom_headers'] as const;
/** An auth type of an MCP server. */
export type McpAuthType = (typeof MCP_AUTH_TYPES)[number];

/** Which chats a server is in. */
export const MCP_AVAILABILITIES = ['force_on', 'default_on', 'default_off'] as const;
/** An availability of an MCP server. */
export type McpAvailability = (typeof MCP_AVAILABILITIES)[number];

/** Whether users may sign in. */
export const USER_STATUSES = ['active', 'suspended'] as const;
/** The status of a user. */
export type UserStatus = (typeof USER_STATUSES)[number];

/** Whether the `resource` parameter (RFC 8707) is sent to the authorization server. */
export const OAUTH_RESOURCE_MODES = ['auto', 'include', 'omit'] as const;
/** Whether to send `resource`. */
export type OAuthResourceMode = (typeof OAUTH_RESOURCE_MODES)[number];

/** Which callback URL is registered at the authorization server: the config's own, or the one of the deployment. */
export const OAUTH_CALLBACK_MODES = ['own', 'shared'] as const;
/** Which callback URL to use. */
export type OAuthCallbackMode = (typeof OAUTH_CALLBACK_MODES)[number];

/** A config as the gateway passes it around. It says whether secrets are stored, but does not contain them. */
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
  oauth2CallbackMode: OAuthCallbackMode;
  apiKeyHeader: string;
  toolAllowList: string[];
  toolDenyList: string[];
  toolApproval: McpToolApproval;
  /** Whether doors have the server's resources. */
  exposeResources: boolean;
  /** Whether doors have the server's prompts. */
  exposePrompts: boolean;
  availability: McpAvailability;
  enabled: boolean;
  hasOAuth2Secret: boolean;
  hasApiKey: boolean;
  hasCustomHeaders: boolean;
  /** Digests of the keys that seal its secrets, without duplicates. */
  secretKeyDigests: string[];
  version: number;
  createdById: string | null;
  updatedById: string | null;
  createdAt: Date;
  updatedAt: Date;
}

/**
 * A user's connection to a server, without tokens: connected, or ended by the authorization server. No record means
 * that the user never connected, or disconnected.
 */
export type ConnectionRecord =
  | {
      kind: 'connected';
      configId: string;
      tokenId: string;
      /** The number of tokens that the connection has had. */
      version: number;
      /** Digests of the keys that seal the tokens, without duplicates. */
      secretKeyDigests: string[];
      /** Whether the server asked for scopes that the tokens lack. */
      needsMoreScopes: boolean;
      /** When the access token expires, if it cannot be refreshed. Null otherwise. */
      endsAt: Date | null;
      /** Why the tokens cannot be used for now. Null when they can. */
      blockedReason: string | null;
    }
  | { kind: 'ended'; configId: string; reason: string };

/** A connection as its user's list shows it. Has no token. */
export interface ListedConnectionRecord {
  userId: string;
  /** Of the config. What the list is sorted by, before the config's id. */
  displayName: string;
  connection: ConnectionRecord;
  /** When the user connected. Null when the connection has ended. */
  connectedAt: Date | null;
  /** When it ended. Null when it has not. */
  endedAt: Date | null;
  scopes: string[];
}

/** The settings discovered for a config's authorization server, and the gateway's client there. */
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
  /** An admin gave the issuer or the revocation URL: the gateway does not follow the server to another issuer. */
  isPinned: boolean;
  /** When the gateway last followed the server to another issuer. */
  movedAt: Date | null;
  discoveredAt: Date;
}

/** Whether tools may be used as the server lists them, or only as an admin approved them. */
export const MCP_TOOL_APPROVALS = ['auto', 'pin'] as const;
/** How tools are approved. */
export type McpToolApproval = (typeof MCP_TOOL_APPROVALS)[number];

/** The states of a tool in the catalogue. `absent`: the user's own list lacks a tool that is on the shared list. */
export type McpToolStatus = 'listed' | 'gone' | 'absent';

/** A tool in the catalogue: on the list that everybody shares, or where a user's own list differs from it. */
export interface McpToolRecord {
  id: string;
  configId: string;
  /** Null on the shared list. */
  userId: string | null;
  name: string;
  /** The name as the eye reads it: names that look alike have the same. */
  skeleton: string;
  /** The definition as JSON text. Empty if absent. */
  definition: string;
  /** SHA-256 of what an approval covers. Empty if absent. */
  digest: string;
  status: McpToolStatus;
  firstSeenAt: Date;
  /** When the digest last changed. Null if it never did. */
  changedAt: Date | null;
  goneAt: Date | null;
  approvedDigest: string | null;
  /** What was approved, if it is no longer the present definition. */
  approvedDefinition: string | null;
  approvedById: string | null;
  approvedAt: Date | null;
}

/** When the tools of a server were last listed, for everybody or for one user. */
export interface McpToolListRecord {
  configId: string;
  /** Null for the shared list. */
  userId: string | null;
  /** The admin whose connection listed the shared list, if it needed one. */
  listedById: string | null;
  listedAt: Date | null;
  /** When to list again on the next use. Null: only on an event. */
  staleAt: Date | null;
  /** When the last listing began, whether or not it succeeded. */
  attemptedAt: Date | null;
  /** The number of tools that were left out, because they cannot be used. */
  leftOut: number;
  /** Whether approvals that were imported wait at the server. */
  hasImported: boolean;
}

/** Whether a server answered when it was last called, whoever called it. */
export interface McpReachabilityRecord {
  configId: string;
  reachable: boolean;
  checkedAt: Date;
  /** The code of the problem. */
  problem: string | null;
  latencyMs: number | null;
  protocolVersion: string | null;
  serverName: string | null;
  serverVersion: string | null;
  instructions: string | null;
}

/** How often the tools of a server were called in an hour. */
export interface CallHour {
  configId: string;
  /** When it began. */
  hour: Date;
  /** Without those that were denied. */
  calls: number;
  errors: number;
  denied: number;
  /** How many calls took how long, by steps. */
  durations: number[];
}

/** In which hour a user last called a tool of a server. */
export interface Caller {
  configId: string;
  userId: string;
  /** When it began. */
  hour: Date;
}

/** What was counted of a server in a day, and in a week. */
export interface CallTotals {
  configId: string;
  lastDay: Omit<CallHour, 'configId' | 'hour'> & { users: number };
  lastWeek: CallTotals['lastDay'];
}

/** A user as the gateway passes it around. */
export interface UserRecord {
  id: string;
  email: string;
  role: Role;
  status: UserStatus;
  createdAt: Date;
  updatedAt: Date;
}

/** An API token, without its value. */
export interface ApiTokenRecord {
  id: string;
  userId: string;
  name: string;
  scopes: TokenScope[];
  /** Ids of the servers whose tools it can use. Null if it is not limited to some. */
  mcpServerIds: string[] | null;
  expiresAt: Date | null;
  revokedAt: Date | null;
  lastUsedAt: Date | null;
  createdAt: Date;
}

/** A session, without its cookie value. */
export interface SessionRecord {
  id: string;
  userId: string;
  apiTokenId: string | null;
  createdAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
}

/** A chat and its selected servers. */
export interface ChatRecord {
  id: string;
  ownerId: string;
  title: string;
  mcpServerIds: string[];
  createdAt: Date;
  updatedAt: Date;
}

/** A message in a chat. */
export interface ChatMessageRecord {
  id: string;
  chatId: string;
  createdAt: Date;
}

/** A message in a list. Its text is read separately: hundreds of long ones are too much to read at once. */
export interface ListedMessageRecord extends ChatMessageRecord {
  /** Size of the text in UTF-8. */
  contentBytes: number;
}

/** A message with its text. */
export interface FullMessageRecord extends ChatMessageRecord {
  content: string;
}

/** A change to a config, or to a user's connection to it. */
export interface ConfigChangeRecord {
  /** Numbers the changes without gaps, in commit order. */
  rev: bigint;
  kind: 'created' | 'updated' | 'deleted' | 'connection';
  configId: string;
  /** The user, if the change concerns a connection. */
  userId: string | null;
  /** Null where no config existed. */
  enabledBefore: boolean | null;
  enabledAfter: boolean | null;
  /** Database column names. */
  changedColumns: string[];
  /** The config after the change. Null after a deletion, and for a connection. Undefined if it was not read. */
  config: McpServerConfigRecord | null | undefined;
  occurredAt: Date;
}

/** The actions in the audit log, grouped by area. */
export const AUDIT_ACTIONS = [
  'mcpServerConfig.create',
  'mcpServerConfig.update',
  'mcpServerConfig.delete',
  'mcpServerConfig.discoverOAuth',
  'mcpServerConfig.test',
  'mcpServerTools.refresh',
  'mcpServerTools.approve',
  'mcpServerTools.change',
  'mcpTool.call',
  'mcpResource.read',
  'mcpPrompt.get',
  'mcpServerConnection.connect',
  'mcpServerConnection.disconnect',
  'mcpServerConnection.remove',
  'mcpServerConnection.refresh',
  'chat.create',
  'chat.update',
  'chat.delete',
  'chatMessage.create',
  'user.create',
  'user.update',
  'user.delete',
  'user.provision',
  'apiToken.create',
  'apiToken.revoke',
  'session.create',
  'session.end',
  'signInLink.create',
  'encryptionKey.add',
  'encryptionKey.rotate',
  'encryptionKey.verify',
  'encryptionKey.revoke',
  'auditLog.expire',
  'auditLog.verify',
  'access.denied',
] as const;
/** An action in the audit log. */
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** The outcome of an action. A denied or failed action changed nothing. */
export const AUDIT_OUTCOMES = ['success', 'denied', 'failed'] as const;
/** An outcome of an action. */
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

/** What an audit entry is about. */
export const AUDIT_TARGET_TYPES = [
  'mcp_server_config',
  'user',
  'api_token',
  'chat',
  'encryption_key',
  'operation',
] as const;
/** A type of audit target. */
export type AuditTargetType = (typeof AUDIT_TARGET_TYPES)[number];

/** A field that changed. For a secret or a private text, only the fact that it changed. */
export type FieldChange = { field: string; before: unknown; after: unknown } | { field: string; changed: true };

/** An entry of the audit log. */
export interface AuditEntryRecord {
  /** Numbers the entries without gaps. */
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

/** A page of a keyset-paginated list. */
export interface Page<Row> {
  rows: Row[];
  hasMore: boolean;
}

/** An approval of a tool as it is. */
export interface ToolApproval {
  name: string;
  digest: string;
}
