import { createHash, randomBytes } from 'node:crypto';
import type { TestAuthorizationServer } from './authorization-server.ts';
import { createUserAgent, type Page, type UserAgent } from './user-agent.ts';

/** A hand-written OAuth client: correct by default, with deviations given by `change`. */
export interface TestOAuthClient {
  /** Sends the browser to the authorization server. @returns the last page and the parameters of its address */
  authorize(change?: Change): Promise<Authorization>;
  /** Redeems the code of an authorization. */
  redeem(authorization: Authorization, change?: Change): Promise<TokenAnswer>;
  refresh(refreshToken: string, change?: Change): Promise<TokenAnswer>;
  /** Revokes a token (RFC 7009). @returns the status */
  revoke(token: string): Promise<number>;
  /** Authorizes and redeems. @throws Error if there are no tokens */
  connect(change?: Change): Promise<Tokens>;
}

/** Parameters to replace or, with undefined, to omit. */
export type Change = Readonly<Record<string, string | undefined>>;

/** The result of an authorization request, and what is needed to redeem its code. */
export interface Authorization {
  page: Page;
  answer: URLSearchParams;
  verifier: string;
}

/** The tokens of a successful answer. */
export interface Tokens {
  access_token: string;
  refresh_token: string;
  token_type: string;
  expires_in: number;
  scope: string;
}

/** Any answer of the token endpoint. */
export interface TokenAnswer {
  status: number;
  body: Tokens & { error?: string };
}

/** The default redirect URI of `createOAuthClient`. */
export const REDIRECT_URI = 'https://client.example/callback';

/** A browser in which every address of the client shows a page with `done`. */
export function createClientBrowser(redirectUri: string = REDIRECT_URI): UserAgent {
  return createUserAgent({ routes: { [new URL(redirectUri).origin]: async () => new Response('done') } });
}

/** @param options `resource` is sent with each request, `secret` by HTTP Basic */
export function createOAuthClient(options: {
  server: TestAuthorizationServer;
  clientId: string;
  resource: string;
  secret?: string;
  redirectUri?: string;
  browser?: UserAgent;
}): TestOAuthClient {
  const { server, clientId, resource, secret, redirectUri = REDIRECT_URI } = options;
  const browser = options.browser ?? createClientBrowser(redirectUri);

  const post = (url: string, form: Change): Promise<Response> => {
    const headers = secret === undefined ? {} : { authorization: `Basic ${btoa(`${clientId}:${secret}`)}` };
    const body = toParameters({ ...(secret === undefined && { client_id: clientId }), ...form });
    return fetch(url, { method: 'POST', headers, body });
  };
  const askForTokens = async (form: Change): Promise<TokenAnswer> => {
    const response = await post(server.endpoints.token, form);
    return { status: response.status, body: (await response.json()) as TokenAnswer['body'] };
  };

  const authorize: TestOAuthClient['authorize'] = async (change = {}) => {
    const verifier = randomBytes(32).toString('base64url');
    const parameters = toParameters({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: redirectUri,
      state: 'state-1',
      resource,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...change,
    });
    const page = await browser.navigate(`${server.endpoints.authorization}?${parameters}`);
    return { page, answer: new URL(page.url).searchParams, verifier };
  };
  const redeem: TestOAuthClient['redeem'] = ({ answer, verifier }, change = {}) =>
    askForTokens({
      grant_type: 'authorization_code',
      code: answer.get('code') ?? undefined,
      code_verifier: verifier,
      redirect_uri: redirectUri,
      resource,
      ...change,
    });

  return {
    authorize,
    redeem,
    refresh: (refreshToken, change = {}) =>
      askForTokens({ grant_type: 'refresh_token', refresh_token: refreshToken, resource, ...change }),
    revoke: async (token) => (await post(server.endpoints.revocation, { token })).status,
    async connect(change = {}) {
      const { status, body } = await redeem(await authorize(change), 'resource' in change ? pickResource(change) : {});
      if (status !== 200) throw new Error(`no tokens: ${status} ${JSON.stringify(body)}`);
      return body;
    },
  };
}

function pickResource({ resource }: Change): Change {
  return { resource };
}

function toParameters(values: Change): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) parameters.set(name, value);
  return parameters;
}
