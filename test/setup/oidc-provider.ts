import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { OidcSigner } from './oidc-signer.ts';

/** A running certified OpenID provider on a loopback port. */
export interface TestOidcProvider {
  issuer: string;
  /** Requested paths so far, including the token endpoint. */
  requests: string[];
  /**
   * A JWT access token of the client credentials grant, as the provider issues it: its `sub` is the client.
   *
   * @param claims beside the registered ones
   */
  issueToken(request: { audience: string; claims?: Record<string, unknown>; alg?: string }): Promise<string>;
  /** Restarts the provider with other keys at the same address. */
  rotateTo(signers: readonly OidcSigner[]): Promise<void>;
  close(): Promise<void>;
}

/** The client that gets the tokens, and is therefore their `sub`. */
export const OIDC_CLIENT_ID = 'weather-bot';
const CLIENT_SECRET = 'not-a-secret-outside-of-this-test';
const TOKEN_TTL_SECONDS = 600;

export async function startOidcProvider(signers: readonly OidcSigner[]): Promise<TestOidcProvider> {
  const { default: Provider } = await withoutNotices(() => import('oidc-provider'));
  const requests: string[] = [];
  let handle: RequestListener;
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    handle(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  let alg = 'RS256';
  let claims: Record<string, unknown> = {};
  const withKeys = (keys: readonly OidcSigner[]): Promise<RequestListener> =>
    withoutNotices(() =>
      new Provider(issuer, {
        clients: [
          {
            client_id: OIDC_CLIENT_ID,
            client_secret: CLIENT_SECRET,
            grant_types: ['client_credentials'],
            response_types: [],
            redirect_uris: [],
          },
        ],
        jwks: { keys: keys.map((key) => key.privateJwk) },
        cookies: { keys: ['unused'] },
        features: {
          devInteractions: { enabled: false },
          clientCredentials: { enabled: true },
          resourceIndicators: {
            enabled: true,
            getResourceServerInfo: (_context: unknown, audience: string) => ({
              scope: '',
              audience,
              accessTokenFormat: 'jwt',
              accessTokenTTL: TOKEN_TTL_SECONDS,
              jwt: { sign: { alg } },
            }),
          },
        },
        extraTokenClaims: () => claims,
        ttl: { ClientCredentials: TOKEN_TTL_SECONDS },
      }).callback(),
    );
  handle = await withKeys(signers);

  return {
    issuer,
    requests,
    async issueToken(request) {
      claims = request.claims ?? {};
      alg = request.alg ?? 'RS256';
      const response = await fetch(`${issuer}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${OIDC_CLIENT_ID}:${CLIENT_SECRET}`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource: request.audience }),
      });
      const answer = (await response.json()) as { access_token?: string };
      if (answer.access_token === undefined) throw new Error(`no token: ${JSON.stringify(answer)}`);
      return answer.access_token;
    },
    async rotateTo(next) {
      handle = await withKeys(next);
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** On import and start it warns about production settings and recommends a later Node version. */
export async function withoutNotices<Result>(work: () => Result | Promise<Result>): Promise<Result> {
  const { info, warn } = console;
  Object.assign(console, { info: () => undefined, warn: () => undefined });
  try {
    return await work();
  } finally {
    Object.assign(console, { info, warn });
  }
}
