import { forbidden } from '../errors.ts';
import type { TokenGrant, TokenScope, Viewer } from './viewer.ts';

/** The limits of the API token that the viewer uses, also through a session. Null when there are none. */
export function grantOf(viewer: Viewer): TokenGrant | null {
  if (viewer.kind !== 'user') return null;
  const { credential } = viewer;
  return credential.kind === 'apiToken' || credential.kind === 'session' ? credential.grant : null;
}

/** Whether the viewer's credential can be used for this. Most credentials have no limits. */
export function hasScope(viewer: Viewer, scope: TokenScope): boolean {
  return grantOf(viewer)?.scopes.includes(scope) ?? true;
}

/** @throws FORBIDDEN if the viewer's credential is not for this */
export function assertScope(viewer: Viewer, scope: TokenScope): void {
  if (!hasScope(viewer, scope)) throw outOfScope(scope);
}

/** The error for a credential that is not for this. */
export function outOfScope(scope: TokenScope): Error {
  const name = scope.toUpperCase();
  return forbidden(`Your API token is not for this. Use a token with the scope ${name}.`);
}
