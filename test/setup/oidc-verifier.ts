import { randomBytes } from 'node:crypto';
import { Keyring } from '../../src/crypto/keyring.ts';
import { MasterKey } from '../../src/crypto/master-key.ts';
import { createPrisma } from '../../src/data/database/prisma.ts';
import { createStore, type Store } from '../../src/data/store.ts';
import { createOidcVerifier, type OidcVerifier, type OidcVerifierOptions } from '../../src/domain/credentials/oidc.ts';
import { toHostRange } from '../../src/outbound/private-ranges.ts';
import { createSafeFetch } from '../../src/outbound/safe-fetch.ts';
import type { Viewer } from '../../src/policy/viewer.ts';
import { openTestDatabase } from './database.ts';

export const AUDIENCE = 'https://gatehouse.example/api';
const ROLE_CLAIM = 'gatehouse_role';
export const COOLDOWN_MS = 30_000;

/** An admin who inspects the effects of verifying a token. */
export const ADMIN: Viewer = {
  kind: 'user',
  userId: '00000000-0000-4000-8000-000000000001',
  role: 'admin',
  credential: { kind: 'bootstrap' },
};

/** A real store, a clock that a test controls, and verifiers over both. */
export interface OidcBench {
  store: Store;
  /** The gateway's time. */
  clock: { now: Date; advance(ms: number): void };
  /** The reported problems of issuers. */
  reports: string[];
  verifier(options: Partial<OidcVerifierOptions> & { issuer: string }): OidcVerifier;
  listUsers(): ReturnType<Store['users']['list']>;
  close(): Promise<void>;
}

export async function openOidcBench(): Promise<OidcBench> {
  const database = await openTestDatabase();
  const prisma = createPrisma(database, new Keyring([new MasterKey(randomBytes(32))]));
  const store = createStore(prisma);
  const reports: string[] = [];
  const clock = {
    now: new Date(),
    advance(ms: number) {
      clock.now = new Date(clock.now.getTime() + ms);
    },
  };
  const ways: { close(): Promise<void> }[] = [];
  const reach = (issuer: string) => {
    const outbound = createSafeFetch({ ranges: [toHostRange(new URL(issuer))] });
    ways.push(outbound);
    return outbound.fetch;
  };
  return {
    store,
    clock,
    reports,
    verifier: (options) =>
      createOidcVerifier({
        store,
        now: () => clock.now,
        audience: AUDIENCE,
        roleClaim: ROLE_CLAIM,
        cooldownMs: COOLDOWN_MS,
        onError: (error) => void reports.push(error.message),
        fetch: (...call) => reach(options.issuer)(...call),
        ...options,
      }),
    listUsers: () => store.users.list(ADMIN, { first: 100 }),
    async close() {
      await Promise.all(ways.map((way) => way.close()));
      await prisma.$disconnect();
      await database.close();
    },
  };
}
