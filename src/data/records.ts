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

/** One page of a keyset-paginated list. */
export interface Page<Row> {
  rows: Row[];
  hasMore: boolean;
}
