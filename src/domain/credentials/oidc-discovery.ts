import { createLocalJWKSet, type JSONWebKeySet, type LocalJWKSet } from 'jose';
import { fetchIssuerDocument, type OidcFetchOptions, OidcIssuerError, OidcStatusError } from './oidc-fetch.ts';

/**
 * Fetches the issuer's metadata and then the keys it points to. The metadata is fetched again each time, so that an
 * issuer can move its keys.
 *
 * @throws OidcIssuerError
 */
export async function loadIssuerKeys(issuer: string, options: OidcFetchOptions): Promise<LocalJWKSet> {
  const metadata = await fetchIssuerMetadata(issuer, options);
  const jwksUri = metadata['jwks_uri'];
  if (typeof jwksUri !== 'string') throw new OidcIssuerError(`the metadata of ${issuer} has no jwks_uri`);
  const keys = await fetchIssuerDocument(jwksUri, options);
  try {
    return createLocalJWKSet(keys as unknown as JSONWebKeySet);
  } catch {
    throw new OidcIssuerError(`the keys of ${issuer} are not a JSON Web Key Set`);
  }
}

/** The URLs of an issuer's metadata, in the order they are tried. */
function listMetadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [
    // OpenID Connect Discovery 1.0, section 4: after the issuer's path.
    `${origin}${path}/.well-known/openid-configuration`,
    // RFC 8414, section 3.1: before the issuer's path.
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ];
}

/** Fetches the metadata that the issuer publishes about itself. @throws OidcIssuerError */
export async function fetchIssuerMetadata(issuer: string, options: OidcFetchOptions): Promise<Record<string, unknown>> {
  const metadata = await fetchMetadata(issuer, options);
  // OpenID Connect Discovery 1.0, section 4.3, and RFC 8414, section 3.3: the issuer must be identical.
  if (metadata['issuer'] !== issuer) throw new OidcIssuerError(`the metadata of ${issuer} belongs to another issuer`);
  return metadata;
}

async function fetchMetadata(issuer: string, options: OidcFetchOptions): Promise<Record<string, unknown>> {
  const refusals: string[] = [];
  for (const url of listMetadataUrls(issuer)) {
    try {
      return await fetchIssuerDocument(url, options);
    } catch (error) {
      // Try the next URL only if the server answered and has nothing at this one.
      if (!(error instanceof OidcStatusError)) throw error;
      refusals.push(error.message);
    }
  }
  throw new OidcIssuerError(refusals.join('; '));
}
