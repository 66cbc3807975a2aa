import { createMiddleware } from 'hono/factory';
import type { Authentication } from '../domain/credentials/authentication.ts';
import type { SessionService } from '../domain/credentials/session-service.ts';
import { NOBODY } from '../policy/viewer.ts';
import type { HttpEnv } from './context.ts';
import type { SessionCookie } from './session-cookie.ts';

/** Who knows what a credential is worth. */
export interface AuthenticateOptions {
  authentication: Authentication;
  sessions: SessionService;
  cookie: SessionCookie;
}

/** The seed's header; only its REST clients send it. */
const SESSION_TOKEN_HEADER = 'coder-session-token';

/**
 * Finds out who calls. A bearer token that is sent is the only credential that counts: when it is not good the caller
 * is nobody, whatever cookie came along.
 */
export function authenticate({ authentication, sessions, cookie }: AuthenticateOptions) {
  return createMiddleware<HttpEnv>(async (c, next) => {
    const { raw } = c.req;
    const isRest = new URL(raw.url).pathname.startsWith('/api/');
    const bearer =
      readBearer(raw.headers.get('authorization')) ??
      (isRest ? (raw.headers.get(SESSION_TOKEN_HEADER) ?? undefined) : undefined);
    const session = cookie.read(raw);
    if (bearer !== undefined) {
      c.set('viewer', await authentication.verifyBearer(bearer));
      c.set('credentialSource', 'bearer');
    } else if (session !== undefined) {
      c.set('viewer', await sessions.verify(session));
      c.set('credentialSource', 'cookie');
    } else {
      c.set('viewer', NOBODY);
      c.set('credentialSource', 'none');
    }
    await next();
  });
}

/**
 * The token of an Authorization header; empty when there is such a header but without one (RFC 6750, section 2.1),
 * undefined when there is no header.
 */
export function readBearer(authorization: string | null): string | undefined {
  return authorization === null ? undefined : (/^Bearer +([\x21-\x7e]+) *$/i.exec(authorization)?.[1] ?? '');
}
