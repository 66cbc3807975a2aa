import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Provider } from './authorization-server-provider.ts';
import { withoutNotices } from './oidc-provider.ts';
import { createOidcSigner, type OidcSigner } from './oidc-signer.ts';

/** The gateway at the provider. */
export const CLIENT_ID = 'gatehouse';
export const CLIENT_SECRET = 'not-a-secret-outside-of-this-test';

/** A person at the provider. */
export interface Account {
  sub: string;
  email?: string;
  email_verified?: unknown;
  /** What the token says about roles. */
  gatehouse_role?: unknown;
}

/** A running certified OpenID provider, where the gateway signs browsers in. */
export interface SignInProvider {
  issuer: string;
  /** Method and path of each request so far. */
  requests: string[];
  /** Who signs in next. Nobody is asked for a password. Undefined: whoever signs in declines. */
  nextAccount: Account | undefined;
  /** When set, every request is answered by this instead. */
  instead: RequestListener | undefined;
  /** Answers a request honestly. */
  pass: RequestListener;
  /** Changes what the answer at a path says, such as `/token` or `/me`. */
  forge: { path: string; change(answer: Record<string, unknown>): Promise<Record<string, unknown>> } | undefined;
  signer(): OidcSigner;
  /** Restarts the provider with other keys at the same address. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

interface SignInProviderOptions {
  /** The public URL of the gateway. */
  gatewayUrl: string;
  /** Whether the provider has a userinfo endpoint, or puts all claims into the ID token. */
  hasUserinfo?: boolean;
  authMethod?: 'client_secret_basic' | 'client_secret_post' | 'none';
}

export async function startSignInProvider(options: SignInProviderOptions): Promise<SignInProvider> {
  const { gatewayUrl, hasUserinfo = true, authMethod = 'client_secret_basic' } = options;
  const accounts = new Map<string, Account>();
  let provider: Provider;
  let handle: RequestListener;
  let signer = await createOidcSigner('RS256', 'first');

  const server = createServer((request, response) => {
    self.requests.push(`${request.method} ${request.url?.split('?')[0]}`);
    if (self.instead !== undefined) self.instead(request, response);
    else if (request.url?.startsWith('/interaction/')) void interact(request, response);
    else if (self.forge !== undefined && request.url === self.forge.path) forgeAnswer(request, response, self.forge);
    else handle(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const interact = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { prompt, session, params, grantId } = await provider.interactionDetails(request, response);
    if (self.nextAccount === undefined) {
      await provider.interactionFinished(request, response, { error: 'access_denied', error_description: '<b>no</b>' });
    } else if (prompt.name === 'login') {
      accounts.set(self.nextAccount.sub, self.nextAccount);
      await provider.interactionFinished(request, response, { login: { accountId: self.nextAccount.sub } });
    } else {
      const owner = { accountId: session?.accountId ?? '', clientId: params.client_id };
      const grant =
        (grantId === undefined ? undefined : await provider.Grant.find(grantId)) ?? new provider.Grant(owner);
      grant.addOIDCScope(prompt.details.missingOIDCScope ?? []);
      await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
    }
  };

  /** Passes the request on, and changes the answer. */
  const forgeAnswer = (
    request: IncomingMessage,
    response: ServerResponse,
    forge: NonNullable<SignInProvider['forge']>,
  ): void => {
    const end = response.end.bind(response);
    response.end = ((body: Buffer | string) => {
      void forge
        .change(JSON.parse(String(body)))
        .then((forged) => JSON.stringify(forged))
        .then((text) => {
          response.setHeader('content-length', Buffer.byteLength(text));
          end(text);
        });
      return response;
    }) as typeof response.end;
    handle(request, response);
  };

  const start = async (): Promise<void> => {
    const module = (await withoutNotices(() => import('oidc-provider'))) as unknown as {
      default: new (issuer: string, configuration: object) => Provider;
    };
    provider = await withoutNotices(
      () =>
        new module.default(issuer, {
          clients: [
            {
              client_id: CLIENT_ID,
              ...(authMethod !== 'none' && { client_secret: CLIENT_SECRET }),
              token_endpoint_auth_method: authMethod,
              grant_types: ['authorization_code'],
              response_types: ['code'],
              redirect_uris: [`${gatewayUrl}/auth/oidc/callback`],
              post_logout_redirect_uris: [`${gatewayUrl}/auth/signed-out`],
              backchannel_logout_uri: `${gatewayUrl}/auth/oidc/backchannel-logout`,
              backchannel_logout_session_required: true,
            },
          ],
          clientAuthMethods: [authMethod],
          jwks: { keys: [signer.privateJwk] },
          cookies: { keys: ['unused'] },
          pkce: { required: () => true },
          // Its dispatcher does not call loopback, where the gateway of a test is, and its signal gives up after 2.5 s,
          // which is too early on a busy machine.
          fetch: (
            url: string,
            { dispatcher: _dispatcher, signal: _signal, ...init }: RequestInit & { dispatcher?: unknown },
          ) => fetch(url, init),
          conformIdTokenClaims: hasUserinfo,
          claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['gatehouse_role'] },
          findAccount: (_context: unknown, sub: string) => ({
            accountId: sub,
            claims: () => ({ ...accounts.get(sub), sub }),
          }),
          interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
          features: {
            devInteractions: { enabled: false },
            userinfo: { enabled: hasUserinfo },
            backchannelLogout: { enabled: true },
            rpInitiatedLogout: { enabled: true },
          },
          ttl: {
            Session: 86_400,
            Grant: 86_400,
            Interaction: 600,
            IdToken: 86_400,
            AccessToken: 600,
            AuthorizationCode: 60,
          },
        }),
    );
    handle = provider.callback();
  };

  const self: SignInProvider = {
    issuer,
    requests: [],
    nextAccount: undefined,
    instead: undefined,
    pass: (request, response) => handle(request, response),
    forge: undefined,
    signer: () => signer,
    async restart() {
      signer = await createOidcSigner('RS256', 'second');
      await start();
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  await start();
  return self;
}
