import { z } from 'zod';
import { OUTBOUND_LIMITS } from '../../../limits/outbound-limits.ts';
import type { SafeFetch } from '../../../outbound/safe-fetch.ts';
import type { IsAllowedPrivateHost } from '../../validation/url.ts';
import type { DiscoveryPart, DiscoveryStep } from './discovery-report.ts';
import { fetchDocument, type JsonFields } from './json-document.ts';
import { describeWrongFields, optionalNames } from './metadata-fields.ts';
import { isUsableIdentifier, URL_RULE } from './outside-url.ts';
import { toTokenList } from './token-list.ts';
import { listResourceMetadataUrls } from './well-known-urls.ts';

/** The validated metadata of an MCP server as a protected resource. */
export interface ProtectedResource {
  /** The exact identifier. */
  resource: string;
  /** The exact identifiers of its authorization servers, best first: at least one, at most `MAX_ISSUERS`. */
  issuers: string[];
  /** All authorization servers that it names, as received. Only for comparisons. */
  namedIssuers: string[];
  scopes: string[];
}

/** How many authorization servers of a resource are asked. */
const MAX_ISSUERS = OUTBOUND_LIMITS.issuers.value;

const SUBJECT = 'The protected resource metadata';

/**
 * RFC 9728, section 2. Not parsed by oauth4webapi, which normalises `resource` and accepts only equality: MCP servers
 * may also name their root.
 */
const Metadata = z.looseObject({
  resource: z.string(),
  authorization_servers: optionalNames,
  scopes_supported: optionalNames,
});

/**
 * Finds the MCP server's metadata: at the URL from its challenge, then at the well-known URLs. The next place is tried when
 * a document is missing, cannot be used, or names no authorization server. Another host may serve it, but it must describe
 * this server (RFC 9728, section 3.3).
 */
export async function findProtectedResource(options: {
  fetch: SafeFetch;
  serverUrl: string;
  /** From the challenge. Null when it had none. */
  metadataUrl: string | null;
  isAllowedPrivateHost: IsAllowedPrivateHost;
}): Promise<DiscoveryPart<ProtectedResource>> {
  const { fetch, serverUrl, metadataUrl, isAllowedPrivateHost } = options;
  const steps: DiscoveryStep[] = [];
  const announced = metadataUrl === null ? [] : [metadataUrl];
  for (const url of new Set([...announced, ...listResourceMetadataUrls(serverUrl)])) {
    const record = (outcome: DiscoveryStep['outcome'], message: string) =>
      void steps.push({ name: 'protected_resource_metadata', url, outcome, message });
    const document = await fetchDocument(fetch, url, { subject: SUBJECT, key: 'resource' });
    if (document.outcome !== 'found') {
      record(document.outcome, document.message);
      continue;
    }
    const read = readMetadata(document.fields, serverUrl, isAllowedPrivateHost);
    if (typeof read === 'string') {
      record('failed', read);
      continue;
    }
    record('found', `${SUBJECT} belongs to this server and names its authorization server.`);
    return { steps, found: read, problems: [] };
  }
  const failures = steps.filter(({ outcome }) => outcome === 'failed').map(({ message }) => message);
  const nothing =
    'The MCP server does not say how to get a token for it: it has no protected resource metadata (RFC 9728).';
  return { steps, found: null, problems: failures.length > 0 ? [...new Set(failures)] : [nothing] };
}

/** @returns a message when something is wrong */
function readMetadata(
  fields: JsonFields,
  serverUrl: string,
  isAllowedPrivateHost: IsAllowedPrivateHost,
): ProtectedResource | string {
  const parsed = Metadata.safeParse(fields);
  if (!parsed.success) return describeWrongFields(SUBJECT, parsed.error);
  const { resource, authorization_servers: issuers, scopes_supported: scopes } = parsed.data;
  if (!isUsableIdentifier(resource, isAllowedPrivateHost) || !isResourceOf(resource, serverUrl)) {
    return (
      `${SUBJECT} belongs to another resource: its "resource" must be the URL of the MCP server, or the part of its ` +
      'path up to a "/". Enter exactly the URL that the server gives for itself.'
    );
  }
  if (issuers === null) return `${SUBJECT} names no authorization server.`;
  // RFC 8414, section 2: an issuer has no query.
  const usable = issuers.filter((issuer) => !issuer.includes('?') && isUsableIdentifier(issuer, isAllowedPrivateHost));
  if (usable.length === 0) {
    return (
      `${SUBJECT} names an authorization server that the gateway does not accept. ${URL_RULE} ` +
      'It must have no query and a normalised path.'
    );
  }
  const asked = [...new Set(usable)].slice(0, MAX_ISSUERS);
  return { resource, issuers: asked, namedIssuers: issuers, scopes: toTokenList(scopes ?? []) };
}

/**
 * Whether a resource is the server's URL, or a prefix of it with the same origin that ends at a path segment. A slash at the
 * end makes no difference: the official SDK takes it, too, so servers in the field depend on it.
 */
function isResourceOf(resource: string, serverUrl: string): boolean {
  const named = new URL(resource);
  const server = new URL(serverUrl);
  if (named.origin !== server.origin) return false;
  if (named.search !== '') return named.pathname === server.pathname && named.search === server.search;
  const folder = named.pathname.endsWith('/') ? named.pathname : `${named.pathname}/`;
  return `${server.pathname}/`.startsWith(folder);
}
