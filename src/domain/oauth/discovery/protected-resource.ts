import { z } from 'zod';
import type { SafeFetch } from '../../../outbound/safe-fetch.ts';
import type { IsAllowedPrivateHost } from '../../validation/url.ts';
import type { DiscoveryPart, DiscoveryStep } from './discovery-report.ts';
import { fetchDocument, type JsonFields } from './json-document.ts';
import { describeWrongFields } from './metadata-fields.ts';
import { isUsableIdentifier, URL_RULE } from './outside-url.ts';
import { toTokenList } from './token-list.ts';
import { listResourceMetadataUrls } from './well-known-urls.ts';

/** What an MCP server says of itself as a protected resource, checked. */
export interface ProtectedResource {
  /** Letter by letter. */
  resource: string;
  /** The first of its authorization servers, letter by letter. */
  issuer: string;
  scopes: string[];
}

const SUBJECT = 'The protected resource metadata';

/**
 * RFC 9728, section 2. Read here and not by oauth4webapi, which compares `resource` after normalising it, and only for
 * equality: MCP servers name their root too.
 */
const Metadata = z.looseObject({
  resource: z.string(),
  authorization_servers: z.array(z.string()).nullish(),
  scopes_supported: z.array(z.string()).nullish(),
});

/**
 * Finds the MCP server's metadata: where its challenge said and nowhere else, or at the well-known places. Another
 * host may keep it, but what it says must be of this server (RFC 9728, section 3.3).
 */
export async function findProtectedResource(options: {
  fetch: SafeFetch;
  serverUrl: string;
  /** From the challenge; null when it did not say. */
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
    record('found', `${SUBJECT} is of this server and names its authorization server.`);
    return { steps, found: read, problems: [] };
  }
  const problem =
    'The MCP server does not say how to get a token for it: it has no protected resource metadata (RFC 9728).';
  return { steps, found: null, problems: [problem] };
}

/** @returns what is wrong, as text, when something is */
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
      `${SUBJECT} is of another resource: its "resource" must be the URL of the MCP server, letter by letter in the ` +
      'path, or the part of it up to a "/".'
    );
  }
  const [issuer] = issuers ?? [];
  if (issuer === undefined) return `${SUBJECT} names no authorization server.`;
  // RFC 8414, section 2: an issuer has no query.
  if (issuer.includes('?') || !isUsableIdentifier(issuer, isAllowedPrivateHost)) {
    return (
      `${SUBJECT} names an authorization server that the gateway does not use. ${URL_RULE} ` +
      'It has no query, and its path is written as it is read.'
    );
  }
  return { resource, issuer, scopes: toTokenList(scopes ?? []) };
}

/** Whether a resource is the server's URL, or a prefix of it at the same origin that ends where a path segment does. */
function isResourceOf(resource: string, serverUrl: string): boolean {
  const named = new URL(resource);
  const server = new URL(serverUrl);
  if (named.origin !== server.origin) return false;
  if (named.search !== '') return named.pathname === server.pathname && named.search === server.search;
  const folder = named.pathname.endsWith('/') ? named.pathname : `${named.pathname}/`;
  return server.pathname === named.pathname || server.pathname.startsWith(folder);
}
