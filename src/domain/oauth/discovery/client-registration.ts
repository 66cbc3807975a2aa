import { z } from 'zod';
import { Secret } from '../../../crypto/secret.ts';
import type { SafeFetch } from '../../../outbound/safe-fetch.ts';
import { isLoopbackHost } from '../../validation/url.ts';
import { CLIENT_AUTH_METHODS, type ClientAuthMethod } from '../oauth-provider.ts';
import { CLIENT_GRANTS, type ClientDescription } from './client-metadata-document.ts';
import { parseJsonObject } from './json-document.ts';
import { describeWrongFields, optionalNames, optionalText } from './metadata-fields.ts';
import { describeOutboundError } from './outbound-message.ts';

/** The gateway as a client of one authorization server. */
export interface RegisteredClient {
  clientId: string;
  /** Null if and only if the method is `none`. */
  clientSecret: Secret | null;
  /** Null when it does not expire. */
  secretExpiresAt: Date | null;
  tokenAuthMethod: ClientAuthMethod;
}

/** The input of a registration. */
export interface RegisterClientOptions extends ClientDescription {
  fetch: SafeFetch;
  registrationEndpoint: string;
  /** The methods that the authorization server lists. */
  tokenAuthMethods: readonly string[];
  /** The scopes that the client will ask for. Omitted from the request when empty. */
  scopes: readonly string[];
}

/**
 * An authorization server did not register the gateway. The message is for an admin and quotes nothing from the
 * response.
 */
export class ClientRegistrationError extends Error {
  override readonly name = 'ClientRegistrationError';
}

const SUBJECT = 'The registration endpoint';
const ANSWER = 'The answer to the registration';

/** RFC 7591, section 3.2.2: the error codes, explained for an admin. */
const ERROR_CODES: Readonly<Record<string, string>> = {
  invalid_redirect_uri: "it does not accept this gateway's redirect URI, which is set by GATEHOUSE_PUBLIC_URL",
  invalid_client_metadata: "it does not accept this gateway's client metadata",
  invalid_software_statement: 'it requires a software statement, which this gateway does not have',
  unapproved_software_statement: 'it requires a software statement, which this gateway does not have',
};

/** RFC 6749, appendices A.1 and A.2: visible characters and spaces. */
const CREDENTIAL = /^[\x20-\x7e]*$/;

/** Later times are treated as "never": PostgreSQL and JavaScript dates may not hold them. */
const LAST_SECOND_OF_YEAR_9999 = 253_402_300_799;

/**
 * RFC 7591, section 3.2.1. Not parsed by oauth4webapi, which rejects a secret without `client_secret_expires_at`, as
 * many servers send it.
 */
const Registration = z.looseObject({
  client_id: z.string().min(1).max(2_048).regex(CREDENTIAL),
  // Some servers write "" for fields that a public client does not have.
  client_secret: optionalText.pipe(z.string().max(4_096).regex(CREDENTIAL).nullable()),
  client_secret_expires_at: z.unknown().optional().transform(toExpiry),
  redirect_uris: optionalNames,
  token_endpoint_auth_method: optionalText,
});

/**
 * Registers the gateway as a client (RFC 7591), without an initial access token. If the server rejects the metadata,
 * the request is repeated once without scopes: some servers register only their own scopes and still grant those of a
 * resource (oidc-provider), while others grant only registered scopes.
 *
 * @throws ClientRegistrationError
 */
export async function registerClient(options: RegisterClientOptions): Promise<RegisteredClient> {
  const { redirectUri, tokenAuthMethods, scopes } = options;
  const method = CLIENT_AUTH_METHODS.find((each) => tokenAuthMethods.includes(each));
  if (method === undefined) {
    const known = CLIENT_AUTH_METHODS.join(', ');
    throw new ClientRegistrationError(
      `The authorization server accepts none of this gateway's authentication methods: ${known}.`,
    );
  }
  let answer = await post(options, toRequest(options, method));
  if (scopes.length > 0 && readErrorCode(answer) === 'invalid_client_metadata') {
    answer = await post(options, toRequest({ ...options, scopes: [] }, method));
  }
  // The standard status is 201; some servers answer 200 or 202.
  if (answer.status < 200 || answer.status > 299) throw refusal(answer);
  return readRegistration(answer.text, { redirectUri, method });
}

interface Answer {
  status: number;
  text: string;
}

async function post({ fetch, registrationEndpoint }: RegisterClientOptions, request: object): Promise<Answer> {
  try {
    const answer = await fetch(registrationEndpoint, {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify(request),
    });
    return { status: answer.status, text: await answer.text() };
  } catch (error) {
    throw new ClientRegistrationError(describeOutboundError(SUBJECT, error));
  }
}

function toRequest({ redirectUri, clientName, clientUri, scopes }: RegisterClientOptions, method: ClientAuthMethod) {
  return {
    redirect_uris: [redirectUri],
    client_name: clientName,
    client_uri: clientUri,
    // MCP requires the type: OpenID servers accept a loopback redirect only from native clients.
    application_type: isLoopbackHost(new URL(redirectUri).hostname) ? 'native' : 'web',
    ...CLIENT_GRANTS,
    token_endpoint_auth_method: method,
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
  };
}

function refusal(answer: Answer): ClientRegistrationError {
  const code = readErrorCode(answer);
  if (code !== undefined) return new ClientRegistrationError(`${SUBJECT} refused (${code}): ${ERROR_CODES[code]}.`);
  const { status } = answer;
  const hint = status === 401 || status === 403 ? ' It may register only known clients: enter a client id.' : '';
  return new ClientRegistrationError(`${SUBJECT} answered with HTTP status ${status}.${hint}`);
}

/** The error code of a refusal, if it is a registered one. */
function readErrorCode({ status, text }: Answer): string | undefined {
  const code = status >= 400 && status < 500 ? parseJsonObject(text)?.['error'] : undefined;
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code) ? code : undefined;
}

function readRegistration(text: string, asked: { redirectUri: string; method: ClientAuthMethod }): RegisteredClient {
  const fields = parseJsonObject(text);
  if (fields === undefined) throw new ClientRegistrationError(`${ANSWER} is not a JSON object.`);
  const parsed = Registration.safeParse(fields);
  if (!parsed.success) throw new ClientRegistrationError(describeWrongFields(ANSWER, parsed.error));
  const { data } = parsed;
  if (data.redirect_uris?.includes(asked.redirectUri) === false) {
    throw new ClientRegistrationError(`${ANSWER} has other redirect URIs than the one in the request.`);
  }
  // A server may register another method than the requested one (RFC 7591, section 3.2.1). One that names no method and
  // gives no secret has registered a public client.
  const named = data.token_endpoint_auth_method ?? (data.client_secret === null ? 'none' : asked.method);
  const method = CLIENT_AUTH_METHODS.find((each) => each === named);
  if (method === undefined)
    throw new ClientRegistrationError(`${ANSWER} has a method that this gateway does not support.`);
  const credentials = { clientId: data.client_id, tokenAuthMethod: method };
  if (method === 'none') return { ...credentials, clientSecret: null, secretExpiresAt: null };
  if (data.client_secret === null)
    throw new ClientRegistrationError(`${ANSWER} has no secret, which its method needs.`);
  return {
    ...credentials,
    clientSecret: new Secret(data.client_secret),
    secretExpiresAt: data.client_secret_expires_at,
  };
}

/**
 * Reads `client_secret_expires_at`: seconds since 1970 as a number or as text, 0 for never. Anything else counts as never,
 * too: when the server no longer accepts the secret, the gateway registers again.
 */
function toExpiry(value: unknown): Date | null {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value).trim() : '';
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Math.floor(Number(text)) : 0;
  return seconds === 0 || seconds > LAST_SECOND_OF_YEAR_9999 ? null : new Date(seconds * 1_000);
}
