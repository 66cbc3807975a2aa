import { parse, serialize } from 'hono/utils/cookie';

/**
 * The session cookie. Under https its name starts with `__Host-`, which browsers only take with Secure, Path=/ and no
 * Domain, so that no other host can set it. What counts is the public URL, not the connection: TLS may end at a proxy.
 */
export function createSessionCookie(publicUrl: string) {
  const isSecure = publicUrl.startsWith('https:');
  const name = isSecure ? '__Host-gatehouse_session' : 'gatehouse_session';
  const options = { path: '/', httpOnly: true, sameSite: 'Lax', secure: isSecure } as const;
  return {
    name,
    /** The cookie's value in a request, or undefined. */
    read(request: Request): string | undefined {
      return parse(request.headers.get('cookie') ?? '', name)[name];
    },
    /** A `Set-Cookie` header that sets it until `expiresAt`. */
    set(value: string, expiresAt: Date): string {
      return serialize(name, value, { ...options, expires: expiresAt });
    },
    /** A `Set-Cookie` header that removes it. */
    clear(): string {
      return serialize(name, '', { ...options, maxAge: 0 });
    },
  };
}

/** Reads and writes the session cookie. */
export type SessionCookie = ReturnType<typeof createSessionCookie>;
