import type { McpTransport } from '../../../data/records.ts';
import { OUTBOUND_LIMITS } from '../../../limits/outbound-limits.ts';
import type { SafeFetch } from '../../../outbound/safe-fetch.ts';
import type { IsAllowedPrivateHost } from '../../validation/url.ts';
import { findAuthorizationServer } from './authorization-server.ts';
import type { DiscoveryPart, DiscoveryReport } from './discovery-report.ts';
import { type DiscoveryLimits, limitFetch } from './limited-fetch.ts';
import { findOriginServer, type OriginServer } from './origin-server.ts';
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
 * At most one request to the MCP server, three for its metadata, and three for the metadata of each of three authorization
 * servers. The time is that of three requests without an answer.
 */
const WITHIN: DiscoveryLimits = {
  maxRequests: OUTBOUND_LIMITS.discoveryRequests.value,
  maxMs: OUTBOUND_LIMITS.discoveryTime.value,
};

/**
 * Finds which authorization servers an MCP server names now, with its challenge and its metadata only.
 *
 * @returns null when the server does not say, or says it wrongly
 */
export async function findNamedIssuers(options: DiscoverProviderOptions): Promise<string[] | null> {
  const limited = { ...options, fetch: limitFetch(options.fetch, WITHIN) };
  const challenge = await requestChallenge(limited);
  if (challenge.found === null) return null;
  const part = await findProtectedResource({ ...limited, metadataUrl: challenge.found.metadataUrl });
  // A place that fails for a moment must not make the next one look like a move.
  return hasFailed(part) ? null : (part.found?.namedIssuers ?? null);
}

/**
 * Finds the authorization server of an MCP server as the Model Context Protocol defines it (2026-07-28, Authorization
 * Server Discovery): challenge, protected resource metadata (RFC 9728), authorization server metadata (RFC 8414, OpenID
 * Connect Discovery 1.0). Where a document is missing or cannot be used, the next place is asked, and where an
 * authorization server cannot be used, the next one. A server without any protected resource metadata is its own
 * authorization server (MCP 2025-03-26). All requests are without credentials.
 *
 * All input comes from untrusted servers, and each part gives the URL of the next. `outside-url.ts` defines which URLs
 * are accepted, and `SafeFetch` which addresses are called.
 *
 * @returns the report, including everything the other side does wrong; nothing is thrown for that
 */
export async function discoverProvider(options: DiscoverProviderOptions): Promise<DiscoveryReport> {
  const { serverUrl, isAllowedPrivateHost, knownScopes = [] } = options;
  const fetch = limitFetch(options.fetch, WITHIN);
  const challenge = await requestChallenge({ ...options, fetch });
  if (challenge.found === null) return { steps: challenge.steps, provider: null, problems: challenge.problems };

  const { metadataUrl, isUnauthorized } = challenge.found;
  const protectedResource = await findProtectedResource({ fetch, serverUrl, metadataUrl, isAllowedPrivateHost });
  const steps = [...challenge.steps, ...protectedResource.steps];
  const toReport = (server: OriginServer, resource: string, listed: readonly string[]): DiscoveryReport => {
    const { supportedScopes, ...provider } = server;
    const offered = { challenge: challenge.found?.scopes ?? [], resource: listed, supported: supportedScopes };
    const scopes = knownScopes.length > 0 ? toTokenList(knownScopes) : selectScopes(offered);
    return { steps, provider: { ...provider, resource, scopes }, problems: [] };
  };

  if (protectedResource.found === null) {
    // A server that did not answer at all explains more than its missing metadata.
    const silence = challenge.steps.filter(({ outcome }) => outcome === 'failed').map(({ message }) => message);
    const problems = [...silence, ...protectedResource.problems];
    // A document that exists and cannot be used may name another authorization server than the origin.
    if (hasFailed(protectedResource)) return { steps, provider: null, problems };
    const server = await findOriginServer({ fetch, serverUrl, isChallenged: isUnauthorized, isAllowedPrivateHost });
    steps.push(...server.steps);
    if (server.found !== null) return toReport(server.found, '', []);
    return { steps, provider: null, problems: hasFailed(server) ? [...problems, ...server.problems] : problems };
  }

  const { issuers, resource, scopes } = protectedResource.found;
  const problems: string[] = [];
  for (const issuer of issuers) {
    const server = await findAuthorizationServer({ fetch, issuer, isAllowedPrivateHost });
    steps.push(...server.steps);
    if (server.found !== null) return toReport({ ...server.found, isAssumed: false }, resource, scopes);
    problems.push(...server.problems);
  }
  return { steps, provider: null, problems: [...new Set(problems)] };
}

function hasFailed({ steps }: DiscoveryPart<unknown>): boolean {
  return steps.some(({ outcome }) => outcome === 'failed');
}
