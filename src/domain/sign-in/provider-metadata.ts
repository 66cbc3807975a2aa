import { fetchIssuerMetadata } from '../credentials/oidc-discovery.ts';
import { isIssuerUrl, type OidcFetchOptions, OidcIssuerError } from '../credentials/oidc-fetch.ts';

/** Older metadata is fetched again. */
const REFRESH_AFTER_MS = 5 * 60 * 1_000;
/** The least time between two attempts after one failed: anybody can begin a sign-in. */
const COOLDOWN_MS = 2_000;

/** What the gateway needs to know about the provider (OpenID Connect Discovery 1.0, section 3). */
export interface ProviderMetadata {
  authorizationUrl: string;
  tokenUrl: string;
  userinfoUrl: string | undefined;
  /** OpenID Connect RP-Initiated Logout 1.0. */
  endSessionUrl: string | undefined;
  /** Whether answers must say who they are from (RFC 9207). */
  isIssRequired: boolean;
  authMethods: readonly string[];
}

/**
 * Keeps the metadata of one provider. Only one fetch runs at a time.
 *
 * @returns a function that throws OidcIssuerError
 */
export function createProviderMetadata(
  issuer: string,
  { now, ...options }: OidcFetchOptions & { now: () => Date },
): () => Promise<ProviderMetadata> {
  let known: { metadata: ProviderMetadata; at: number } | undefined;
  let failed: { error: unknown; at: number } | undefined;
  let loading: Promise<ProviderMetadata> | undefined;
  const isWithin = (at: number, durationMs: number): boolean => Math.abs(now().getTime() - at) < durationMs;

  const load = async (): Promise<ProviderMetadata> => {
    try {
      const metadata = toMetadata(await fetchIssuerMetadata(issuer, options), issuer);
      known = { metadata, at: now().getTime() };
      return metadata;
    } catch (error) {
      failed = { error, at: now().getTime() };
      throw error;
    } finally {
      loading = undefined;
    }
  };

  return async () => {
    if (known !== undefined && isWithin(known.at, REFRESH_AFTER_MS)) return known.metadata;
    if (loading === undefined && failed !== undefined && isWithin(failed.at, COOLDOWN_MS)) throw failed.error;
    loading ??= load();
    return loading;
  };
}

function toMetadata(document: Record<string, unknown>, issuer: string): ProviderMetadata {
  const readUrl = (name: string): string | undefined => {
    const url = document[name];
    return typeof url === 'string' && isIssuerUrl(url) ? url : undefined;
  };
  const authorizationUrl = readUrl('authorization_endpoint');
  const tokenUrl = readUrl('token_endpoint');
  if (authorizationUrl === undefined || tokenUrl === undefined) {
    throw new OidcIssuerError(`the metadata of ${issuer} has no usable authorization_endpoint and token_endpoint`);
  }
  const methods = document['token_endpoint_auth_methods_supported'];
  return {
    authorizationUrl,
    tokenUrl,
    userinfoUrl: readUrl('userinfo_endpoint'),
    endSessionUrl: readUrl('end_session_endpoint'),
    isIssRequired: document['authorization_response_iss_parameter_supported'] === true,
    authMethods: Array.isArray(methods) ? methods.filter((each) => typeof each === 'string') : [],
  };
}
