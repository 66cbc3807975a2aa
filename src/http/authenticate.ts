import { createMiddleware } from 'hono/factory';
import type { Authentication } from '../domain/credentials/authentication.ts';
import type { SessionService } from '../domain/credentials/session-service.ts';
import { NOBODY } from '../policy/viewer.ts';
import type { HttpEnv } from './context.ts';
import { toDoorAudiences } from './door/resource-metadata.ts';
import type { HostCookie } from './host-cookie.ts';

/** The services that verify credentials. */
export interface AuthenticateOptions {
  authentication: Authentication;
  sessions: SessionService;
  cookie: HostCookie;
  publicUrl: string;
}

/** Sent by REST clients of the original project, coder. Accepted under `/api/` only. */
const SESSION_TOKEN_HEADER = 'coder-session-token';

/**
 * Authenticates the caller. If the request has a bearer token, only the token counts: when it is invalid the caller is
 * `nobody`, even if the request also has a valid session cookie.
 */
export function authenticate({ authentication, sessions, cookie, publicUrl }: AuthenticateOptions) {
  return createMiddleware<HttpEnv>(async (c, next) => {
    const { raw } = c.req;
    const { pathname } = new URL(raw.url);
    const isRest = pathname.startsWith('/api/');
    const bearer =
      readBearer(raw.headers.get('authorization')) ??
      (isRest ? (raw.headers.get(SESSION_TOKEN_HEADER) ?? undefined) : undefined);
    const session = cookie.read(raw);
    if (bearer !== undefined) {
      c.set('viewer', await authentication.verifyBearer(bearer, toDoorAudiences(publicUrl, pathname)));
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
 * Reads the bearer token of an Authorization header (RFC 6750, section 2.1).
 *
 * @returns undefined without the header; an empty string if the header has no valid bearer token
 */
export function readBearer(authorization: string | null): string | undefined {
  return authorization === null ? undefined : (/^Bearer +([\x21-\x7e]+) *$/i.exec(authorization)?.[1] ?? '');
}
