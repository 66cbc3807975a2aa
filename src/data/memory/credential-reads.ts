import type { CacheBounds } from '../../cache/bounded-map.ts';
import type { Caches } from '../../cache/caches.ts';
import { estimateBytes } from '../../cache/estimate-bytes.ts';
import type { PromiseCache } from '../../cache/promise-cache.ts';
import { CACHE_BOUNDS } from '../../limits/cache-bounds.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import type { createApiTokenRepository } from '../repositories/api-token-repository.ts';
import { guarded } from '../repositories/guarded.ts';
import type { createSessionRepository } from '../repositories/session-repository.ts';
import type { createUserRepository } from '../repositories/user-repository.ts';

type ApiTokenRepository = ReturnType<typeof createApiTokenRepository>;
type SessionRepository = ReturnType<typeof createSessionRepository>;
type UserRepository = ReturnType<typeof createUserRepository>;

/** Caches token lookups until a token or a user changes. Invalid tokens are not cached. */
export function createCredentialReads(
  stored: { apiTokens: ApiTokenRepository; sessions: SessionRepository; users: UserRepository },
  fresh: () => Promise<void> | undefined,
  caches: Caches,
) {
  const createCache = <Found>(bounds: CacheBounds) =>
    caches.createPromiseCache<string, Found>(
      bounds,
      (key, found) => estimateBytes(key) + estimateBytes(found),
      (found) => found !== null,
    );
  const tokens = createCache<Awaited<ReturnType<ApiTokenRepository['findByHash']>>>(CACHE_BOUNDS.apiTokens);
  const users = createCache<Awaited<ReturnType<SessionRepository['findUser']>>>(CACHE_BOUNDS.users);
  const identities = createCache<Awaited<ReturnType<UserRepository['findOidc']>>>(CACHE_BOUNDS.identities);

  const remember = async <Found>(
    memory: PromiseCache<string, Found | null>,
    key: string,
    find: () => Promise<Found | null>,
  ): Promise<Found | null> => {
    await fresh();
    return memory.getOrStart(key, find);
  };

  return {
    apiTokens: {
      findByHash: guarded('credential.verify', ({ tokenHash }: { tokenHash: string }) =>
        remember(tokens, tokenHash, () => stored.apiTokens.findByHash(SYSTEM, { tokenHash })),
      ),
      /** Clears the whole cache: entries are keyed by hash, but this token is known by id. This is rare. */
      recordUse: guarded('credential.verify', async (args: { id: string; now: Date; staleBefore: Date }) => {
        await stored.apiTokens.recordUse(SYSTEM, args);
        tokens.clear();
      }),
    },
    sessions: {
      findUser: guarded('credential.verify', ({ id }: { id: string }) =>
        remember(users, id, () => stored.sessions.findUser(SYSTEM, { id })),
      ),
    },
    users: {
      findOidc: guarded('user.provision', (args: Parameters<UserRepository['findOidc']>[1]) => {
        const { issuer, subject, issuedAt } = args;
        const key = JSON.stringify([issuer, subject, issuedAt?.getTime()]);
        return remember(identities, key, () => stored.users.findOidc(SYSTEM, { issuer, subject, issuedAt }));
      }),
    },

    invalidate(): void {
      tokens.clear();
      users.clear();
      identities.clear();
    },
  };
}
