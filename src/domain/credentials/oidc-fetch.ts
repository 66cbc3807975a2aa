import { isLoopbackHost } from '../validation/url.ts';

/** What one document of the issuer may weigh, after decompression. */
const MAX_DOCUMENT_BYTES = 256 * 1_024;
const FETCH_TIMEOUT_MS = 10_000;

/** How the issuer's documents are fetched. */
export interface OidcFetchOptions {
  fetch?: typeof fetch | undefined;
  /** Aborts one fetch, body included. By default after 10 s. */
  createTimeoutSignal?: (() => AbortSignal) | undefined;
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
export async function fetchIssuerDocument(url: string, options: OidcFetchOptions): Promise<Record<string, unknown>> {
  if (!isIssuerUrl(url)) throw new OidcIssuerError('an address of the issuer is not https');
  const { fetch: fetchOnce = fetch, createTimeoutSignal = () => AbortSignal.timeout(FETCH_TIMEOUT_MS) } = options;
  let text: string;
  try {
    const response = await fetchOnce(url, {
      headers: { accept: 'application/json' },
      // An issuer that moves its keys says so in its metadata; following a redirect would trust another address.
      redirect: 'manual',
      signal: createTimeoutSignal(),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new OidcStatusError(`${url} answered ${response.status}`);
    }
    text = await readLimited(response, url);
  } catch (error) {
    throw error instanceof OidcIssuerError ? error : new OidcIssuerError(`${url} failed: ${describeFailure(error)}`);
  }
  return parseObject(text, url);
}

/** Whether the address may be fetched: https, or http to loopback. */
export function isIssuerUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && isLoopbackHost(hostname));
}

async function readLimited(response: Response, url: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  // Leaving the loop by throwing cancels the rest of the body.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_DOCUMENT_BYTES) throw new OidcIssuerError(`${url} answered more than ${MAX_DOCUMENT_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
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

/** The code of a socket's error, or the kind of failure. */
function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown reason';
  const { cause } = error;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : error.name;
}
