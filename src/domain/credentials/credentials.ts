import type { Caches } from '../../cache/caches.ts';
import type { Secret } from '../../crypto/secret.ts';
import type { Memory } from '../../data/memory/memory.ts';
import type { Quotas } from '../../limits/quotas.ts';
import type { SafeFetch } from '../../outbound/safe-fetch.ts';
import type { Cursors } from '../cursors.ts';
import { createOidcSignIn } from '../sign-in/oidc-sign-in.ts';
import { createApiTokenService } from './api-token-service.ts';
import { createAuthentication } from './authentication.ts';
import { createBootstrapDigest, createBootstrapVerifier } from './bootstrap-admin.ts';
import { createGuessLimit } from './guess-limit.ts';
import { createOidcVerifier } from './oidc.ts';
import type { OidcSettings } from './oidc-settings.ts';
import { createSessionService } from './session-service.ts';
import { createSignInLinks } from './sign-in-links.ts';
import { createViewerFollowing, createViewerRenewal } from './viewer-renewal.ts';

/** Creates the services that identify callers. */
export function createCredentials(options: {
  memory: Pick<Memory, 'store' | 'reader'>;
  adminToken: Secret;
  /** Absent when no issuer is configured. */
  oidc: OidcSettings | undefined;
  /** Fetches from the issuer. */
  issuerFetch: SafeFetch;
  onIssuerError: (error: unknown) => void;
  caches: Caches;
  quotas: Quotas;
  /** The longest life of a new API token. If absent, one need not expire. */
  apiTokenMaxDays: number | undefined;
  cursors: Cursors;
  publicUrl: string;
  now: () => Date;
}) {
  const { memory, adminToken, oidc, issuerFetch, onIssuerError, caches, quotas, publicUrl, now } = options;
  const { cursors } = options;
  const { store, reader } = memory;
  const guesses = createGuessLimit({ caches, store, perMinute: quotas.wrongCredentialsPerMinute, now });
  const renewViewer = createViewerRenewal({ store, now });
  const verifyOidc =
    oidc?.audience === undefined
      ? undefined
      : createOidcVerifier({
          ...oidc,
          audience: oidc.audience,
          fetch: issuerFetch,
          store,
          now,
          onError: onIssuerError,
        });
  const sessions = createSessionService({
    store,
    now,
    bootstrapDigest: createBootstrapDigest(adminToken),
    guesses,
    maxPerUser: quotas.sessionsPerUser,
  });
  const signIn = oidc?.signIn;
  return {
    authentication: createAuthentication({
      store,
      now,
      verifyBootstrap: createBootstrapVerifier({ store, adminToken }),
      verifyOidc,
      guesses,
    }),
    sessions,
    /** Undefined when browsers cannot sign in at an OpenID Connect provider. */
    oidcSignIn:
      oidc === undefined || signIn === undefined
        ? undefined
        : createOidcSignIn({
            settings: { ...oidc, signIn },
            publicUrl,
            fetch: issuerFetch,
            store,
            sessions,
            cursors,
            guesses,
            now,
            onError: onIssuerError,
          }),
    apiTokens: createApiTokenService({ store, now, quotas, maxDays: options.apiTokenMaxDays }),
    signInLinks: createSignInLinks({ store, publicUrl, now }),
    renewViewer,
    /** Returns the current state of a viewer whose connection outlives a request. */
    followViewer: createViewerFollowing({ renewViewer, changes: reader, now }),
  };
}
