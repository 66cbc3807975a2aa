/** Where a request ended after all redirects. */
export interface Landing {
  url: string;
  status: number;
  headers: Headers;
  text: string;
}

/** Sends one request. */
export type Send = (url: string, init: RequestInit) => Promise<Response>;

/**
 * A browser without pages: keeps the cookies of each host, follows redirects, and says what Chromium says when somebody
 * opens an address.
 */
export function createTinyBrowser(send: Send) {
  const jars = new Map<string, Map<string, string>>();
  const jarOf = (url: string): Map<string, string> => {
    const { host } = new URL(url);
    const jar = jars.get(host) ?? new Map<string, string>();
    jars.set(host, jar);
    return jar;
  };

  const request = async (url: string, init: RequestInit = {}): Promise<Response> => {
    const jar = jarOf(url);
    const headers = new Headers({ accept: 'text/html,*/*;q=0.8', 'sec-fetch-mode': 'navigate' });
    headers.set('sec-fetch-dest', 'document');
    if (jar.size > 0) headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '));
    for (const [name, value] of new Headers(init.headers)) headers.set(name, value);
    const response = await send(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const at = pair.indexOf('=');
      const isGone = /max-age=0|expires=Thu, 01 Jan 1970/i.test(line) || at === pair.length - 1;
      if (isGone) jar.delete(pair.slice(0, at));
      else jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  };

  return {
    jarOf,
    request,
    /** Opens an address and follows redirects. @param until stops before an address for which it returns true */
    async open(url: string, until: (url: string) => boolean = () => false): Promise<Landing> {
      let current = url;
      for (let hops = 0; hops < 20; hops += 1) {
        if (until(current)) return { url: current, status: 0, headers: new Headers(), text: '' };
        const response = await request(current);
        const location = response.headers.get('location');
        if (location === null) {
          return { url: current, status: response.status, headers: response.headers, text: await response.text() };
        }
        await response.body?.cancel();
        current = new URL(location, current).href;
      }
      throw new Error(`too many redirects from ${url}`);
    },
  };
}

export type TinyBrowser = ReturnType<typeof createTinyBrowser>;
