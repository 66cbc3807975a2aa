import { randomUUID, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Secret } from '../../crypto/secret.ts';
import type { Store } from '../../data/store.ts';
import { NOBODY, type Role, SYSTEM, type Viewer } from '../../policy/viewer.ts';
import { hashToken } from './token-format.ts';

/** The id of the first admin. Fixed, so that every replica and every start uses the same user. */
export const BOOTSTRAP_ADMIN_ID = '00000000-0000-4000-8000-000000000001';

const BOOTSTRAP_ADMIN_EMAIL = 'admin@gatehouse.localhost';

/** Creates the bootstrap admin unless the row exists. A suspended or demoted bootstrap admin stays so. */
export async function ensureBootstrapAdmin(store: Store): Promise<void> {
  const columns = { email: BOOTSTRAP_ADMIN_EMAIL, role: 'admin', status: 'active' } as const;
  const otherEmail = `admin-${randomUUID()}@gatehouse.localhost`;
  await store.users.ensure(SYSTEM, { id: BOOTSTRAP_ADMIN_ID, columns, otherEmail });
}

/** Returns the digest of the operator's token, see `createBootstrapDigest`. */
export type BootstrapDigest = () => Promise<string>;

/**
 * Digests the operator's token for its sessions, so that they end when the token changes. People choose these tokens, so a
 * slow hash (scrypt, RFC 7914) makes guessing from a stolen database expensive. It is made once, in another thread, when such
 * a session is first opened or used.
 */
export function createBootstrapDigest(adminToken: Secret): BootstrapDigest {
  let digest: Promise<string> | undefined;
  const make = async (): Promise<string> => {
    const key = await promisify<string, string, number, Buffer>(scrypt)(
      adminToken.expose(),
      'gatehouse/bootstrap-session',
      32,
    );
    return key.toString('hex');
  };
  return () => {
    digest ??= make().catch((error: unknown) => {
      // The next one tries again.
      digest = undefined;
      throw error;
    });
    return digest;
  };
}

/** Creates the verifier of the operator's token. The token is never stored in the database. */
export function createBootstrapVerifier({ store, adminToken }: { store: Store; adminToken: Secret }) {
  const expected = Buffer.from(hashToken(adminToken.expose()));
  return async (token: string): Promise<Viewer> => {
    if (!timingSafeEqual(Buffer.from(hashToken(token)), expected)) return NOBODY;
    const user = await store.sessions.findUser(SYSTEM, { id: BOOTSTRAP_ADMIN_ID });
    if (user === null || user.status !== 'active') return NOBODY;
    return { kind: 'user', userId: user.id, role: user.role as Role, credential: { kind: 'bootstrap' } };
  };
}
