import { parse, serialize } from 'hono/utils/cookie';

/**
 * Creates the cookie that binds an OAuth flow to one browser. Each flow has its own cookie, which is only sent to the
 * config's callback. With https its name starts with `__Secure-`; `__Host-` would require Path=/ and send it everywhere.
 * The public URL decides, not the connection: TLS may end at a proxy.
 */
export function createFlowCookie(publicUrl: string) {
  const isSecure = publicUrl.startsWith('https:');
  const nameOf = (flowName: string) => `${isSecure ? '__Secure-' : ''}gatehouse_oauth_${flowName}`;
  const optionsOf = (path: string) => ({ path, httpOnly: true, sameSite: 'Lax', secure: isSecure }) as const;
  return {
    /** The cookie's value in a request; undefined if absent. */
    read(request: Request, flowName: string): string | undefined {
      const name = nameOf(flowName);
      return parse(request.headers.get('cookie') ?? '', name)[name];
    },
    /** The `Set-Cookie` header that sets the cookie until `expiresAt`. */
    set(flowName: string, value: string, options: { path: string; expiresAt: Date }): string {
      return serialize(nameOf(flowName), value, { ...optionsOf(options.path), expires: options.expiresAt });
    },
    /** The `Set-Cookie` header that deletes the cookie. */
    clear(flowName: string, path: string): string {
      return serialize(nameOf(flowName), '', { ...optionsOf(path), maxAge: 0 });
    },
  };
}

/** Reads and writes the cookies of OAuth flows. */
export type FlowCookie = ReturnType<typeof createFlowCookie>;
