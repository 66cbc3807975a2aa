import type { SafeFetch } from '../../../outbound/safe-fetch.ts';
import type { IsAllowedPrivateHost } from '../../validation/url.ts';
import { type AuthorizationServer, DEFAULT_AUTH_METHODS, findAuthorizationServer } from './authorization-server.ts';
import type { DiscoveryPart, DiscoveryStep } from './discovery-report.ts';

/** The origin of an MCP server as its authorization server. */
export type OriginServer = AuthorizationServer & { isAssumed: boolean };

/**
 * Finds the authorization server of an MCP server without protected resource metadata: its own origin, as in the revision
 * 2025-03-26 of MCP ("Server Metadata Discovery", "Fallbacks for Servers without Metadata Discovery"). The issuer in the
 * metadata must be the origin. If there is no metadata at all, and the server asked for a token, its default endpoints are
 * assumed: they are at the origin, too, so nothing goes to another host.
 *
 * @param options.isChallenged whether the server answered 401
 */
export async function findOriginServer(options: {
  fetch: SafeFetch;
  serverUrl: string;
  isChallenged: boolean;
  isAllowedPrivateHost: IsAllowedPrivateHost;
}): Promise<DiscoveryPart<OriginServer>> {
  const { fetch, serverUrl, isChallenged, isAllowedPrivateHost } = options;
  const { origin } = new URL(serverUrl);
  const part = await findAuthorizationServer({ fetch, issuer: origin, isAllowedPrivateHost });
  if (part.found !== null) return { ...part, found: { ...part.found, isAssumed: false } };
  const isAbsent = part.steps.every(({ outcome }) => outcome === 'absent');
  if (!isAbsent || !isChallenged) return { ...part, found: null };
  const found = toDefaultServer(origin);
  const message = 'The MCP server has no metadata, so the default endpoints of MCP 2025-03-26 are used.';
  const step: DiscoveryStep = {
    name: 'authorization_server_metadata',
    url: found.authorizationEndpoint,
    outcome: 'found',
    message,
  };
  return { steps: [...part.steps, step], found, problems: [] };
}

function toDefaultServer(origin: string): OriginServer {
  return {
    issuer: origin,
    authorizationEndpoint: `${origin}/authorize`,
    tokenEndpoint: `${origin}/token`,
    revocationEndpoint: '',
    registrationEndpoint: `${origin}/register`,
    isIssParameterSupported: false,
    tokenAuthMethods: DEFAULT_AUTH_METHODS,
    revocationAuthMethods: DEFAULT_AUTH_METHODS,
    supportedScopes: [],
    isClientIdMetadataDocumentSupported: false,
    isAssumed: true,
  };
}
