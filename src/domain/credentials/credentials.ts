import type { Caches } from '../../cache/caches.ts';
import type { Secret } from '../../crypto/secret.ts';
import type { Memory } from '../../data/memory/memory.ts';
import type { Quotas } from '../../limits/quotas.ts';
import type { SafeFetch } from '../../outbound/safe-fetch.ts';
import type { Viewer } from '../../policy/viewer.ts';
import { createApiTokenService } from './api-token-service.ts';
import { createAuthentication } from './authentication.ts';
import { createBootstrapDigest, createBootstrapVerifier } from './bootstrap-admin.ts';
import { createGuessLimit } from './guess-limit.ts';
import { createOidcVerifier, type OidcSettings } from './oidc.ts';
import { createSessionService } from './session-service.ts';
import { createSignInLinks } from './sign-in-links.ts';
import { createViewerRenewal, type FollowedViewer, followViewer } from './viewer-renewal.ts';

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
  publicUrl: string;
  now: () => Date;
}) {
  const { memory, adminToken, oidc, issuerFetch, onIssuerError, caches, quotas, publicUrl, now } = options;
  const { store, reader } = memory;
  const guesses = createGuessLimit({ caches, now });
  const renewViewer = createViewerRenewal({ store, now });
  const verifyOidc = oidc && createOidcVerifier({ ...oidc, fetch: issuerFetch, store, now, onError: onIssuerError });
  return {
    authentication: createAuthentication({
      store,
      now,
      verifyBootstrap: createBootstrapVerifier({ store, adminToken }),
      verifyOidc,
      guesses,
    }),
    sessions: createSessionService({
      store,
      now,
      bootstrapDigest: createBootstrapDigest(adminToken),
      guesses,
      maxPerUser: quotas.sessionsPerUser,
    }),
    apiTokens: createApiTokenService({ store, now, quotas }),
    signInLinks: createSignInLinks({ store, publicUrl, now }),
    renewViewer,
    /** Returns the current state of a viewer whose connection outlives a request. */
    followViewer: (viewer: Viewer): FollowedViewer => followViewer(viewer, { renewViewer, changes: reader, now }),
  };
}
