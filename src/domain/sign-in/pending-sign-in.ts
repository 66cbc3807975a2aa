import { timingSafeEqual } from 'node:crypto';
import { CREDENTIAL_LIMITS } from '../../limits/credential-limits.ts';
import { NOBODY } from '../../policy/viewer.ts';
import { generateOpaqueToken } from '../credentials/token-format.ts';
import type { Cursors } from '../cursors.ts';

const KIND = 'oidc-sign-in';
const AGE_MS = CREDENTIAL_LIMITS.oidcSignInAge.value;

/**
 * A sign-in that a browser has begun. All of it is in a sealed cookie of that browser: the gateway keeps nothing, so
 * nobody can fill its memory or its database by beginning sign-ins.
 */
export interface PendingSignIn {
  /** Comes back in the address (RFC 6749, section 10.12). */
  state: string;
  /** Comes back in the ID token (OpenID Connect Core 1.0, section 3.1.2.1). */
  nonce: string;
  /** PKCE (RFC 7636). */
  codeVerifier: string;
  returnTo: string;
  startedAt: Date;
  expiresAt: Date;
}

/** Begins a sign-in. */
export function createPendingSignIn(returnTo: string, now: Date): PendingSignIn {
  const [state = '', nonce = '', codeVerifier = ''] = [1, 2, 3].map(() => generateOpaqueToken().expose());
  return { state, nonce, codeVerifier, returnTo, startedAt: now, expiresAt: new Date(now.getTime() + AGE_MS) };
}

/** Seals a sign-in for the cookie: at most 1,024 characters, and every replica can open it. */
export function sealPendingSignIn(cursors: Cursors, pending: PendingSignIn): string {
  const { state, nonce, codeVerifier, returnTo, expiresAt } = pending;
  const fields = [state, nonce, codeVerifier, expiresAt.getTime(), returnTo];
  return cursors.sealUnique(NOBODY, KIND, Buffer.from(JSON.stringify(fields)));
}

/** Opens a cookie. Undefined if the gateway did not make it. */
export function openPendingSignIn(cursors: Cursors, cookie: string | undefined): PendingSignIn | undefined {
  const bytes = cookie === undefined ? undefined : cursors.open(NOBODY, KIND, cookie);
  if (bytes === undefined) return undefined;
  // Sealed by the gateway, so it has this form.
  const fields = JSON.parse(Buffer.from(bytes).toString('utf8')) as [string, string, string, number, string];
  const [state, nonce, codeVerifier, expiry, returnTo] = fields;
  const startedAt = new Date(expiry - AGE_MS);
  return { state, nonce, codeVerifier, returnTo, startedAt, expiresAt: new Date(expiry) };
}

/** Whether an answer belongs to the sign-in. */
export function isStateOf({ state }: PendingSignIn, given: string | null): boolean {
  const [expected, actual] = [Buffer.from(state), Buffer.from(given ?? '')];
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
