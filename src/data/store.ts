import type { GatehousePrisma, PrismaStore } from './prisma.ts';
import { createApiTokenRepository } from './repositories/api-token-repository.ts';
import { createConfigRepository } from './repositories/config-repository.ts';
import { createConnectionRepository } from './repositories/connection-repository.ts';
import { createSessionRepository } from './repositories/session-repository.ts';
import { createUserRepository } from './repositories/user-repository.ts';

/** Every way to the data: repositories whose functions take the viewer and ask the policy. */
export interface Repositories {
  configs: ReturnType<typeof createConfigRepository>;
  connections: ReturnType<typeof createConnectionRepository>;
  users: ReturnType<typeof createUserRepository>;
  apiTokens: ReturnType<typeof createApiTokenRepository>;
  sessions: ReturnType<typeof createSessionRepository>;
}

/** The repositories over one database, and transactions over them. */
export interface Store extends Repositories {
  /**
   * Runs `work` in one transaction. All that it does through the repositories it is given is kept together or not at
   * all. Keep it short, and no network call inside.
   */
  transaction<Result>(work: (repositories: Repositories) => Promise<Result>): Promise<Result>;
}

/** Makes the store over an opened client. */
export function createStore(prisma: GatehousePrisma): Store {
  return {
    ...createRepositories(prisma),
    transaction: (work) => prisma.$transaction((tx) => work(createRepositories(tx))),
  };
}

function createRepositories(db: PrismaStore): Repositories {
  return {
    configs: createConfigRepository(db),
    connections: createConnectionRepository(db),
    users: createUserRepository(db),
    apiTokens: createApiTokenRepository(db),
    sessions: createSessionRepository(db),
  };
}
