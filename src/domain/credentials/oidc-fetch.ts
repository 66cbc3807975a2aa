import { OutboundError } from '../../outbound/outbound-error.ts';
import type { SafeFetch } from '../../outbound/safe-fetch.ts';
import { isLoopbackHost } from '../validation/url.ts';

/** Options for fetching the issuer's documents. */
export interface OidcFetchOptions {
  /** The outbound client. It may call the issuer's host, because the operator configured it. */
  fetch: SafeFetch;
}

/**
 * The issuer did not provide what the gateway needs. The message is safe to log: it has addresses and reasons, but
 * nothing from a token or from the issuer's response.
 */
export class OidcIssuerError extends Error {
  override readonly name: string = 'OidcIssuerError';
}

/** The issuer answered with a status other than 200. */
export class OidcStatusError extends OidcIssuerError {
  override readonly name = 'OidcStatusError';
}

/**
 * Fetches a JSON object from the issuer.
 *
 * @throws OidcIssuerError without a request when `url` is neither https nor loopback; also when the response is late,
 *   too large, a redirect, not a JSON object, or has a status other than 200 (OidcStatusError)
 */
export async function fetchIssuerDocument(url: string, { fetch }: OidcFetchOptions): Promise<Record<string, unknown>> {
  if (!isIssuerUrl(url)) throw new OidcIssuerError('a URL of the issuer does not use https');
  let response: Response;
  try {
    response = await fetch(url, { headers: { accept: 'application/json' } });
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    throw new OidcIssuerError(`${url} failed (${error.failure}): ${error.message}`);
  }
  if (response.status !== 200) throw new OidcStatusError(`${url} answered ${response.status}`);
  return parseObject(await response.text(), url);
}

/** Whether the URL may be fetched: https, or http to loopback. */
export function isIssuerUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname));
}

function parseObject(text: string, url: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // The parser's message would quote the response.
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  throw new OidcIssuerError(`${url} did not answer with a JSON object`);
}
