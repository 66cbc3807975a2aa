import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Store } from '../../data/store.ts';
import { DomainError } from '../../errors.ts';
import { NOBODY, type Viewer } from '../../policy/viewer.ts';
import { toIdentity } from './oidc-claims.ts';
import { loadIssuerKeys } from './oidc-discovery.ts';
import { isIssuerUrl, type OidcFetchOptions, OidcIssuerError } from './oidc-fetch.ts';
import { createIssuerKeys, OidcKeysUnavailable } from './oidc-keys.ts';
import type { OidcSettings } from './oidc-settings.ts';
import { assertAdmitted, provisionUser } from './provision-user.ts';

/** Asymmetric algorithms only: with HS256 the issuer's public key would serve as the secret (RFC 8725, section 3.1). */
export const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];
/** The allowed difference between the issuer's clock and ours, in seconds. */
export const CLOCK_TOLERANCE_SECONDS = 30;
const COOLDOWN_MS = 30_000;

/** Which tokens are accepted. */
export interface OidcVerifierOptions extends OidcFetchOptions {
  store: Pick<Store, 'users' | 'transaction'>;
  now: () => Date;
  /** The exact `iss` of accepted tokens. The metadata is found from it. https, or http on loopback. */
  issuer: string;
  /** A value that `aud` must contain, unless a request says otherwise. */
  audience: string;
  /** The claim that contains the role: a value, or an array of values of which the highest role counts. */
  roleClaim: string;
  /** See `OidcSettings`. Default: none, any, true. */
  roleMap?: OidcSettings['roleMap'];
  emailDomains?: OidcSettings['emailDomains'];
  allowsSignUp?: boolean;
  /** The minimum time between two fetches of the issuer's keys. Default 30 s. */
  cooldownMs?: number | undefined;
  /** Called when the issuer's keys are unavailable or unusable. The error contains nothing from a token. */
  onError?: ((error: OidcIssuerError) => void) | undefined;
}

/**
 * Resolves a JWT to its viewer; an invalid one gives the anonymous viewer. Rejects only on database errors.
 *
 * @param audiences `aud` must contain one of these. Default: the configured one
 */
export type OidcVerifier = (token: string, audiences?: readonly string[]) => Promise<Viewer>;

/**
 * Verifies JWTs of one issuer as bearer tokens (RFC 7519, RFC 9068, RFC 8725). The user is created on first sight, and
 * its role follows the tokens from then on. Nothing is fetched before the first token of this issuer arrives.
 *
 * @throws RangeError when the issuer is neither https nor loopback
 */
export function createOidcVerifier(options: OidcVerifierOptions): OidcVerifier {
  const { store, now, issuer, audience, roleClaim, roleMap, cooldownMs = COOLDOWN_MS } = options;
  const { emailDomains = [], allowsSignUp = true, onError = () => undefined } = options;
  const rules = { issuer, emailDomains, allowsSignUp };
  if (!isIssuerUrl(issuer)) throw new RangeError('the issuer must be an https URL, or http on loopback');
  const findKey = createIssuerKeys({ load: () => loadIssuerKeys(issuer, options), now, cooldownMs, onError });

  let keyReportedAt: number | undefined;
  /** Anybody can send tokens that name this key, so it is reported once per cooldown. */
  const reportUnusableKey = (): void => {
    const at = now().getTime();
    if (keyReportedAt !== undefined && Math.abs(at - keyReportedAt) < cooldownMs) return;
    keyReportedAt = at;
    onError(new OidcIssuerError(`a key of ${issuer} cannot be used`));
  };

  const verify = async (token: string, audiences: readonly string[]): Promise<JWTPayload | undefined> => {
    try {
      // Read without verification, only to reject: a token of another issuer must not trigger a fetch of this issuer's
      // keys.
      if (decodeJwt(token).iss !== issuer) return undefined;
      const { payload, protectedHeader } = await jwtVerify(token, findKey, {
        algorithms: ALGORITHMS,
        issuer,
        audience: [...audiences],
        requiredClaims: ['sub', 'exp'],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: now(),
      });
      return isAccessTokenType(protectedHeader.typ) ? payload : undefined;
    } catch (error) {
      // On any error the token is not accepted. Errors from jose are caused by the token. Others, such as an RSA key
      // that is too short, are caused by the issuer, and the operator should know about them.
      const isReported = error instanceof errors.JOSEError || error instanceof OidcKeysUnavailable;
      if (!isReported) reportUnusableKey();
      return undefined;
    }
  };

  return async (token, audiences = [audience]) => {
    const claims = await verify(token, audiences);
    const identity = claims === undefined ? undefined : toIdentity(claims, { issuer, roleClaim, roleMap });
    if (identity === undefined) return NOBODY;
    const { expiresAt } = identity;
    try {
      assertAdmitted(identity, rules);
      const user = await provisionUser(store, { ...identity, isSignIn: false }, { rules, now: now() });
      if (user?.status !== 'active') return NOBODY;
      return { kind: 'user', userId: user.id, role: user.role, credential: { kind: 'oidc', expiresAt } };
    } catch (error) {
      // They are not admitted, so they are nobody.
      if (error instanceof DomainError && error.code === 'FORBIDDEN') return NOBODY;
      throw error;
    }
  };
}

/**
 * RFC 9068, section 2.1, requires `at+jwt`; older issuers use `JWT` or nothing. Other types (`logout+jwt`, `dpop+jwt`,
 * …) were signed for another purpose.
 */
function isAccessTokenType(typ: unknown): boolean {
  if (typ === undefined) return true;
  return typeof typ === 'string' && /^(?:application\/)?(?:at\+)?jwt$/i.test(typ);
}
