/** What a user can be. */
export const ROLES = ['admin', 'auditor', 'service', 'member'] as const;

/** One of the roles. */
export type Role = (typeof ROLES)[number];

/** How a caller proved who he is. */
export type Credential =
  | { kind: 'bootstrap' }
  | { kind: 'apiToken'; apiTokenId: string; expiresAt: Date | null }
  | { kind: 'oidc'; expiresAt: Date }
  | { kind: 'session'; sessionId: string; expiresAt: Date };

/** Who calls. `nobody` is a null object: it may nothing. `system` is the gateway itself, never made from a request. */
export type Viewer =
  | { readonly kind: 'nobody' }
  | { readonly kind: 'user'; readonly userId: string; readonly role: Role; readonly credential: Credential }
  | { readonly kind: 'system' };

/** The caller without a good credential. */
export const NOBODY: Viewer = { kind: 'nobody' };

/** The gateway's own doings: to look up a credential, to write its key registry. Reaches only `system` actions. */
export const SYSTEM: Viewer = { kind: 'system' };

/** The viewer's user id, or undefined for nobody and the system. */
export function viewerUserId(viewer: Viewer): string | undefined {
  return viewer.kind === 'user' ? viewer.userId : undefined;
}
