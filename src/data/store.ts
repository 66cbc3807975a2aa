import { isDeadlock } from './database/database-error.ts';
import type { GatehousePrisma, PrismaStore } from './database/prisma.ts';
import { createApiTokenRepository } from './repositories/api-token-repository.ts';
import { createAuditRepository } from './repositories/audit-repository.ts';
import { createChatRepository } from './repositories/chat-repository.ts';
import { createConfigRepository } from './repositories/config-repository.ts';
import { createConnectionRepository } from './repositories/connection-repository.ts';
import { createFeedRepository } from './repositories/feed-repository.ts';
import { createOAuthDiscoveryRepository } from './repositories/oauth-discovery-repository.ts';
import { createOAuthFlowRepository } from './repositories/oauth-flow-repository.ts';
import { createPrincipalRepository } from './repositories/principal-repository.ts';
import { createSessionRepository } from './repositories/session-repository.ts';
import { createUserRepository } from './repositories/user-repository.ts';
import { createUserTokenRepository } from './repositories/user-token-repository.ts';

/** Every way to the data: repositories whose functions take the viewer and ask the policy. */
export interface Repositories {
  configs: ReturnType<typeof createConfigRepository>;
  connections: ReturnType<typeof createConnectionRepository>;
  userTokens: ReturnType<typeof createUserTokenRepository>;
  oauthFlows: ReturnType<typeof createOAuthFlowRepository>;
  oauthDiscoveries: ReturnType<typeof createOAuthDiscoveryRepository>;
  users: ReturnType<typeof createUserRepository>;
  apiTokens: ReturnType<typeof createApiTokenRepository>;
  sessions: ReturnType<typeof createSessionRepository>;
  audit: ReturnType<typeof createAuditRepository>;
  chats: ReturnType<typeof createChatRepository>;
  feed: ReturnType<typeof createFeedRepository>;
  principals: ReturnType<typeof createPrincipalRepository>;
}

/** The repositories over one database, and transactions over them. */
export interface Store extends Repositories {
  /**
   * Runs `work` in one transaction. All that it does through the repositories it is given is kept together or not at
   * all. Keep it short, and no network call inside: it may be begun again, once the database has undone it.
   */
  transaction<Result>(work: (repositories: Repositories) => Promise<Result>): Promise<Result>;
  /** Reads that all see the database at one and the same moment. */
  atOneMoment<Result>(work: (repositories: Repositories) => Promise<Result>): Promise<Result>;
}

/** Makes the store over an opened client. */
export function createStore(prisma: GatehousePrisma): Store {
  return {
    ...createRepositories(prisma),
    transaction: (work) => withRetries(() => prisma.$transaction((tx) => work(createRepositories(tx)))),
    atOneMoment: (work) =>
      prisma.$transaction((tx) => work(createRepositories(tx)), { isolationLevel: 'RepeatableRead' }),
  };
}

/** How often a transaction is begun again that the database gave up to end a deadlock. */
const MAX_ATTEMPTS = 3;

/** Two transactions that wait for each other are nobody's fault: one of them was undone as a whole, and is begun again. */
async function withRetries<Result>(run: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !isDeadlock(error)) throw error;
    }
  }
}

function createRepositories(db: PrismaStore): Repositories {
  return {
    configs: createConfigRepository(db),
    connections: createConnectionRepository(db),
    userTokens: createUserTokenRepository(db),
    oauthFlows: createOAuthFlowRepository(db),
    oauthDiscoveries: createOAuthDiscoveryRepository(db),
    users: createUserRepository(db),
    apiTokens: createApiTokenRepository(db),
    sessions: createSessionRepository(db),
    audit: createAuditRepository(db),
    chats: createChatRepository(db),
    feed: createFeedRepository(db),
    principals: createPrincipalRepository(db),
  };
}
