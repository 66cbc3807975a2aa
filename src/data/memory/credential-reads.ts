import { BoundedMap } from '../../cache/bounded-map.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import type { createApiTokenRepository } from '../repositories/api-token-repository.ts';
import { guarded } from '../repositories/guarded.ts';
import type { createSessionRepository } from '../repositories/session-repository.ts';
import type { createUserRepository } from '../repositories/user-repository.ts';

/** The maximum number of cached tokens, and of cached users. */
const MAX_REMEMBERED = 10_000;

type ApiTokenRepository = ReturnType<typeof createApiTokenRepository>;
type SessionRepository = ReturnType<typeof createSessionRepository>;
type UserRepository = ReturnType<typeof createUserRepository>;

/** Caches token lookups until a token or a user changes. Invalid tokens are not cached. */
export function createCredentialReads(
  stored: { apiTokens: ApiTokenRepository; sessions: SessionRepository; users: UserRepository },
  fresh: () => Promise<void> | undefined,
) {
  const tokens = new BoundedMap<string, ReturnType<ApiTokenRepository['findByHash']>>(MAX_REMEMBERED);
  const users = new BoundedMap<string, ReturnType<SessionRepository['findUser']>>(MAX_REMEMBERED);
  const identities = new BoundedMap<string, ReturnType<UserRepository['findOidc']>>(MAX_REMEMBERED);

  const remember = async <Found>(
    memory: BoundedMap<string, Promise<Found | null>>,
    key: string,
    find: () => Promise<Found | null>,
  ): Promise<Found | null> => {
    await fresh();
    const known = memory.get(key);
    if (known !== undefined) return known;
    const asked = find();
    memory.set(key, asked);
    const forget = (): void => memory.deleteIf(key, asked);
    asked.then((found) => found ?? forget(), forget);
    return asked;
  };

  return {
    apiTokens: {
      findByHash: guarded('credential.verify', ({ tokenHash }: { tokenHash: string }) =>
        remember(tokens, tokenHash, () => stored.apiTokens.findByHash(SYSTEM, { tokenHash })),
      ),
      /** Clears the whole cache: entries are keyed by hash, but this token is known by id. This is rare. */
      touch: guarded('credential.verify', async (args: { id: string; now: Date; staleBefore: Date }) => {
        await stored.apiTokens.touch(SYSTEM, args);
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

    forget(): void {
      tokens.clear();
      users.clear();
      identities.clear();
    },
  };
}
