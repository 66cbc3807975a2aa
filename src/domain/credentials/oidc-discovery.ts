import { createLocalJWKSet, type JSONWebKeySet, type LocalJWKSet } from 'jose';
import { fetchIssuerDocument, type OidcFetchOptions, OidcIssuerError, OidcStatusError } from './oidc-fetch.ts';

/**
 * Fetches the issuer's metadata and then the keys that it names. The metadata is read again each time, so that an
 * issuer may move its keys.
 *
 * @throws OidcIssuerError
 */
export async function loadIssuerKeys(issuer: string, options: OidcFetchOptions): Promise<LocalJWKSet> {
  const metadata = await fetchMetadata(issuer, options);
  // OpenID Connect Discovery 1.0, section 4.3, and RFC 8414, section 3.3: identical, not just alike.
  if (metadata['issuer'] !== issuer) throw new OidcIssuerError(`the metadata of ${issuer} is of another issuer`);
  const jwksUri = metadata['jwks_uri'];
  if (typeof jwksUri !== 'string') throw new OidcIssuerError(`the metadata of ${issuer} has no jwks_uri`);
  const keys = await fetchIssuerDocument(jwksUri, options);
  try {
    return createLocalJWKSet(keys as unknown as JSONWebKeySet);
  } catch {
    throw new OidcIssuerError(`the keys of ${issuer} are not a JSON Web Key Set`);
  }
}

/** The places of an issuer's metadata, in the order in which they are tried. */
function listMetadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [
    // OpenID Connect Discovery 1.0, section 4: behind the issuer's path.
    `${origin}${path}/.well-known/openid-configuration`,
    // RFC 8414, section 3.1: in front of it.
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ];
}

async function fetchMetadata(issuer: string, options: OidcFetchOptions): Promise<Record<string, unknown>> {
  const refusals: string[] = [];
  for (const url of listMetadataUrls(issuer)) {
    try {
      return await fetchIssuerDocument(url, options);
    } catch (error) {
      // Only a server that is there and has nothing at this place is asked at the next.
      if (!(error instanceof OidcStatusError)) throw error;
      refusals.push(error.message);
    }
  }
  throw new OidcIssuerError(refusals.join('; '));
}
