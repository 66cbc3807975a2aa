import { ReadableStream } from 'node:stream/web';
import { request as requestOverNetwork } from 'undici';

/** How requests leave a user agent, and which clock its cookies use. */
export interface UserAgentOptions {
  /** Sends requests without a route; over the network by default. Must not follow redirects. */
  fetch?: (request: Request) => Promise<Response>;
  /** Handlers in memory by origin, e.g. the gateway's. */
  routes?: Readonly<Record<string, (request: Request) => Promise<Response>>>;
  now?: () => Date;
}

/** A cookie in the jar. */
export interface StoredCookie {
  name: string;
  value: string;
  /** The host that it belongs to, with its subdomains unless `hostOnly`. Cookies do not depend on the port. */
  domain: string;
  hostOnly: boolean;
  path: string;
  secure: boolean;
  /** Whether scripts cannot see it. */
  httpOnly: boolean;
  sameSite: 'Strict' | 'Lax' | 'None';
  /** Undefined for a cookie of the browser session. */
  expiresAt: Date | undefined;
}

/** The end of a navigation. */
export interface Page {
  url: string;
  status: number;
  headers: Headers;
  text: string;
}

/** How a navigation starts and where it stops. */
export interface NavigateOptions {
  /** Method, headers and body, as from a form. */
  init?: RequestInit;
  /** The page with the link or form. Without: the user typed the address. */
  from?: string;
  /** Stops at a redirect to such an address without requesting it: it is in the page's `location` header. */
  stopBefore?: (url: URL) => boolean;
}

/** A browser as servers see it: cookies, redirects, and headers about the origin of requests. */
export interface UserAgent {
  /**
   * Opens a page, following up to 20 redirects. A redirect counts as the page that the next request comes from, as if
   * the user pressed a button there.
   */
  navigate(url: string | URL, options?: NavigateOptions): Promise<Page>;
  /** What a script does: one request with cookies, redirects not followed. @param init `from` is the script's page, of the same origin by default */
  fetch(url: string | URL, init?: RequestInit & { from?: string }): Promise<Response>;
  /** Every answer to a navigation so far, including redirects. */
  history: { url: string; status: number; setCookies: string[] }[];
  /** The cookies of a URL's host, whatever their path. */
  cookies(origin: string): StoredCookie[];
  clearCookies(): void;
}

const MAX_REDIRECTS = 20;
const LOOPBACK_HOST = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/;

/** A user agent with an empty cookie jar (RFC 6265bis as Chromium does it; no public suffix list, sites are two labels). */
export function createUserAgent(options: UserAgentOptions = {}): UserAgent {
  const { fetch: sendOut = sendOverNetwork, routes = {}, now = () => new Date() } = options;
  const history: UserAgent['history'] = [];
  let jar: StoredCookie[] = [];

  const livingCookies = (): StoredCookie[] => {
    jar = jar.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now());
    return jar;
  };

  const store = (cookie: StoredCookie): void => {
    const index = jar.findIndex((old) => isSameCookie(old, cookie));
    if (index === -1) jar.push(cookie);
    else jar[index] = cookie;
  };

  const send = async (url: URL, init: RequestInit, mode: 'navigate' | 'cors', initiator: URL | undefined) => {
    const method = (init.method ?? 'GET').toUpperCase();
    const isSameSite = initiator === undefined || toSite(initiator) === toSite(url);
    const isLaxRequest = isSameSite || (mode === 'navigate' && (method === 'GET' || method === 'HEAD'));
    const headers = new Headers(init.headers);
    for (const [name, value] of describeOrigin(url, method, mode, initiator)) {
      if (!headers.has(name)) headers.set(name, value);
    }
    const sent = livingCookies()
      .filter((cookie) => belongsTo(cookie, url.hostname) && isPathMatch(url.pathname, cookie.path))
      .filter((cookie) => !cookie.secure || isTrustworthy(url))
      .filter(({ sameSite }) => isSameSite || sameSite === 'None' || (sameSite === 'Lax' && isLaxRequest))
      .sort((one, other) => other.path.length - one.path.length);
    if (sent.length > 0) headers.set('cookie', sent.map(({ name, value }) => `${name}=${value}`).join('; '));

    const handler = routes[url.origin] ?? sendOut;
    const response = await handler(new Request(url, { ...init, method, headers, redirect: 'manual' }));
    for (const header of response.headers.getSetCookie()) {
      const cookie = parseSetCookie(header, url, now());
      const isTaken = isSameSite || mode === 'navigate' || cookie?.sameSite === 'None';
      if (cookie !== undefined && isTaken) store(cookie);
    }
    return response;
  };

  return {
    history,
    async navigate(target, { init = {}, from, stopBefore = () => false } = {}) {
      let url = new URL(target);
      let initiator = from === undefined ? undefined : new URL(from);
      let request = init;
      for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
        const response = await send(url, request, 'navigate', initiator);
        history.push({ url: url.href, status: response.status, setCookies: response.headers.getSetCookie() });
        const next = findRedirect(response, url);
        if (next === undefined || stopBefore(next)) {
          return { url: url.href, status: response.status, headers: response.headers, text: await response.text() };
        }
        await response.text();
        // Only 307 and 308 keep the method and the body (RFC 9110, section 15.4).
        if (response.status < 307) request = {};
        initiator = url;
        url = next;
      }
      throw new Error(`more than ${MAX_REDIRECTS} redirects, the last to ${url.href}`);
    },
    fetch(target, { from, ...init } = {}) {
      const url = new URL(target);
      return send(url, init, 'cors', from === undefined ? url : new URL(from));
    },
    cookies(origin) {
      const { hostname } = new URL(origin);
      return livingCookies().filter((cookie) => belongsTo(cookie, hostname));
    },
    clearCookies() {
      jar = [];
    },
  };
}

/** The headers about a request's origin: Fetch Metadata, and Origin where the Fetch standard requires it. */
function describeOrigin(
  url: URL,
  method: string,
  mode: 'navigate' | 'cors',
  initiator: URL | undefined,
): [string, string][] {
  const isNavigation = mode === 'navigate';
  const headers: [string, string][] = [
    ['accept', isNavigation ? 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' : '*/*'],
  ];
  if (isTrustworthy(url)) {
    headers.push(
      ['sec-fetch-mode', mode],
      ['sec-fetch-dest', isNavigation ? 'document' : 'empty'],
      ['sec-fetch-site', compareSites(url, initiator)],
    );
  }
  const isSafe = method === 'GET' || method === 'HEAD';
  const isCrossOriginScript = !isNavigation && initiator?.origin !== url.origin;
  if (!isSafe || isCrossOriginScript) headers.push(['origin', initiator?.origin ?? 'null']);
  return headers;
}

function compareSites(url: URL, initiator: URL | undefined): 'none' | 'same-origin' | 'same-site' | 'cross-site' {
  if (initiator === undefined) return 'none';
  if (initiator.origin === url.origin) return 'same-origin';
  return toSite(initiator) === toSite(url) ? 'same-site' : 'cross-site';
}

function findRedirect(response: Response, url: URL): URL | undefined {
  const location = response.headers.get('location');
  if (location === null || ![301, 302, 303, 307, 308].includes(response.status)) return undefined;
  return new URL(location, url);
}

/** The scheme and the last two labels: close enough to the registrable domain for the names in tests. */
function toSite({ protocol, hostname }: URL): string {
  const isAddress = /^[\d.]+$/.test(hostname) || hostname.startsWith('[');
  return `${protocol}//${isAddress ? hostname : hostname.split('.').slice(-2).join('.')}`;
}

/** Where Chromium accepts and sends Secure cookies: https, and loopback over http. */
function isTrustworthy({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || LOOPBACK_HOST.test(hostname);
}

function belongsTo({ domain, hostOnly }: StoredCookie, hostname: string): boolean {
  return hostname === domain || (!hostOnly && hostname.endsWith(`.${domain}`));
}

/** RFC 6265, section 5.1.4. */
function isPathMatch(requestPath: string, cookiePath: string): boolean {
  if (requestPath === cookiePath) return true;
  return requestPath.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`);
}

function isSameCookie(one: StoredCookie, other: StoredCookie): boolean {
  const { name, domain, hostOnly, path } = one;
  return name === other.name && domain === other.domain && hostOnly === other.hostOnly && path === other.path;
}

/** RFC 6265bis, section 5.6 and 5.7. Undefined for a cookie that a browser refuses. */
function parseSetCookie(header: string, url: URL, now: Date): StoredCookie | undefined {
  const [pair = '', ...rest] = header.split(';');
  const [, name, value = ''] = /^\s*([^=]+?)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
  if (name === undefined) return undefined;
  const attributes = new Map(rest.map((each) => splitAttribute(each)));

  const domainAttribute = attributes.get('domain')?.toLowerCase().replace(/^\./, '');
  const domain = domainAttribute || url.hostname;
  const isOwnDomain = url.hostname === domain || (domain.includes('.') && url.hostname.endsWith(`.${domain}`));
  const pathAttribute = attributes.get('path');
  const path = pathAttribute?.startsWith('/') === true ? pathAttribute : toDefaultPath(url.pathname);
  const secure = attributes.has('secure');
  const sameSite = parseSameSite(attributes.get('samesite'));
  if (!isOwnDomain || (secure && !isTrustworthy(url)) || (sameSite === 'None' && !secure)) return undefined;

  // Recent Chromium accepts these names from http on loopback too, other browsers do not: this is the strict way.
  const isSecurelySet = secure && url.protocol === 'https:';
  if (/^__(secure|host)-/i.test(name) && !isSecurelySet) return undefined;
  if (/^__host-/i.test(name) && (domainAttribute !== undefined || pathAttribute !== '/')) return undefined;

  return {
    name,
    value,
    domain,
    hostOnly: !domainAttribute,
    path,
    secure,
    httpOnly: attributes.has('httponly'),
    sameSite,
    expiresAt: findExpiry(attributes, now),
  };
}

function splitAttribute(text: string): [string, string] {
  const [name = '', ...value] = text.split('=');
  return [name.trim().toLowerCase(), value.join('=').trim()];
}

function parseSameSite(value: string | undefined): StoredCookie['sameSite'] {
  if (value?.toLowerCase() === 'strict') return 'Strict';
  return value?.toLowerCase() === 'none' ? 'None' : 'Lax';
}

/** Max-Age takes precedence over Expires. An expired cookie removes the one with its name. */
function findExpiry(attributes: ReadonlyMap<string, string>, now: Date): Date | undefined {
  const maxAge = attributes.get('max-age') ?? '';
  if (/^-?\d+$/.test(maxAge)) return new Date(now.getTime() + Math.max(Number(maxAge), 0) * 1_000);
  const expires = Date.parse(attributes.get('expires') ?? '');
  return Number.isNaN(expires) ? undefined : new Date(expires);
}

/** The folder of the path (RFC 6265, section 5.1.4). */
function toDefaultPath(pathname: string): string {
  return pathname.slice(0, pathname.lastIndexOf('/')) || '/';
}

/** Not `fetch`, which sets the request mode itself. */
async function sendOverNetwork(request: Request): Promise<Response> {
  const body = request.body === null ? null : Buffer.from(await request.arrayBuffer());
  const answer = await requestOverNetwork(request.url, {
    method: request.method,
    headers: Object.fromEntries(request.headers),
    body,
    signal: request.signal,
  });
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers)) {
    for (const each of Array.isArray(value) ? value : [value ?? '']) headers.append(name, each);
  }
  const isBodyless = [204, 205, 304].includes(answer.statusCode);
  if (isBodyless) await answer.body.dump();
  // Not `Readable.toWeb`: data that arrives after a cancel ends the process there.
  const stream = isBodyless ? null : (ReadableStream.from(answer.body) as unknown as BodyInit);
  return new Response(stream, { status: answer.statusCode, headers });
}
