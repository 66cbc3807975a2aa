import {
  type AuthorizationServer,
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  clockTolerance,
  customFetch,
  getValidatedIdTokenClaims,
  OperationProcessingError,
  processAuthorizationCodeResponse,
  processUserInfoResponse,
  RESPONSE_IS_NOT_CONFORM,
  ResponseBodyError,
  userInfoRequest,
  validateAuthResponse,
  WWWAuthenticateChallengeError,
} from 'oauth4webapi';
import type { Secret } from '../../crypto/secret.ts';
import { OutboundError } from '../../outbound/outbound-error.ts';
import type { SafeFetch } from '../../outbound/safe-fetch.ts';
import { ALGORITHMS, CLOCK_TOLERANCE_SECONDS } from '../credentials/oidc.ts';
import { OidcIssuerError } from '../credentials/oidc-fetch.ts';
import { toClientAuth } from '../oauth/client-authentication.ts';
import type { ClientAuthMethod } from '../oauth/oauth-provider.ts';
import { IssuerTokenError } from './issuer-tokens.ts';
import type { ProviderMetadata } from './provider-metadata.ts';

/** The provider does not accept the code: it is made up, expired, used, or of another sign-in. */
export class CodeRefusedError extends Error {
  override readonly name = 'CodeRefusedError';
}

/** The gateway as the provider's client. */
export interface CodeExchangeOptions {
  issuer: string;
  clientId: string;
  clientSecret: Secret | undefined;
  redirectUri: string;
  fetch: SafeFetch;
}

/** What the provider gives for a code. */
export interface ExchangedCode {
  /** Its claims are checked, its signature is not. */
  idToken: string;
  subject: string;
  accessToken: string;
}

/**
 * Exchanges codes and asks for claims. Both functions throw CodeRefusedError, IssuerTokenError or OidcIssuerError.
 */
export function createCodeExchange({ issuer, clientId, clientSecret, redirectUri, fetch }: CodeExchangeOptions) {
  const client = { client_id: clientId, [clockTolerance]: CLOCK_TOLERANCE_SECONDS };
  const toServer = ({ tokenUrl, userinfoUrl }: ProviderMetadata): AuthorizationServer => ({
    issuer,
    token_endpoint: tokenUrl,
    ...(userinfoUrl !== undefined && { userinfo_endpoint: userinfoUrl }),
    id_token_signing_alg_values_supported: ALGORITHMS,
  });
  const options = {
    // Only loopback can be without TLS: the metadata was checked.
    [allowInsecureRequests]: true,
    [customFetch]: async (
      url: string,
      init: { method?: string; body?: unknown; headers?: Record<string, string> },
    ): Promise<Response> => {
      const isPost = init.method === 'POST';
      const headers = init.headers ?? {};
      const response = await fetch(
        url,
        isPost ? { method: 'POST', headers, body: String(init.body ?? '') } : { headers },
      );
      if (response.status >= 500 || response.status === 429) {
        throw new OidcIssuerError(`${new URL(url).hostname} answered ${response.status}`);
      }
      return response;
    },
  };

  return {
    /** @throws CodeRefusedError, IssuerTokenError, OidcIssuerError */
    async exchange(
      metadata: ProviderMetadata,
      grant: { code: string; state: string; codeVerifier: string; nonce: string },
    ): Promise<ExchangedCode> {
      const server = toServer(metadata);
      const auth = toClientAuth(
        { clientId, secret: clientSecret ?? null, authMethods: [], spareMethods: [] },
        chooseMethod(metadata, clientSecret),
      );
      return withKnownErrors('token endpoint', async () => {
        // The state and the issuer were checked before, so the library gets only the code.
        const answer = new URLSearchParams({ code: grant.code, state: grant.state });
        const parameters = validateAuthResponse({ issuer }, client, answer, grant.state);
        const request = authorizationCodeGrantRequest;
        const response = await request(server, client, auth, parameters, redirectUri, grant.codeVerifier, options);
        const tokens = await processAuthorizationCodeResponse(server, client, response, {
          expectedNonce: grant.nonce,
          requireIdToken: true,
        });
        const { id_token: idToken = '', access_token: accessToken } = tokens;
        return { idToken, accessToken, subject: getValidatedIdTokenClaims(tokens)?.sub ?? '' };
      });
    },

    /**
     * Fetches the claims that are not in the ID token: many providers put only the subject there. Empty if the provider has
     * none.
     */
    async fetchClaims(
      metadata: ProviderMetadata,
      { accessToken, subject }: Omit<ExchangedCode, 'idToken'>,
    ): Promise<Record<string, unknown>> {
      if (metadata.userinfoUrl === undefined) return {};
      const server = toServer(metadata);
      return withKnownErrors('userinfo endpoint', async () => {
        const response = await userInfoRequest(server, client, accessToken, options);
        return { ...(await processUserInfoResponse(server, client, subject, response)) };
      });
    },
  };
}

/** OpenID Connect Discovery 1.0, section 3: `client_secret_basic` if the provider does not say. */
function chooseMethod({ authMethods }: ProviderMetadata, secret: Secret | undefined): ClientAuthMethod {
  if (secret === undefined) return 'none';
  const isPostOnly = authMethods.includes('client_secret_post') && !authMethods.includes('client_secret_basic');
  return isPostOnly ? 'client_secret_post' : 'client_secret_basic';
}

async function withKnownErrors<Result>(where: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof OidcIssuerError) throw error;
    if (error instanceof OutboundError) {
      throw new OidcIssuerError(`the ${where} failed (${error.failure}): ${error.message}`);
    }
    if (error instanceof ResponseBodyError) {
      if (error.error === 'invalid_grant') throw new CodeRefusedError();
      const code = /^[a-z_]{1,40}$/.test(error.error) ? error.error : 'an error';
      throw new OidcIssuerError(`the ${where} answered ${error.status} with ${code}`);
    }
    if (error instanceof WWWAuthenticateChallengeError) {
      throw new OidcIssuerError(`the ${where} answered ${error.status}: check the client id and the client secret`);
    }
    // The library's messages name what is wrong, but repeat nothing of the answer. Its causes do.
    if (error instanceof OperationProcessingError && error.code !== RESPONSE_IS_NOT_CONFORM)
      throw new IssuerTokenError(`${where}: ${error.message}`);
    throw new OidcIssuerError(`the answer of the ${where} cannot be read`);
  }
}
