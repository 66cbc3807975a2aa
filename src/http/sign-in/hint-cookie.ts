import { parse, serialize } from 'hono/utils/cookie';

/** The only path that reads it, so that no other request carries it. */
const PATH = '/auth/sign-out';

/** Reads and writes the cookie that tells the provider who signs out. */
export type HintCookie = ReturnType<typeof createHintCookie>;

/** Creates it. `__Host-` would require Path=/ and send it everywhere. */
export function createHintCookie(publicUrl: string) {
  const isSecure = publicUrl.startsWith('https:');
  const name = `${isSecure ? '__Secure-' : ''}gatehouse_id_token`;
  const options = { path: PATH, httpOnly: true, sameSite: 'Lax', secure: isSecure } as const;
  return {
    /** The cookie's value in a request; undefined if absent. */
    read: (request: Request): string | undefined => parse(request.headers.get('cookie') ?? '', name)[name],

    /** The `Set-Cookie` header that sets the cookie, or deletes that of an earlier sign-in if there is no value. */
    set: (value: string | undefined, expiresAt: Date): string =>
      value === undefined
        ? serialize(name, '', { ...options, maxAge: 0 })
        : serialize(name, value, { ...options, expires: expiresAt }),

    /** The `Set-Cookie` header that deletes the cookie. */
    clear: (): string => serialize(name, '', { ...options, maxAge: 0 }),
  };
}
