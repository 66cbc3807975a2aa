import type { OAuthProvider } from './oauth-provider.ts';

/** Slack's endpoint for apps, also for governments. There `scope` asks for a bot, and `user_scope` for the user. */
const SLACK = /^https:\/\/slack(?:-gov)?\.com\/oauth\/v2\/authorize$/;

/**
 * Builds the URL that the user's browser is sent to (RFC 6749, section 4.1.1; RFC 7636; RFC 8707). Other parameters in
 * the endpoint's own URL are kept.
 */
export function toAuthorizationUrl(
  { authUrl, client, resource }: OAuthProvider,
  request: { redirectUri: string; state: string; codeChallenge: string; scopes: readonly string[] },
): string {
  const { redirectUri, state, codeChallenge, scopes } = request;
  const url = new URL(authUrl);
  const isSlack = SLACK.test(`${url.origin}${url.pathname}`);
  const parameters: Record<string, string | undefined> = {
    response_type: 'code',
    client_id: client.clientId,
    redirect_uri: redirectUri,
    state,
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
    [isSlack ? 'user_scope' : 'scope']: scopes.length > 0 ? scopes.join(isSlack ? ',' : ' ') : undefined,
    resource: resource ?? undefined,
    // OpenID Connect Core 1.0, section 11: offline access requires a consent prompt.
    prompt: scopes.includes('offline_access') ? 'consent' : undefined,
  };
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  return url.href;
}
