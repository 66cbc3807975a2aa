import type { JWTPayload } from 'jose';
import { calculatePKCECodeChallenge } from 'oauth4webapi';
import type { Store } from '../../data/store.ts';
import { DomainError, forbidden, validationFailed } from '../../errors.ts';
import type { SafeFetch } from '../../outbound/safe-fetch.ts';
import { type Role, SYSTEM, type Viewer } from '../../policy/viewer.ts';
import type { GuessLimit } from '../credentials/guess-limit.ts';
import { toIdentity } from '../credentials/oidc-claims.ts';
import { loadIssuerKeys } from '../credentials/oidc-discovery.ts';
import { OidcIssuerError } from '../credentials/oidc-fetch.ts';
import { createIssuerKeys } from '../credentials/oidc-keys.ts';
import type { OidcSettings, OidcSignInSettings } from '../credentials/oidc-settings.ts';
import { assertAdmitted, provisionUser } from '../credentials/provision-user.ts';
import type { OpenedSession, SessionService } from '../credentials/session-service.ts';
import { hashToken } from '../credentials/token-format.ts';
import type { Cursors } from '../cursors.ts';
import { readAuthorizationAnswer } from '../oauth/authorization-answer.ts';
import { createBackchannelLogout } from './backchannel-logout.ts';
import { CodeRefusedError, createCodeExchange } from './code-exchange.ts';
import { openIdTokenHint, sealIdTokenHint } from './id-token-hint.ts';
import { createIssuerTokens, IssuerTokenError, readName, toDate } from './issuer-tokens.ts';
import {
  createPendingSignIn,
  isStateOf,
  openPendingSignIn,
  type PendingSignIn,
  sealPendingSignIn,
} from './pending-sign-in.ts';
import { createProviderMetadata, type ProviderMetadata } from './provider-metadata.ts';
import { createRecentLogouts } from './recent-logouts.ts';
import { parseReturnPath } from './return-path.ts';

/** The paths of the callback, and of the page after signing out at the provider. Both are registered there. */
export const SIGN_IN_CALLBACK_PATH = '/auth/oidc/callback';
/** See above. */
export const SIGNED_OUT_PATH = '/auth/signed-out';

/**
 * Tokens of the client's own requests, and logout tokens, may have keys that are a moment old. Anybody can send logout
 * tokens, so keys are not fetched more often than this.
 */
const KEY_COOLDOWN_MS = 5_000;
const HOUR_MS = 3_600_000;

/** What the sign-in works with. */
export interface OidcSignInOptions {
  settings: OidcSettings & { signIn: OidcSignInSettings };
  publicUrl: string;
  fetch: SafeFetch;
  store: Store;
  sessions: SessionService;
  cursors: Cursors;
  guesses: GuessLimit;
  now: () => Date;
  /** Called with what the operator should know about the provider. Contains nothing of a token. */
  onError: (error: unknown) => void;
}

/** Signs browsers in at the operator's OpenID Connect provider. */
export type OidcSignIn = ReturnType<typeof createOidcSignIn>;

/**
 * Creates the service: the authorization code flow with PKCE (S256), state and nonce (OpenID Connect Core 1.0, section 3.1;
 * RFC 9700). See ADR 12.
 */
export function createOidcSignIn(options: OidcSignInOptions) {
  const { settings, publicUrl, fetch, store, sessions, cursors, guesses, now, onError } = options;
  const { issuer, signIn } = settings;
  const { clientId, scopes, label, sessionHours } = signIn;
  const redirectUri = `${publicUrl}${SIGN_IN_CALLBACK_PATH}`;
  const readMetadata = createProviderMetadata(issuer, { fetch, now });
  const load = () => loadIssuerKeys(issuer, { fetch });
  const findKey = createIssuerKeys({ load, now, cooldownMs: KEY_COOLDOWN_MS, onError });
  const tokens = createIssuerTokens({ issuer, clientId, findKey, now });
  const logouts = createRecentLogouts({ issuer, now });
  const codes = createCodeExchange({ ...signIn, issuer, redirectUri, fetch });

  /** Converts what the provider does to what the person can do about it. */
  const toOwnError = (error: unknown): unknown => {
    if (error instanceof CodeRefusedError) return refused('CODE_REFUSED', CODE_REFUSED);
    if (!(error instanceof IssuerTokenError || error instanceof OidcIssuerError)) return error;
    onError(new OidcIssuerError(`a sign-in at ${issuer} failed: ${error.message}`));
    return error instanceof IssuerTokenError
      ? refused('ID_TOKEN_INVALID', ID_TOKEN_INVALID)
      : new DomainError('UPSTREAM_FAILED', `${label} does not answer as it should at the moment. Try again.`);
  };

  const readAnswer = (answer: URLSearchParams, cookie: string | undefined): PendingSignIn => {
    const pending = openPendingSignIn(cursors, cookie);
    if (pending === undefined || !isStateOf(pending, answer.get('state'))) throw refused('STATE_INVALID', UNKNOWN);
    if (pending.expiresAt <= now()) throw refused('STATE_EXPIRED', 'This sign-in took too long. Start again.');
    return pending;
  };

  const exchange = async (metadata: ProviderMetadata, code: string, pending: PendingSignIn) => {
    const { state, codeVerifier, nonce } = pending;
    const given = await codes.exchange(metadata, { code, state, codeVerifier, nonce });
    const claims = await tokens.verifyIdToken(given.idToken, nonce);
    return { claims: mergeClaims(claims, await codes.fetchClaims(metadata, given)), idToken: given.idToken };
  };

  const findUser = async (claims: JWTPayload): Promise<{ id: string; role: Role }> => {
    const identity = toIdentity(claims, settings);
    if (identity === undefined) throw new IssuerTokenError('its subject cannot be used');
    assertAdmitted(identity, settings);
    const user = await provisionUser(store, { ...identity, isSignIn: true }, { rules: settings, now: now() });
    if (user === null) throw forbidden('Your user was deleted a moment ago. Try again.');
    if (user.status !== 'active') throw forbidden(SUSPENDED);
    return user;
  };

  return {
    /** What the button calls the provider. */
    label,

    /**
     * Begins a sign-in.
     *
     * @param returnTo where the browser wants to go afterwards; only paths of the gateway count
     * @returns where the browser goes, and the cookie that it needs when it comes back with this state
     * @throws UPSTREAM_FAILED when the provider is away
     */
    async start(
      returnTo: string | undefined,
    ): Promise<{ url: string; state: string; cookie: string; expiresAt: Date }> {
      const pending = createPendingSignIn(parseReturnPath(returnTo), now());
      const { state, nonce, codeVerifier, expiresAt } = pending;
      try {
        const url = new URL((await readMetadata()).authorizationUrl);
        const parameters = {
          response_type: 'code',
          client_id: clientId,
          redirect_uri: redirectUri,
          scope: scopes.join(' '),
          state,
          nonce,
          code_challenge: await calculatePKCECodeChallenge(codeVerifier),
          code_challenge_method: 'S256',
        };
        for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
        return { url: url.href, state, cookie: sealPendingSignIn(cursors, pending), expiresAt };
      } catch (error) {
        throw toOwnError(error);
      }
    },

    /**
     * Finishes a sign-in, and opens a session. Nothing of the answer counts before it is known to belong to this browser.
     * The hint is for a cookie that only signing out reads.
     *
     * @param answer the query of the redirect, as received
     * @throws VALIDATION_FAILED, FORBIDDEN, UPSTREAM_FAILED; RATE_LIMITED after too many wrong codes of one network
     */
    async finish(
      answer: URLSearchParams,
      cookie: string | undefined,
    ): Promise<{ opened: OpenedSession; hint: string | undefined; returnTo: string }> {
      const pending = readAnswer(answer, cookie);
      try {
        const metadata = await readMetadata();
        const code = readAuthorizationAnswer(answer, { issuer, isIssRequired: metadata.isIssRequired });
        const toClaims = () => exchange(metadata, code, pending);
        const { claims, idToken } = await guesses.attempt(
          code,
          () => toClaims().catch(countRefusal),
          () => true,
        );
        // Only what the provider vouched for is remembered, so nobody else can fill the table.
        const digest = hashToken(`sign-in ${pending.state}`);
        const use = { digest, expiresAt: pending.expiresAt, now: now() };
        if (!(await store.sessions.useOnce(SYSTEM, use))) throw refused('STATE_INVALID', UNKNOWN);
        const user = await findUser(claims);
        const sessionId = readName(claims['sid']);
        const made = {
          subject: claims.sub ?? '',
          sessionId,
          startedAt: pending.startedAt,
          issuedAt: toDate(claims.iat),
        };
        const opened = await sessions.openBySignIn(user, {
          issuer,
          sessionId: sessionId ?? null,
          lifetimeMs: sessionHours * HOUR_MS,
          async assertLive(tx) {
            if (await logouts.isOver(tx, made)) throw refused('SIGNED_OUT', SIGNED_OUT);
          },
        });
        const credential = { kind: 'oidc', expiresAt: opened.expiresAt } as const;
        const viewer = { kind: 'user', userId: user.id, role: user.role, credential } as const;
        return { opened, hint: sealIdTokenHint(cursors, viewer, idToken), returnTo: pending.returnTo };
      } catch (error) {
        throw toOwnError(error);
      }
    },

    /** When the sign-in of a cookie ends. Undefined if the gateway did not make it. */
    readExpiry: (cookie: string): Date | undefined => openPendingSignIn(cursors, cookie)?.expiresAt,

    /** Where a sign-in that failed wanted to return to, for another try. */
    readReturnPath(cookie: string | undefined): string {
      return openPendingSignIn(cursors, cookie)?.returnTo ?? parseReturnPath(undefined);
    },

    /**
     * Where a browser signs out at the provider, too (OpenID Connect RP-Initiated Logout 1.0). Undefined when it has no such
     * place, or is away.
     *
     * @param hint who signs out, with the cookie that their sign-in left. Without it, the provider may have to ask
     */
    async readEndSessionUrl(hint?: { viewer: Viewer; cookie: string }): Promise<string | undefined> {
      const { endSessionUrl } = await readMetadata().catch(() => ({ endSessionUrl: undefined }));
      if (endSessionUrl === undefined) return undefined;
      const url = new URL(endSessionUrl);
      url.searchParams.set('client_id', clientId);
      const idToken = hint === undefined ? undefined : openIdTokenHint(cursors, hint.viewer, hint.cookie);
      if (idToken !== undefined) url.searchParams.set('id_token_hint', idToken);
      url.searchParams.set('post_logout_redirect_uri', `${publicUrl}${SIGNED_OUT_PATH}`);
      return url.href;
    },

    ...createBackchannelLogout({ issuer, tokens, logouts, store, guesses, now, onError }),
  };
}

const UNKNOWN = 'This sign-in was not started in this browser, or was already used. Start again.';
const CODE_REFUSED = 'The provider does not accept this sign-in any more. Start again.';
const ID_TOKEN_INVALID =
  'The answer of the provider could not be verified, so nobody was signed in. Start again; if that does not help, tell the operator.';
const SIGNED_OUT = 'The provider signed you out while you signed in here, so nobody was signed in. Start again.';
const SUSPENDED = 'Your user is suspended. Ask an admin of this gateway.';

function refused(code: string, message: string): DomainError {
  return validationFailed([{ path: [], code, message }]);
}

/** A wrong code counts as a guess: each one makes the gateway call the provider. */
function countRefusal(error: unknown): never {
  if (error instanceof CodeRefusedError) throw refused('CODE_REFUSED', CODE_REFUSED);
  throw error;
}

/**
 * The claims of both sources. The ID token is signed, so it comes first, except that an address and whether it is verified
 * come from the same source.
 */
function mergeClaims(idToken: JWTPayload, userinfo: Record<string, unknown>): JWTPayload {
  const { email, email_verified } = userinfo['email'] === undefined ? idToken : userinfo;
  return { ...userinfo, ...idToken, email, email_verified };
}
