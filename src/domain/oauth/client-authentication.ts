import { type ClientAuth, ClientSecretPost, None } from 'oauth4webapi';
import type { ClientAuthMethod, OAuthClient } from './oauth-provider.ts';

/** Returns the library's client authentication for a method. */
export function toClientAuth(client: OAuthClient, method: ClientAuthMethod): ClientAuth {
  if (method === 'none' || client.secret === null) return None();
  return method === 'client_secret_post'
    ? ClientSecretPost(client.secret.expose())
    : createBasicAuth(client.secret.expose());
}

/**
 * HTTP Basic authentication as in RFC 6749, section 2.3.1: both parts are form-encoded first. The library's version
 * also encodes "-", "_" and ".", which is allowed, but servers that do not decode would see another secret.
 */
function createBasicAuth(secret: string): ClientAuth {
  return (_server, client, _body, headers) => {
    const credentials = `${encodeForm(client.client_id)}:${encodeForm(secret)}`;
    headers.set('authorization', `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`);
  };
}

/** Encodes as application/x-www-form-urlencoded, keeping the characters that every serializer keeps. */
function encodeForm(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}
