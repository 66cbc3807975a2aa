import type { McpTransport } from '../../../data/records.ts';
import type { SafeFetch } from '../../../outbound/safe-fetch.ts';
import type { IsAllowedPrivateHost } from '../../validation/url.ts';
import { findAuthorizationServer } from './authorization-server.ts';
import type { DiscoveryReport } from './discovery-report.ts';
import { findProtectedResource } from './protected-resource.ts';
import { requestChallenge } from './request-challenge.ts';
import { selectScopes, toTokenList } from './token-list.ts';

/** The input of a discovery. */
export interface DiscoverProviderOptions {
  fetch: SafeFetch;
  /** The MCP server's URL from a config, already validated. */
  serverUrl: string;
  transport: McpTransport;
  /** The hosts that may use http, besides loopback. */
  isAllowedPrivateHost: IsAllowedPrivateHost;
  /** The scopes that the admin chose. If there are any, exactly these are requested, whatever the servers list. */
  knownScopes?: readonly string[];
}

/**
 * Finds which authorization servers an MCP server names now, with its challenge and its metadata only.
 *
 * @returns null when the server does not say, or says it wrongly
 */
export async function findNamedIssuers(options: DiscoverProviderOptions): Promise<string[] | null> {
  const challenge = await requestChallenge(options);
  if (challenge.found === null) return null;
  const { found } = await findProtectedResource({ ...options, metadataUrl: challenge.found.metadataUrl });
  return found?.namedIssuers ?? null;
}

/**
 * Finds the authorization server of an MCP server as the Model Context Protocol defines it (2026-07-28, Authorization
 * Server Discovery): challenge, protected resource metadata (RFC 9728), authorization server metadata (RFC 8414, OpenID
 * Connect Discovery 1.0). It makes at most six requests, all without credentials.
 *
 * All input comes from untrusted servers, and each part gives the URL of the next. `outside-url.ts` defines which URLs
 * are accepted, and `SafeFetch` which addresses are called.
 *
 * @returns the report, including everything the other side does wrong; nothing is thrown for that
 */
export async function discoverProvider(options: DiscoverProviderOptions): Promise<DiscoveryReport> {
  const { fetch, serverUrl, isAllowedPrivateHost, knownScopes = [] } = options;
  const challenge = await requestChallenge(options);
  if (challenge.found === null) return { steps: challenge.steps, provider: null, problems: challenge.problems };

  const { metadataUrl } = challenge.found;
  const protectedResource = await findProtectedResource({ fetch, serverUrl, metadataUrl, isAllowedPrivateHost });
  const steps = [...challenge.steps, ...protectedResource.steps];
  if (protectedResource.found === null) {
    // A server that did not answer at all explains more than its missing metadata.
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
