/** The roles a user can have. */
export const ROLES = ['admin', 'auditor', 'service', 'member'] as const;

/** The role of a user. */
export type Role = (typeof ROLES)[number];

/** How the caller authenticated. */
export type Credential =
  | { kind: 'bootstrap' }
  | { kind: 'apiToken'; apiTokenId: string; expiresAt: Date | null }
  | { kind: 'oidc'; expiresAt: Date }
  | { kind: 'session'; sessionId: string; expiresAt: Date };

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
