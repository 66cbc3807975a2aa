import type { McpTransport } from '../../../data/records.ts';
import type { SafeFetch } from '../../../outbound/safe-fetch.ts';
import type { IsAllowedPrivateHost } from '../../validation/url.ts';
import { findAuthorizationServer } from './authorization-server.ts';
import type { DiscoveryReport } from './discovery-report.ts';
import { findProtectedResource } from './protected-resource.ts';
import { requestChallenge } from './request-challenge.ts';
import { selectScopes, toTokenList } from './token-list.ts';

/** What a discovery needs. */
export interface DiscoverProviderOptions {
  fetch: SafeFetch;
  /** The MCP server's URL, as a config has it: already checked. */
  serverUrl: string;
  transport: McpTransport;
  /** Which hosts may be named with http, beside loopback. */
  isAllowedPrivateHost: IsAllowedPrivateHost;
  /** Scopes that the admin chose. When there are some, exactly these are asked for, whatever the servers list. */
  knownScopes?: readonly string[];
}

/**
 * Finds the authorization server of an MCP server as the Model Context Protocol says (2026-07-28, Authorization Server
 * Discovery): challenge, protected resource metadata (RFC 9728), authorization server metadata (RFC 8414, OpenID
 * Connect Discovery 1.0). At most six requests, none of them with a credential.
 *
 * Everything comes from servers that nobody vouches for, and each part names where the next is asked: see
 * `outside-url.ts` for what a URL has to be, and `SafeFetch` for which addresses are called.
 *
 * @returns the report, also of anything that the other side does wrong; nothing is thrown for that
 */
export async function discoverProvider(options: DiscoverProviderOptions): Promise<DiscoveryReport> {
  const { fetch, serverUrl, isAllowedPrivateHost, knownScopes = [] } = options;
  const challenge = await requestChallenge(options);
  if (challenge.found === null) return { steps: challenge.steps, provider: null, problems: challenge.problems };

  const { metadataUrl } = challenge.found;
  const protectedResource = await findProtectedResource({ fetch, serverUrl, metadataUrl, isAllowedPrivateHost });
  const steps = [...challenge.steps, ...protectedResource.steps];
  if (protectedResource.found === null) {
    // That the server itself did not answer says more than that its metadata did not.
    const silence = challenge.steps.filter(({ outcome }) => outcome === 'failed').map(({ message }) => message);
    return { steps, provider: null, problems: [...silence, ...protectedResource.problems] };
  }

  const { issuer, resource, scopes } = protectedResource.found;
  const server = await findAuthorizationServer({ fetch, issuer, isAllowedPrivateHost });
  steps.push(...server.steps);
  if (server.found === null) return { steps, provider: null, problems: server.problems };

  const { supportedScopes, ...provider } = server.found;
  const selected = selectScopes({ challenge: challenge.found.scopes, resource: scopes, supported: supportedScopes });
  return {
    steps,
    provider: { ...provider, resource, scopes: knownScopes.length > 0 ? toTokenList(knownScopes) : selected },
    problems: [],
  };
}
