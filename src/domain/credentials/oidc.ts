import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import type { UserRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { NOBODY, SYSTEM, type Viewer } from '../../policy/viewer.ts';
import { type OidcIdentity, toIdentity } from './oidc-claims.ts';
import { loadIssuerKeys } from './oidc-discovery.ts';
import { isIssuerUrl, type OidcFetchOptions, OidcIssuerError } from './oidc-fetch.ts';
import { createIssuerKeys, OidcKeysUnavailable } from './oidc-keys.ts';

/** Asymmetric only: with HS256 the issuer's public key would be the secret (RFC 8725, section 3.1). */
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];
/** How far the issuer's clock may be from ours, in seconds. */
const CLOCK_TOLERANCE_SECONDS = 30;
const COOLDOWN_MS = 30_000;

/** Whose tokens are good, and for what. */
export interface OidcVerifierOptions extends OidcFetchOptions {
  store: Pick<Store, 'users' | 'transaction'>;
  now: () => Date;
  /** The `iss` of good tokens, letter by letter; its metadata is found from here. https, or http on loopback. */
  issuer: string;
  /** What the `aud` of good tokens has to contain. */
  audience: string;
  /** The claim that has the role: a name, or an array of names of which the highest counts. */
  roleClaim: string;
  /** No new fetch of the issuer's keys earlier than this after the last one. By default 30 s. */
  cooldownMs?: number | undefined;
  /** Told why the issuer's keys cannot be had or used. Carries nothing of a token. */
  onError?: ((error: OidcIssuerError) => void) | undefined;
}

/** Who holds a JWT; nobody when it is not good. Rejects only when the database does. */
export type OidcVerifier = (token: string) => Promise<Viewer>;

/**
 * Verifies JWTs of one issuer as bearer tokens (RFC 7519, RFC 9068, RFC 8725). A user's row is made on first sight, and
 * its role follows the tokens from then on. Nothing is fetched before the first token of this issuer comes.
 *
 * @throws RangeError when the issuer is neither https nor loopback
 */
export function createOidcVerifier(options: OidcVerifierOptions): OidcVerifier {
  const { store, now, issuer, audience, roleClaim, cooldownMs = COOLDOWN_MS, onError = () => undefined } = options;
  if (!isIssuerUrl(issuer)) throw new RangeError('the issuer has to be an https URL, or http on loopback');
  const findKey = createIssuerKeys({ load: () => loadIssuerKeys(issuer, options), now, cooldownMs, onError });

  const verify = async (token: string): Promise<JWTPayload | undefined> => {
    try {
      // Unverified, and only to turn away: a foreign token is no reason to fetch this issuer's keys.
      if (decodeJwt(token).iss !== issuer) return undefined;
      const { payload, protectedHeader } = await jwtVerify(token, findKey, {
        algorithms: ALGORITHMS,
        issuer,
        audience,
        requiredClaims: ['sub', 'exp'],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: now(),
      });
      return isAccessTokenType(protectedHeader.typ) ? payload : undefined;
    } catch (error) {
      // Whatever went wrong, nothing is proven. Errors of jose are the token's fault; others, such as an RSA key that is
      // too short, are the issuer's, and its operator will want to know.
      const isReported = error instanceof errors.JOSEError || error instanceof OidcKeysUnavailable;
      if (!isReported) onError(new OidcIssuerError(`a key of ${issuer} cannot be used`));
      return undefined;
    }
  };

  /** Makes the user, or takes over the role that his token has, and writes that down. */
  const provision = (known: UserRecord | null, facts: Omit<OidcIdentity, 'expiresAt'>): Promise<UserRecord | null> =>
    store.transaction(async (tx) => {
      const user = await tx.users.provisionOidc(SYSTEM, { issuer, ...facts });
      if (user === null) return null;
      await tx.audit.append(SYSTEM, {
        actor: SYSTEM,
        action: 'user.provision',
        target: { type: 'user', id: user.id, label: user.email },
        changes: [{ field: 'role', before: known?.role ?? null, after: user.role }],
      });
      return user;
    });

  return async (token) => {
    const claims = await verify(token);
    const identity = claims === undefined ? undefined : toIdentity(claims, issuer, roleClaim);
    if (identity === undefined) return NOBODY;
    const { expiresAt, ...facts } = identity;
    const known = await store.users.findOidc(SYSTEM, { issuer, ...facts });
    const user = known?.role === facts.role ? known : await provision(known, facts);
    if (user?.status !== 'active') return NOBODY;
    return { kind: 'user', userId: user.id, role: user.role, credential: { kind: 'oidc', expiresAt } };
  };
}

/**
 * RFC 9068, section 2.1, says `at+jwt`; older issuers say `JWT` or nothing. Other types (`logout+jwt`, `dpop+jwt`, …)
 * were signed for another purpose.
 */
function isAccessTokenType(typ: unknown): boolean {
  if (typ === undefined) return true;
  return typeof typ === 'string' && /^(?:application\/)?(?:at\+)?jwt$/i.test(typ);
}
