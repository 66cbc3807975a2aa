import { hash } from 'node:crypto';
import { parse } from 'hono/utils/cookie';
import { CREDENTIAL_LIMITS } from '../../limits/credential-limits.ts';
import { createHostCookie } from '../host-cookie.ts';

const BASE_NAME = 'gatehouse_sign_in_';
/** So many sign-ins of one browser at once. Each cookie goes along with every request, so there cannot be many. */
const MAX_PENDING = CREDENTIAL_LIMITS.pendingSignIns.value;

/** The cookies of sign-ins that a browser has begun: one for each, so that several tabs can sign in at once. */
export type PendingCookies = ReturnType<typeof createPendingCookies>;

/**
 * Creates them. The name of a cookie follows from the `state` of its sign-in, without revealing it.
 *
 * @param options.readExpiry when the sign-in of a cookie ends; undefined if the gateway did not make it
 */
export function createPendingCookies(options: { publicUrl: string; readExpiry: (value: string) => Date | undefined }) {
  const { publicUrl, readExpiry } = options;
  const cookieOf = (name: string) => createHostCookie(publicUrl, name);
  const prefix = cookieOf(BASE_NAME).name;
  const nameOf = (state: string) => BASE_NAME + hash('sha256', state, 'hex').slice(0, 16);

  /** The names of a browser's cookies beyond those that it may keep beside a new one: the ones that end first. */
  const listOld = (request: Request): string[] => {
    const all = Object.entries(parse(request.headers.get('cookie') ?? ''))
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => ({ name, endsAt: readExpiry(value)?.getTime() ?? 0 }));
    all.sort((one, other) => other.endsAt - one.endsAt);
    return all.slice(MAX_PENDING - 1).map(({ name }) => BASE_NAME + name.slice(prefix.length));
  };

  return {
    /** The cookie of the sign-in that an answer belongs to. Undefined if this browser has none. */
    read: (request: Request, state: string): string | undefined => cookieOf(nameOf(state)).read(request),

    /** The `Set-Cookie` headers that begin a sign-in, and forget the oldest when there are too many. */
    begin(
      request: Request,
      { state, cookie, expiresAt }: { state: string; cookie: string; expiresAt: Date },
    ): string[] {
      const cleared = listOld(request).map((name) => cookieOf(name).clear());
      return [...cleared, cookieOf(nameOf(state)).set(cookie, expiresAt)];
    },

    /** The `Set-Cookie` header that ends a sign-in. */
    end: (state: string): string => cookieOf(nameOf(state)).clear(),
  };
}
