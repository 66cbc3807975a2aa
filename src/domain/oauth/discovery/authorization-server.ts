import { z } from 'zod';
import type { SafeFetch } from '../../../outbound/safe-fetch.ts';
import type { IsAllowedPrivateHost } from '../../validation/url.ts';
import type { DiscoveredProvider, DiscoveryPart, DiscoveryStep } from './discovery-report.ts';
import { isSameIssuer } from './issuer-identifier.ts';
import { fetchDocument, type JsonFields } from './json-document.ts';
import { describeWrongFields, optionalFlag, optionalNames, optionalText } from './metadata-fields.ts';
import { isUsableUrl, URL_RULE } from './outside-url.ts';
import { toTokenList } from './token-list.ts';
import { listIssuerMetadataUrls } from './well-known-urls.ts';

/** The validated metadata of an authorization server. */
export type AuthorizationServer = Omit<DiscoveredProvider, 'resource' | 'scopes' | 'isAssumed'> & {
  /** `scopes_supported`, unchanged. Use it only for lookups. */
  supportedScopes: string[];
};

const SUBJECT = 'The authorization server metadata';

/** RFC 8414, section 2: the default when a server lists none. */
export const DEFAULT_AUTH_METHODS = ['client_secret_basic'];

/**
 * RFC 8414, section 2; OpenID Connect Discovery 1.0, section 3; RFC 9207, section 3; the draft on client id metadata
 * documents, section 6. Not parsed by oauth4webapi, which normalises `issuer` before comparing it: MCP requires an
 * exact match, and `iss` is later compared with the server's own text.
 */
const Metadata = z.looseObject({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  revocation_endpoint: optionalText,
  registration_endpoint: optionalText,
  response_types_supported: optionalNames,
  code_challenge_methods_supported: optionalNames,
  token_endpoint_auth_methods_supported: optionalNames,
  revocation_endpoint_auth_methods_supported: optionalNames,
  scopes_supported: optionalNames,
  client_id_metadata_document_supported: optionalFlag,
  authorization_response_iss_parameter_supported: optionalFlag,
});

const ENDPOINTS = ['authorization_endpoint', 'token_endpoint', 'revocation_endpoint', 'registration_endpoint'] as const;

/**
 * Finds an authorization server's metadata in the order MCP defines. The next URL is tried when there is no such document,
 * or when it cannot be used: servers publish an OAuth document and an OpenID document that differ. A document is used
 * whole or not at all, even if only an optional endpoint is invalid: one with a bad endpoint is not trusted for the others.
 *
 * @param options.issuer a usable identifier without query
 */
export async function findAuthorizationServer(options: {
  fetch: SafeFetch;
  issuer: string;
  isAllowedPrivateHost: IsAllowedPrivateHost;
}): Promise<DiscoveryPart<AuthorizationServer>> {
  const { fetch, issuer, isAllowedPrivateHost } = options;
  const steps: DiscoveryStep[] = [];
  const problems: string[] = [];
  for (const url of listIssuerMetadataUrls(issuer)) {
    const record = (outcome: DiscoveryStep['outcome'], message: string) =>
      void steps.push({ name: 'authorization_server_metadata', url, outcome, message });
    const document = await fetchDocument(fetch, url, { subject: SUBJECT, key: 'issuer' });
    if (document.outcome !== 'found') {
      record(document.outcome, document.message);
      if (document.outcome === 'failed') problems.push(document.message);
      continue;
    }
    const read = readMetadata(document.fields, issuer, isAllowedPrivateHost);
    if (read.found !== null) {
      record('found', `${SUBJECT} belongs to the authorization server that the MCP server names.`);
      return { steps, found: read.found, problems: [] };
    }
    record('failed', read.problems.join(' '));
    problems.push(...read.problems);
  }
  if (problems.length === 0) {
    problems.push('The authorization server has no metadata (RFC 8414, OpenID Connect Discovery) at any known place.');
  }
  return { steps, found: null, problems: [...new Set(problems)] };
}

function readMetadata(
  fields: JsonFields,
  issuer: string,
  isAllowedPrivateHost: IsAllowedPrivateHost,
): Omit<DiscoveryPart<AuthorizationServer>, 'steps'> {
  // RFC 8414, section 3.3: compared before anything else in the document is trusted.
  if (!isSameIssuer(String(fields['issuer']), issuer)) {
    const problem = `${SUBJECT} belongs to another issuer: its "issuer" must be exactly what the MCP server names.`;
    return { found: null, problems: [problem] };
  }
  const parsed = Metadata.safeParse(fields);
  if (!parsed.success) return { found: null, problems: [describeWrongFields(SUBJECT, parsed.error)] };
  const { data } = parsed;
  const problems: string[] = [];
  for (const name of ENDPOINTS) {
    const endpoint = data[name];
    if (endpoint !== null && !isUsableUrl(endpoint, isAllowedPrivateHost)) {
      problems.push(`${SUBJECT} has a "${name}" that the gateway does not accept. ${URL_RULE}`);
    }
  }
  // MCP: if a server does not list S256, the gateway cannot know whether it checks the verifier, so PKCE counts as
  // unsupported.
  if (data.code_challenge_methods_supported?.includes('S256') !== true) {
    problems.push(`${SUBJECT} does not list S256 in "code_challenge_methods_supported": PKCE is required.`);
  }
  if (data.response_types_supported?.includes('code') === false) {
    problems.push(`${SUBJECT} does not list code in "response_types_supported".`);
  }
  return problems.length > 0 ? { found: null, problems } : { found: toAuthorizationServer(data), problems };
}

function toAuthorizationServer(data: z.infer<typeof Metadata>): AuthorizationServer {
  return {
    issuer: data.issuer,
    authorizationEndpoint: data.authorization_endpoint,
    tokenEndpoint: data.token_endpoint,
    revocationEndpoint: data.revocation_endpoint ?? '',
    registrationEndpoint: data.registration_endpoint ?? '',
    isIssParameterSupported: data.authorization_response_iss_parameter_supported,
    tokenAuthMethods: toTokenList(data.token_endpoint_auth_methods_supported ?? DEFAULT_AUTH_METHODS),
    revocationAuthMethods: toTokenList(data.revocation_endpoint_auth_methods_supported ?? DEFAULT_AUTH_METHODS),
    supportedScopes: data.scopes_supported ?? [],
    isClientIdMetadataDocumentSupported: data.client_id_metadata_document_supported,
  };
}
