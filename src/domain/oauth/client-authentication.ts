import { type ClientAuth, ClientSecretPost, None } from 'oauth4webapi';
import type { ClientAuthMethod, OAuthClient } from './oauth-provider.ts';

/** The library's client authentication for one way to send the secret. */
export function toClientAuth(client: OAuthClient, method: ClientAuthMethod): ClientAuth {
  if (method === 'none' || client.secret === null) return None();
  return method === 'client_secret_post'
    ? ClientSecretPost(client.secret.expose())
    : createBasicAuth(client.secret.expose());
}

/**
 * HTTP Basic authentication as RFC 6749, section 2.3.1, has it: both parts form-encoded first. The library's own
 * encodes "-", "_" and "." too, which is allowed, and which servers that do not decode take for another secret.
 */
function createBasicAuth(secret: string): ClientAuth {
  return (_server, client, _body, headers) => {
    const credentials = `${encodeForm(client.client_id)}:${encodeForm(secret)}`;
    headers.set('authorization', `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`);
  };
}

/** application/x-www-form-urlencoded, leaving alone what every serializer leaves alone. */
function encodeForm(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}
