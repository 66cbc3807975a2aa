import { randomUUID, scryptSync, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../crypto/secret.ts';
import type { Store } from '../../data/store.ts';
import { NOBODY, type Role, SYSTEM, type Viewer } from '../../policy/viewer.ts';
import { hashToken } from './token-format.ts';

/** The first admin's row. Fixed, so that every replica and every start means the same user. */
export const BOOTSTRAP_ADMIN_ID = '00000000-0000-4000-8000-000000000001';

const BOOTSTRAP_ADMIN_EMAIL = 'admin@gatehouse.localhost';

/** Makes the bootstrap admin's row, unless it is there. An admin who was suspended or demoted stays so. */
export async function ensureBootstrapAdmin(store: Store): Promise<void> {
  const columns = { email: BOOTSTRAP_ADMIN_EMAIL, role: 'admin', status: 'active' } as const;
  const otherEmail = `admin-${randomUUID()}@gatehouse.localhost`;
  await store.users.ensure(SYSTEM, { id: BOOTSTRAP_ADMIN_ID, columns, otherEmail });
}

/**
 * What a session remembers of the operator's token, so that it ends when he changes the token. People choose such
 * tokens: a slow hash (scrypt, RFC 7914) keeps a stolen database from being a way to guess it.
 */
export function toBootstrapDigest(adminToken: Secret): string {
  return scryptSync(adminToken.expose(), 'gatehouse/bootstrap-session', 32).toString('hex');
}

/** Verifies the operator's token, which is never stored in the database. */
export function createBootstrapVerifier({ store, adminToken }: { store: Store; adminToken: Secret }) {
  const expected = Buffer.from(hashToken(adminToken.expose()));
  return async (token: string): Promise<Viewer> => {
    if (!timingSafeEqual(Buffer.from(hashToken(token)), expected)) return NOBODY;
    const user = await store.sessions.findUser(SYSTEM, { id: BOOTSTRAP_ADMIN_ID });
    if (user === null || user.status !== 'active') return NOBODY;
    return { kind: 'user', userId: user.id, role: user.role as Role, credential: { kind: 'bootstrap' } };
  };
}
