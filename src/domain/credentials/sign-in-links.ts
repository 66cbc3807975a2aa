import { Secret } from '../../crypto/secret.ts';
import type { Store } from '../../data/store.ts';
import { forbidden, notFound, validationFailed } from '../../errors.ts';
import { assertCan } from '../../policy/policy.ts';
import { assertScope, grantOf } from '../../policy/token-grant.ts';
import { SYSTEM, TOKEN_SCOPES, type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { SIGN_IN_LINK_LIFETIME_MS } from './session-service.ts';
import { generateOpaqueToken, hashToken } from './token-format.ts';

/** Creates the service for links that sign people in where there is no OpenID Connect provider. */
export function createSignInLinks(options: { store: Store; publicUrl: string; now: () => Date }) {
  const { store, publicUrl, now } = options;

  return {
    /**
     * Creates a link that signs a user in, once, within an hour. It replaces the user's earlier links. The URL is
     * returned only here.
     *
     * @throws FORBIDDEN, also for a limited token: the session would not have its limits; NOT_FOUND; VALIDATION_FAILED for
     *   a suspended user
     */
    async create(viewer: Viewer, userId: string): Promise<{ url: Secret; expiresAt: Date }> {
      assertCan(viewer, 'signInLink.create');
      for (const scope of TOKEN_SCOPES) assertScope(viewer, scope);
      if (userId === viewerUserId(viewer) && (grantOf(viewer)?.expiresAt ?? null) !== null) {
        throw forbidden('A token that expires cannot create a sign-in link for its own user.');
      }
      const token = generateOpaqueToken();
      const expiresAt = new Date(now().getTime() + SIGN_IN_LINK_LIFETIME_MS);
      await store.transaction(async (tx) => {
        const [user] = await tx.users.findByIds(viewer, { ids: [userId] });
        if (user === undefined) throw notFound('user');
        if (user.status !== 'active') {
          const message = 'This user is suspended. Make them active first.';
          throw validationFailed([{ path: ['userId'], code: 'SUSPENDED', message }]);
        }
        await tx.sessions.removeSignInLinks(viewer, { userId });
        await tx.sessions.createSignInLink(viewer, { tokenHash: hashToken(token.expose()), userId, expiresAt });
        const target = { type: 'user', id: userId, label: user.email } as const;
        await tx.audit.append(SYSTEM, { actor: viewer, action: 'signInLink.create', target });
      });
      // People go to the start page, and not to the playground as the operator does.
      return { url: new Secret(`${publicUrl}/auth/sign-in?token=${token.expose()}&return_to=/`), expiresAt };
    },
  };
}
