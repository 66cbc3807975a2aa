import { CREDENTIAL_LIMITS } from '../../limits/credential-limits.ts';
import type { Viewer } from '../../policy/viewer.ts';
import type { Cursors } from '../cursors.ts';

const KIND = 'id-token-hint';
/** A cookie has at most 4,096 bytes (RFC 6265, section 6.1), and sealing makes the token a third longer. */
const MAX_LENGTH = CREDENTIAL_LIMITS.idTokenHint.value;
const SEALED_LENGTH = Math.ceil(((MAX_LENGTH + 64) * 4) / 3);

/**
 * Seals an ID token for a cookie. When its user signs out, it tells the provider who that is (`id_token_hint`, OpenID Connect
 * RP-Initiated Logout 1.0, section 2). The gateway itself keeps it nowhere.
 *
 * @returns undefined if the token is too long for a cookie
 */
export function sealIdTokenHint(cursors: Cursors, viewer: Viewer, idToken: string): string | undefined {
  if (idToken.length > MAX_LENGTH) return undefined;
  return cursors.sealUnique(viewer, KIND, Buffer.from(idToken));
}

/** Opens the cookie for the user who got it. Undefined for anybody else, and for any other text. */
export function openIdTokenHint(cursors: Cursors, viewer: Viewer, cookie: string): string | undefined {
  const bytes = cursors.open(viewer, KIND, cookie, SEALED_LENGTH);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
}
