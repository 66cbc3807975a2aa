import { z } from 'zod';
import type { SafeFetch } from '../../../outbound/safe-fetch.ts';
import type { IsAllowedPrivateHost } from '../../validation/url.ts';
import type { DiscoveredProvider, DiscoveryPart, DiscoveryStep } from './discovery-report.ts';
import { fetchDocument, type JsonFields } from './json-document.ts';
import { describeWrongFields } from './metadata-fields.ts';
import { isUsableUrl, URL_RULE } from './outside-url.ts';
import { toTokenList } from './token-list.ts';
import { listIssuerMetadataUrls } from './well-known-urls.ts';

/** The validated metadata of an authorization server. */
export type AuthorizationServer = Omit<DiscoveredProvider, 'resource' | 'scopes'> & {
  /** `scopes_supported`, unchanged. Use it only for lookups. */
  supportedScopes: string[];
};

const SUBJECT = 'The authorization server metadata';

/** RFC 8414, section 2: the default when a server lists none. */
const DEFAULT_AUTH_METHODS = ['client_secret_basic'];

// Some servers write null for absent fields.
const names = z.array(z.string()).nullish();

/**
 * RFC 8414, section 2; OpenID Connect Discovery 1.0, section 3; RFC 9207, section 3; the draft on client id metadata
 * documents, section 6. Not parsed by oauth4webapi, which normalises `issuer` before comparing it: MCP requires an
 * exact match, and `iss` is later compared with the server's own text.
 */
const Metadata = z.looseObject({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  revocation_endpoint: z.string().nullish(),
  registration_endpoint: z.string().nullish(),
  response_types_supported: names,
  code_challenge_methods_supported: names,
  token_endpoint_auth_methods_supported: names,
  revocation_endpoint_auth_methods_supported: names,
  scopes_supported: names,
  client_id_metadata_document_supported: z.boolean().nullish(),
  authorization_response_iss_parameter_supported: z.boolean().nullish(),
});

const ENDPOINTS = ['authorization_endpoint', 'token_endpoint', 'revocation_endpoint', 'registration_endpoint'] as const;

/**
 * Finds an authorization server's metadata in the order MCP defines. The next URL is tried only when there is no such
 * document. An invalid document ends the search, even if only an optional endpoint is invalid: a document with one bad
 * endpoint is not trusted for the others.
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
  for (const url of listIssuerMetadataUrls(issuer)) {
    const record = (outcome: DiscoveryStep['outcome'], message: string) =>
      void steps.push({ name: 'authorization_server_metadata', url, outcome, message });
    const document = await fetchDocument(fetch, url, { subject: SUBJECT, key: 'issuer' });
    if (document.outcome !== 'found') {
      record(document.outcome, document.message);
      if (document.outcome === 'failed') return { steps, found: null, problems: [document.message] };
      continue;
    }
    const { found, problems } = readMetadata(document.fields, issuer, isAllowedPrivateHost);
    if (found === null) record('failed', problems.join(' '));
    else record('found', `${SUBJECT} belongs to the authorization server that the MCP server names.`);
    return { steps, found, problems };
  }
  const problem = 'The authorization server has no metadata (RFC 8414, OpenID Connect Discovery) at any known place.';
  return { steps, found: null, problems: [problem] };
}

function readMetadata(
  fields: JsonFields,
  issuer: string,
  isAllowedPrivateHost: IsAllowedPrivateHost,
): Omit<DiscoveryPart<AuthorizationServer>, 'steps'> {
  // RFC 8414, section 3.3: compared exactly, before anything else in the document is trusted.
  if (fields['issuer'] !== issuer) {
    const problem = `${SUBJECT} belongs to another issuer: its "issuer" must be exactly what the MCP server names.`;
    return { found: null, problems: [problem] };
  }
  const parsed = Metadata.safeParse(fields);
  if (!parsed.success) return { found: null, problems: [describeWrongFields(SUBJECT, parsed.error)] };
  const { data } = parsed;
  const problems: string[] = [];
  for (const name of ENDPOINTS) {
    const endpoint = data[name];
    if (typeof endpoint === 'string' && !isUsableUrl(endpoint, isAllowedPrivateHost)) {
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
    isIssParameterSupported: data.authorization_response_iss_parameter_supported === true,
    tokenAuthMethods: toTokenList(data.token_endpoint_auth_methods_supported ?? DEFAULT_AUTH_METHODS),
    revocationAuthMethods: toTokenList(data.revocation_endpoint_auth_methods_supported ?? DEFAULT_AUTH_METHODS),
    supportedScopes: data.scopes_supported ?? [],
    isClientIdMetadataDocumentSupported: data.client_id_metadata_document_supported === true,
  };
}
