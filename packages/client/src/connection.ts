import { createError } from './errors.ts';

/** Where the gateway is, and who calls. */
export interface ClientOptions {
  /** The address of the graph, e.g. `https://gatehouse.example.com/graphql`. */
  url: string | URL;
  /**
   * The bearer token. A function is asked before each request and each connection, so that a short-lived token can be
   * renewed. Leave it out in a browser that is signed in by cookie.
   */
  token?: string | (() => string | Promise<string>) | undefined;
  /** More header fields of each request. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** `include` sends the session cookie from a page of another origin, which the gateway must allow. */
  credentials?: 'omit' | 'same-origin' | 'include' | undefined;
  /** Replaces the global `fetch`. */
  fetch?: typeof fetch | undefined;
}

/** The header fields of one request. Throws `CONNECTION_FAILED` if the token's function fails. */
export async function createHeaders({ token, headers }: ClientOptions): Promise<Record<string, string>> {
  const bearer = typeof token === 'function' ? await askFor(token) : token;
  return { ...headers, ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }) };
}

async function askFor(token: () => string | Promise<string>): Promise<string> {
  try {
    return await token();
  } catch (cause) {
    throw createError('CONNECTION_FAILED', 'There is no token to send: its function failed.', { cause });
  }
}

/** Sends a request. It follows no redirection: a token is for the address that was configured. */
export function send(options: ClientOptions, init: RequestInit): Promise<Response> {
  const call = options.fetch ?? fetch;
  const { credentials } = options;
  return call(options.url, { ...init, redirect: 'error', ...(credentials !== undefined && { credentials }) });
}
