import { describe, expect, test } from 'vitest';
import { createUserAgent } from '../setup/user-agent.ts';

// Tests the simulated browser of the OAuth tests: it behaves as browsers do.

describe('the user agent', () => {
  /** Sets cookies at one address by navigation, and returns which of them another request sends. */
  async function findSentCookies(step: {
    set: string[];
    at?: string;
    to?: string;
    from?: string;
    as?: 'link' | 'form' | 'script';
    later?: number;
  }): Promise<string> {
    const { set, at = 'https://a.example/x/y', to = at, from, as = 'link', later = 0 } = step;
    let now = 0;
    let sent: string | null = null;
    const agent = createUserAgent({
      now: () => new Date(now),
      fetch: async ({ headers }) => {
        sent = headers.get('cookie');
        const cookies = now === 0 && sent === null ? set : [];
        return new Response('', { headers: cookies.map((each): [string, string] => ['set-cookie', each]) });
      },
    });
    await agent.navigate(at);
    now = 1 + later * 1_000;
    const origin = from === undefined ? {} : { from };
    if (as === 'script') await agent.fetch(to, origin);
    else await agent.navigate(to, { ...origin, init: { method: as === 'form' ? 'POST' : 'GET' } });
    return sent ?? '';
  }

  test.each<[string, Parameters<typeof findSentCookies>[0], string]>([
    ['a cookie goes back to its host', { set: ['a=1'] }, 'a=1'],
    ['its value may have equals signs', { set: ['a=b=c='] }, 'a=b=c='],
    ['the later of a name counts', { set: ['a=1; Path=/', 'a=2; Path=/'] }, 'a=2'],
    ['it goes to no other host', { set: ['a=1'], to: 'https://b.example/x/y' }, ''],
    ['it goes to no subdomain', { set: ['a=1'], to: 'https://s.a.example/x/y' }, ''],
    ['with Domain it does', { set: ['a=1; Domain=a.example'], to: 'https://s.a.example/x/y' }, 'a=1'],
    ['it goes to another port', { set: ['a=1'], to: 'https://a.example:8443/x/y' }, 'a=1'],
    ['a foreign Domain is not taken', { set: ['a=1; Domain=b.example'] }, ''],
    ['a top-level Domain is not taken', { set: ['a=1; Domain=example'] }, ''],
    ['without Path it is for the folder', { set: ['a=1'], to: 'https://a.example/x' }, 'a=1'],
    ['and for nothing above', { set: ['a=1'], to: 'https://a.example/' }, ''],
    ['a Path is for what is under it', { set: ['a=1; Path=/p'], to: 'https://a.example/p/q' }, 'a=1'],
    ['and not for a longer name', { set: ['a=1; Path=/p'], to: 'https://a.example/pq' }, ''],
    ['longer paths come first', { set: ['a=1; Path=/', 'b=2; Path=/x'] }, 'b=2; a=1'],
    ['Secure does not go by http', { set: ['a=1; Secure'], to: 'http://a.example/x/y' }, ''],
    ['Secure is not taken from http', { set: ['a=1; Secure'], at: 'http://a.example/', to: 'https://a.example/' }, ''],
    ['Secure works on localhost', { set: ['a=1; Secure'], at: 'http://localhost:4000/' }, 'a=1'],
    ['Secure works on 127.0.0.1', { set: ['a=1; Secure'], at: 'http://127.0.0.1:4000/' }, 'a=1'],
    ['__Secure- works by https', { set: ['__Secure-a=1; Secure'] }, '__Secure-a=1'],
    ['__Secure- needs Secure', { set: ['__Secure-a=1'] }, ''],
    ['__Secure- needs https', { set: ['__Secure-a=1; Secure'], at: 'http://localhost/' }, ''],
    ['__Host- works by https', { set: ['__Host-a=1; Secure; Path=/'] }, '__Host-a=1'],
    ['__Host- needs Path=/', { set: ['__Host-a=1; Secure; Path=/x'] }, ''],
    ['__Host- has no Domain', { set: ['__Host-a=1; Secure; Path=/; Domain=a.example'] }, ''],
    ['Max-Age=0 removes', { set: ['a=1', 'a=; Max-Age=0'] }, ''],
    ['a past Expires removes', { set: ['a=1', 'a=; Expires=Mon, 01 Jan 1968 00:00:00 GMT'] }, ''],
    ['only the one of that path', { set: ['a=1; Path=/', 'a=; Path=/x; Max-Age=0'] }, 'a=1'],
    ['Max-Age counts before', { set: ['a=1; Max-Age=60'], later: 59 }, 'a=1'],
    ['and is over after', { set: ['a=1; Max-Age=60'], later: 60 }, ''],
    ['Max-Age beats Expires', { set: ['a=1; Max-Age=60; Expires=Mon, 01 Jan 1968 00:00:00 GMT'] }, 'a=1'],
    ['Lax comes with a link of another site', { set: ['a=1; SameSite=Lax'], from: 'https://b.example/' }, 'a=1'],
    ['no SameSite is Lax', { set: ['a=1'], from: 'https://b.example/', as: 'form' }, ''],
    ['Lax stays home from a form', { set: ['a=1; SameSite=Lax'], from: 'https://b.example/', as: 'form' }, ''],
    ['Lax stays home from a script', { set: ['a=1; SameSite=Lax'], from: 'https://b.example/', as: 'script' }, ''],
    ['Strict stays home from a link', { set: ['a=1; SameSite=Strict'], from: 'https://b.example/' }, ''],
    ['Strict comes when it was typed', { set: ['a=1; SameSite=Strict'] }, 'a=1'],
    ['Strict comes within the site', { set: ['a=1; SameSite=Strict'], from: 'https://s.a.example/' }, 'a=1'],
    ['http is another site', { set: ['a=1; SameSite=Strict'], from: 'http://a.example/' }, ''],
    ['None comes everywhere', { set: ['a=1; SameSite=None; Secure'], from: 'https://b.example/', as: 'script' }, 'a=1'],
    ['None needs Secure', { set: ['a=1; SameSite=None'] }, ''],
    ['an own script has cookies', { set: ['a=1; HttpOnly; SameSite=Strict'], as: 'script' }, 'a=1'],
  ])('%s', async (_rule, step, sent) => {
    expect(await findSentCookies(step)).toBe(sent);
  });

  test('a script of another site leaves no cookie but one with SameSite=None', async () => {
    const setCookies = ['lax=1; SameSite=Lax', 'none=1; SameSite=None; Secure'];
    const agent = createUserAgent({
      fetch: async () =>
        new Response('', { headers: setCookies.map((each): [string, string] => ['set-cookie', each]) }),
    });
    await agent.fetch('https://a.example/', { from: 'https://b.example/' });
    expect(agent.cookies('https://a.example').map(({ name }) => name)).toEqual(['none']);
    await agent.fetch('https://a.example/');
    expect(agent.cookies('https://a.example').map(({ name }) => name)).toEqual(['none', 'lax']);
  });

  test('follows redirects across hosts, and tells where each request comes from', async () => {
    const seen: (string | null)[][] = [];
    const record = (request: Request): void => {
      const { method, url, headers } = request;
      seen.push([method, url, headers.get('sec-fetch-mode'), headers.get('sec-fetch-site'), headers.get('origin')]);
    };
    const agent = createUserAgent({
      routes: {
        'https://a.example': async (request) => {
          record(request);
          const headers = { location: 'https://b.example/there', 'set-cookie': 'a=1; Path=/; HttpOnly' };
          return request.url.endsWith('/back') ? new Response('end') : new Response(null, { status: 303, headers });
        },
        'https://b.example': async (request) => {
          record(request);
          return new Response(null, { status: 302, headers: { location: 'https://a.example/back' } });
        },
      },
    });
    const page = await agent.navigate('https://a.example/go', { init: { method: 'POST', body: 'x' } });
    expect(page).toMatchObject({ url: 'https://a.example/back', status: 200, text: 'end' });
    expect(seen).toEqual([
      ['POST', 'https://a.example/go', 'navigate', 'none', 'null'],
      ['GET', 'https://b.example/there', 'navigate', 'cross-site', null],
      ['GET', 'https://a.example/back', 'navigate', 'cross-site', null],
    ]);
    expect(agent.history.map(({ status, setCookies }) => [status, setCookies])).toEqual([
      [303, ['a=1; Path=/; HttpOnly']],
      [302, []],
      [200, []],
    ]);
    expect(agent.cookies('https://a.example')).toMatchObject([{ name: 'a', value: '1', httpOnly: true }]);
    expect(agent.cookies('https://b.example')).toEqual([]);
    agent.clearCookies();
    expect(agent.cookies('https://a.example')).toEqual([]);

    const stopped = await agent.navigate('https://a.example/go', { stopBefore: (url) => url.pathname === '/back' });
    expect([stopped.status, stopped.headers.get('location')]).toEqual([302, 'https://a.example/back']);
    const alone = await agent.fetch('https://a.example/go', { method: 'DELETE' });
    expect(alone.status).toBe(303);
    expect(seen.at(-1)).toEqual(['DELETE', 'https://a.example/go', 'cors', 'same-origin', 'https://a.example']);
  });

  test('gives up on redirects without end', async () => {
    let count = 0;
    const agent = createUserAgent({
      fetch: async () => {
        count += 1;
        return new Response(null, { status: 307, headers: { location: '/again' } });
      },
    });
    await expect(agent.navigate('https://a.example/')).rejects.toThrow('more than 20 redirects');
    expect(count).toBe(21);
  });
});
