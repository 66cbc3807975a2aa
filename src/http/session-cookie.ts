import { parse, serialize } from 'hono/utils/cookie';

/**
 * Creates the session cookie. With https its name starts with `__Host-`: browsers accept that only with Secure, Path=/
 * and no Domain, so no other host can set it. The public URL decides, not the connection: TLS may end at a proxy.
 */
export function createSessionCookie(publicUrl: string) {
  const isSecure = publicUrl.startsWith('https:');
  const name = isSecure ? '__Host-gatehouse_session' : 'gatehouse_session';
  const options = { path: '/', httpOnly: true, sameSite: 'Lax', secure: isSecure } as const;
  return {
    name,
    /** The cookie's value in a request; undefined if absent. */
    read(request: Request): string | undefined {
      return parse(request.headers.get('cookie') ?? '', name)[name];
    },
    /** The `Set-Cookie` header that sets the cookie until `expiresAt`. */
    set(value: string, expiresAt: Date): string {
      return serialize(name, value, { ...options, expires: expiresAt });
    },
    /** The `Set-Cookie` header that deletes the cookie. */
    clear(): string {
      return serialize(name, '', { ...options, maxAge: 0 });
    },
  };
}

/** Reads and writes the session cookie. */
export type SessionCookie = ReturnType<typeof createSessionCookie>;
