import type { AuthorizationServer, ClientAuth } from 'oauth4webapi';
import type { Caches } from '../../cache/caches.ts';
import { estimateBytes } from '../../cache/estimate-bytes.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { toClientAuth } from './client-authentication.ts';
import type { ClientAuthMethod, OAuthClient, OAuthProvider } from './oauth-provider.ts';
import { toTokenEndpointError } from './token-answer.ts';
import { TokenEndpointError } from './token-endpoint-error.ts';

interface CallContext {
  server: AuthorizationServer;
  client: { client_id: string };
  auth: ClientAuth;
}

/** The codes of servers that read the body only, and find no client there. */
const UNREAD = new Set(['invalid_request', 'unauthorized_client', 'incorrect_client_credentials']);

/** Chooses how the gateway authenticates as a client. Remembers in this process which methods worked. */
export function createMethodChoice(caches: Caches) {
  const worked = caches.createMap<string, ClientAuthMethod>(CACHE_BOUNDS.clientMethods, (key) => estimateBytes(key));
  /**
   * Runs a call, and repeats it with the next authentication method when the server does not accept the client with the
   * one before.
   *
   * @param sent secrets that errors must not repeat
   */
  return async <Result>(
    provider: OAuthProvider,
    sent: readonly string[],
    run: (context: CallContext) => Promise<Result>,
  ): Promise<Result> => {
    const { client } = provider;
    const key = `${provider.tokenUrl} ${client.clientId}`;
    const secrets = client.secret === null ? sent : [...sent, client.secret.expose()];
    const server = toServer(provider);
    let first: TokenEndpointError | undefined;
    for (const method of orderMethods(client, worked.get(key))) {
      if (first !== undefined && client.spareMethods.includes(method) && !UNREAD.has(first.code)) break;
      try {
        const auth = toClientAuth(client, method);
        const result = await run({ server, client: { client_id: client.clientId }, auth });
        if (first !== undefined) worked.set(key, method);
        return result;
      } catch (error) {
        const failure = toTokenEndpointError(error).without(secrets);
        // Servers authenticate the client before they look at the code or refresh token, so it is still valid for another
        // try.
        const isClientRefused =
          failure.failure === 'invalid_client' || (failure.failure === 'refused' && UNREAD.has(failure.code));
        if (!isClientRefused) {
          if (first !== undefined && failure.failure !== 'unavailable') worked.set(key, method);
          throw failure;
        }
        first ??= failure;
      }
    }
    throw first ?? new TokenEndpointError('invalid_client', 'No authentication method is available.');
  };
}

function orderMethods({ authMethods, spareMethods }: OAuthClient, worked: ClientAuthMethod | undefined) {
  const all = [...authMethods, ...spareMethods];
  return worked !== undefined && all.includes(worked) ? [worked, ...all.filter((each) => each !== worked)] : all;
}

function toServer(provider: OAuthProvider): AuthorizationServer {
  return {
    issuer: provider.issuer || 'urn:unknown',
    token_endpoint: provider.tokenUrl,
    ...(provider.revocationUrl !== '' && { revocation_endpoint: provider.revocationUrl }),
  };
}
