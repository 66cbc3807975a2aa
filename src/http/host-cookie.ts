import { parse, serialize } from 'hono/utils/cookie';

/**
 * Creates a cookie that only this host can set. With https its name starts with `__Host-`: browsers accept that only with
 * Secure, Path=/ and no Domain. The public URL decides, not the connection: TLS may end at a proxy.
 *
 * @param baseName the name without the prefix
 */
export function createHostCookie(publicUrl: string, baseName: string) {
  const isSecure = publicUrl.startsWith('https:');
  const name = isSecure ? `__Host-${baseName}` : baseName;
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

/** Reads and writes a cookie. */
export type HostCookie = ReturnType<typeof createHostCookie>;
