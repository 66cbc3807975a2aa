import { parse, serialize } from 'hono/utils/cookie';

/**
 * The cookie that binds a connection in the making to one browser: one for each, sent to the config's callback only.
 * Under https its name starts with `__Secure-`; `__Host-` would have it sent everywhere. What counts is the public URL,
 * not the connection: TLS may end at a proxy.
 */
export function createFlowCookie(publicUrl: string) {
  const isSecure = publicUrl.startsWith('https:');
  const nameOf = (flowName: string) => `${isSecure ? '__Secure-' : ''}gatehouse_oauth_${flowName}`;
  const optionsOf = (path: string) => ({ path, httpOnly: true, sameSite: 'Lax', secure: isSecure }) as const;
  return {
    /** The cookie's value in a request, or undefined. */
    read(request: Request, flowName: string): string | undefined {
      const name = nameOf(flowName);
      return parse(request.headers.get('cookie') ?? '', name)[name];
    },
    /** A `Set-Cookie` header that sets it until `expiresAt`. */
    set(flowName: string, value: string, options: { path: string; expiresAt: Date }): string {
      return serialize(nameOf(flowName), value, { ...optionsOf(options.path), expires: options.expiresAt });
    },
    /** A `Set-Cookie` header that removes it. */
    clear(flowName: string, path: string): string {
      return serialize(nameOf(flowName), '', { ...optionsOf(path), maxAge: 0 });
    },
  };
}

/** Reads and writes the cookies of connections in the making. */
export type FlowCookie = ReturnType<typeof createFlowCookie>;
