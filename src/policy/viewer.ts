/** The roles a user can have. */
export const ROLES = ['admin', 'auditor', 'service', 'member'] as const;

/** The role of a user. */
export type Role = (typeof ROLES)[number];

/** What an API token can be used for: `graph` is everything except the tools, `mcp` is the tools. */
export const TOKEN_SCOPES = ['graph', 'mcp'] as const;

/** A scope of an API token. */
export type TokenScope = (typeof TOKEN_SCOPES)[number];

/** What an API token is limited to, and with it the sessions that it opens. */
export interface TokenGrant {
  readonly scopes: readonly TokenScope[];
  /** Ids of the servers whose tools it can use. Null if it is not limited to some. */
  readonly mcpServerIds: readonly string[] | null;
  readonly expiresAt: Date | null;
}

/** How the caller authenticated. `grant` is null for a session that no API token opened. */
export type Credential =
  | { kind: 'bootstrap' }
  | { kind: 'apiToken'; apiTokenId: string; expiresAt: Date | null; grant: TokenGrant }
  | { kind: 'oidc'; expiresAt: Date }
  | { kind: 'session'; sessionId: string; expiresAt: Date; grant: TokenGrant | null };

/** The caller. `nobody` is unauthenticated and has no permissions. `system` is the gateway itself, never a request. */
export type Viewer =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'user'; readonly userId: string; readonly role: Role; readonly credential: Credential }
  | { readonly kind: 'system' };

/** A caller without a valid credential. */
export const NOBODY: Viewer = { kind: 'nobody' };

/** The gateway itself, e.g. when it looks up a credential or writes its key registry. Limited to `system` actions. */
export const SYSTEM: Viewer = { kind: 'system' };

/** The viewer's user id; undefined for `nobody` and `system`. */
export function viewerUserId(viewer: Viewer): string | undefined {
  return viewer.kind === 'user' ? viewer.userId : undefined;
}
