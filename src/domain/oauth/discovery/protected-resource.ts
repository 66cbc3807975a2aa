import { z } from 'zod';
import type { SafeFetch } from '../../../outbound/safe-fetch.ts';
import type { IsAllowedPrivateHost } from '../../validation/url.ts';
import type { DiscoveryPart, DiscoveryStep } from './discovery-report.ts';
import { fetchDocument, type JsonFields } from './json-document.ts';
import { describeWrongFields } from './metadata-fields.ts';
import { isUsableIdentifier, URL_RULE } from './outside-url.ts';
import { toTokenList } from './token-list.ts';
import { listResourceMetadataUrls } from './well-known-urls.ts';

/** The validated metadata of an MCP server as a protected resource. */
export interface ProtectedResource {
  /** The exact identifier. */
  resource: string;
  /** The exact identifier of its first authorization server. */
  issuer: string;
  /** All authorization servers that it names, as received. Only for comparisons. */
  namedIssuers: string[];
  scopes: string[];
}

const SUBJECT = 'The protected resource metadata';

/**
 * RFC 9728, section 2. Not parsed by oauth4webapi, which normalises `resource` and accepts only equality: MCP servers
 * may also name their root.
 */
const Metadata = z.looseObject({
  resource: z.string(),
  authorization_servers: z.array(z.string()).nullish(),
  scopes_supported: z.array(z.string()).nullish(),
});

/**
 * Finds the MCP server's metadata: at the URL from its challenge and nowhere else, or otherwise at the well-known URLs.
 * Another host may serve it, but it must describe this server (RFC 9728, section 3.3).
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
  for (const url of metadataUrl === null ? listResourceMetadataUrls(serverUrl) : [metadataUrl]) {
    const record = (outcome: DiscoveryStep['outcome'], message: string) =>
      void steps.push({ name: 'protected_resource_metadata', url, outcome, message });
    const document = await fetchDocument(fetch, url, { subject: SUBJECT, key: 'resource' });
    if (document.outcome !== 'found') {
      record(document.outcome, document.message);
      if (document.outcome === 'failed') return { steps, found: null, problems: [document.message] };
      continue;
    }
    const read = readMetadata(document.fields, serverUrl, isAllowedPrivateHost);
    if (typeof read === 'string') {
      record('failed', read);
      return { steps, found: null, problems: [read] };
    }
    record('found', `${SUBJECT} belongs to this server and names its authorization server.`);
    return { steps, found: read, problems: [] };
  }
  const problem =
    'The MCP server does not say how to get a token for it: it has no protected resource metadata (RFC 9728).';
  return { steps, found: null, problems: [problem] };
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
      `${SUBJECT} belongs to another resource: its "resource" must be the URL of the MCP server, exactly the same in the ` +
      'path, or the part of it up to a "/".'
    );
  }
  const [issuer] = issuers ?? [];
  if (issuer === undefined) return `${SUBJECT} names no authorization server.`;
  // RFC 8414, section 2: an issuer has no query.
  if (issuer.includes('?') || !isUsableIdentifier(issuer, isAllowedPrivateHost)) {
    return (
      `${SUBJECT} names an authorization server that the gateway does not accept. ${URL_RULE} ` +
      'It must have no query and a normalised path.'
    );
  }
  return { resource, issuer, namedIssuers: issuers ?? [], scopes: toTokenList(scopes ?? []) };
}

/** Whether a resource is the server's URL, or a prefix of it with the same origin that ends at a path segment. */
function isResourceOf(resource: string, serverUrl: string): boolean {
  const named = new URL(resource);
  const server = new URL(serverUrl);
  if (named.origin !== server.origin) return false;
  if (named.search !== '') return named.pathname === server.pathname && named.search === server.search;
  const folder = named.pathname.endsWith('/') ? named.pathname : `${named.pathname}/`;
  return server.pathname === named.pathname || server.pathname.startsWith(folder);
}
