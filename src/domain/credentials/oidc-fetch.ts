import { OutboundError } from '../../outbound/outbound-error.ts';
import type { SafeFetch } from '../../outbound/safe-fetch.ts';
import { isLoopbackHost } from '../validation/url.ts';

/** How the issuer's documents are fetched. */
export interface OidcFetchOptions {
  /** The way out, with the issuer's own host open: the operator named it. */
  fetch: SafeFetch;
}

/**
 * The issuer did not give what the gateway needs from it. The message is safe to log: it names addresses and reasons,
 * nothing of a token and nothing of what the issuer answered.
 */
export class OidcIssuerError extends Error {
  override readonly name: string = 'OidcIssuerError';
}

/** The issuer answered, but not with 200. */
export class OidcStatusError extends OidcIssuerError {
  override readonly name = 'OidcStatusError';
}

/**
 * Fetches a JSON object of the issuer.
 *
 * @throws OidcIssuerError without network use when `url` is neither https nor loopback; else when the answer is late,
 *   too large, a redirect or any other status than 200 (OidcStatusError), or no JSON object
 */
export async function fetchIssuerDocument(url: string, { fetch }: OidcFetchOptions): Promise<Record<string, unknown>> {
  if (!isIssuerUrl(url)) throw new OidcIssuerError('an address of the issuer is not https');
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

/** Whether the address may be fetched: https, or http to loopback. */
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
    // The parser's own message quotes the answer.
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  throw new OidcIssuerError(`${url} did not answer with a JSON object`);
}
