import { decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from 'jose';
import { CREDENTIAL_LIMITS } from '../../limits/credential-limits.ts';
import { ALGORITHMS, CLOCK_TOLERANCE_SECONDS } from '../credentials/oidc.ts';
import { OidcIssuerError } from '../credentials/oidc-fetch.ts';
import { OidcKeysUnavailable } from '../credentials/oidc-keys.ts';

/** OpenID Connect Back-Channel Logout 1.0, section 2.4. */
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const LOGOUT_AGE_SECONDS = CREDENTIAL_LIMITS.oidcLogoutAge.value / 1_000;
/** OpenID Connect Core 1.0, section 2, limits `sub`; the same is enough for `sid`. */
const MAX_NAME = CREDENTIAL_LIMITS.oidcSubject.value;

/** A token of the issuer is not what it has to be. The message has the reason, and nothing of the token. */
export class IssuerTokenError extends Error {
  override readonly name = 'IssuerTokenError';
}

/** What tokens are verified against. */
export interface IssuerTokenOptions {
  issuer: string;
  clientId: string;
  findKey: JWTVerifyGetKey;
  now: () => Date;
}

/** Verifies the tokens that the issuer signs for the gateway as its client. */
export type IssuerTokens = ReturnType<typeof createIssuerTokens>;

/** Creates the verifier. Both functions throw IssuerTokenError, and OidcIssuerError when the issuer's keys are not available. */
export function createIssuerTokens({ issuer, clientId, findKey, now }: IssuerTokenOptions) {
  const verify = async (token: string, typ: RegExp, options: JWTVerifyOptions): Promise<JWTPayload> => {
    try {
      // Read without verification, only to reject: a token of another issuer must not trigger a fetch of keys.
      if (decodeJwt(token).iss !== issuer) throw new IssuerTokenError('it is of another issuer');
      const { payload, protectedHeader } = await jwtVerify(token, findKey, {
        algorithms: ALGORITHMS,
        issuer,
        audience: clientId,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: now(),
        ...options,
      });
      if (!typ.test(protectedHeader.typ ?? 'JWT')) throw new IssuerTokenError('it has another purpose');
      return payload;
    } catch (error) {
      if (error instanceof IssuerTokenError) throw error;
      if (error instanceof OidcKeysUnavailable) throw new OidcIssuerError('its keys are not available');
      // The messages of jose name claims, but not their values.
      throw new IssuerTokenError(error instanceof errors.JOSEError ? error.code : 'its key cannot be used');
    }
  };

  return {
    /** Verifies an ID token (OpenID Connect Core 1.0, section 3.1.3.7), with its signature and nonce. */
    async verifyIdToken(token: string, nonce: string): Promise<JWTPayload> {
      const claims = await verify(token, /^(?:application\/)?jwt$/i, {
        requiredClaims: ['sub', 'iat', 'exp', 'nonce'],
      });
      if (claims['nonce'] !== nonce) throw new IssuerTokenError('it is of another sign-in');
      const party = claims['azp'];
      if (party !== undefined && party !== clientId) throw new IssuerTokenError('it is for another client');
      return claims;
    },

    /** Verifies a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.6), except that it is used once. */
    async verifyLogoutToken(token: string): Promise<LogoutFacts> {
      const claims = await verify(token, /^(?:application\/)?(?:logout\+)?jwt$/i, {
        requiredClaims: ['iat', 'exp', 'jti', 'events'],
        maxTokenAge: LOGOUT_AGE_SECONDS,
      });
      const { events, nonce, jti, sub, sid } = claims;
      const event = Object(events)[LOGOUT_EVENT];
      if (typeof event !== 'object' || event === null) throw new IssuerTokenError('it is no logout token');
      // An ID token, which anybody with an account has, must not end sessions.
      if (nonce !== undefined) throw new IssuerTokenError('it has a nonce');
      const issuedAt = toDate(claims.iat);
      const facts = { jti: readName(jti), subject: readName(sub), sessionId: readName(sid), issuedAt };
      if (facts.jti === undefined) throw new IssuerTokenError('it has no jti');
      if (facts.subject === undefined && facts.sessionId === undefined) {
        throw new IssuerTokenError('it names neither a user nor a session');
      }
      return { ...facts, jti: facts.jti };
    },
  };
}

/** Whose sessions end. */
export interface LogoutFacts {
  jti: string;
  subject: string | undefined;
  sessionId: string | undefined;
  issuedAt: Date;
}

/** The time of a claim that was checked, by the issuer's clock. */
export function toDate(seconds: number | undefined): Date {
  return new Date((seconds ?? 0) * 1_000);
}

/** A name that the issuer gives, or undefined. */
export function readName(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME && !/[\0\p{Cs}]/u.test(value)
    ? value
    : undefined;
}
