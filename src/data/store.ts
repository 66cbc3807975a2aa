import { type GatehousePrisma, type PrismaStore, runTransaction } from './database/prisma.ts';
import { createApiTokenRepository } from './repositories/api-token-repository.ts';
import { type AdmitEntry, createAuditRepository } from './repositories/audit-repository.ts';
import { createCallCountRepository } from './repositories/call-count-repository.ts';
import { createChatRepository } from './repositories/chat-repository.ts';
import { createConfigRepository } from './repositories/config-repository.ts';
import { createConnectionListRepository } from './repositories/connection-list-repository.ts';
import { createConnectionRepository } from './repositories/connection-repository.ts';
import { createFeedRepository } from './repositories/feed-repository.ts';
import { createFormerClientRepository } from './repositories/former-client-repository.ts';
import { createOAuthDiscoveryRepository } from './repositories/oauth-discovery-repository.ts';
import { createOAuthFlowRepository } from './repositories/oauth-flow-repository.ts';
import { createPrincipalRepository } from './repositories/principal-repository.ts';
import { createRateCountRepository } from './repositories/rate-count-repository.ts';
import { createScopeRequestRepository } from './repositories/scope-request-repository.ts';
import { createSessionRepository } from './repositories/session-repository.ts';
import { createToolRepository } from './repositories/tool-repository.ts';
import { createUsageRepository } from './repositories/usage-repository.ts';
import { createUserRepository } from './repositories/user-repository.ts';
import { createUserTokenRepository } from './repositories/user-token-repository.ts';

/** All access to data: repositories whose functions take the viewer and check the policy. */
export interface Repositories {
  configs: ReturnType<typeof createConfigRepository>;
  connections: ReturnType<typeof createConnectionRepository>;
  connectionLists: ReturnType<typeof createConnectionListRepository>;
  userTokens: ReturnType<typeof createUserTokenRepository>;
  formerClients: ReturnType<typeof createFormerClientRepository>;
  scopeRequests: ReturnType<typeof createScopeRequestRepository>;
  oauthFlows: ReturnType<typeof createOAuthFlowRepository>;
  oauthDiscoveries: ReturnType<typeof createOAuthDiscoveryRepository>;
  tools: ReturnType<typeof createToolRepository>;
  users: ReturnType<typeof createUserRepository>;
  apiTokens: ReturnType<typeof createApiTokenRepository>;
  sessions: ReturnType<typeof createSessionRepository>;
  audit: ReturnType<typeof createAuditRepository>;
  chats: ReturnType<typeof createChatRepository>;
  feed: ReturnType<typeof createFeedRepository>;
  principals: ReturnType<typeof createPrincipalRepository>;
  usage: ReturnType<typeof createUsageRepository>;
  rateCounts: ReturnType<typeof createRateCountRepository>;
  callCounts: ReturnType<typeof createCallCountRepository>;
}

/** The repositories over one database, with transactions. */
export interface Store extends Repositories {
  /**
   * Runs `work` in one transaction: everything it does through the given repositories is committed or rolled back
   * together. Keep it short and without network calls. `work` may run again after the database rolled it back.
   */
  transaction<Result>(work: (repositories: Repositories) => Promise<Result>): Promise<Result>;
  /** Runs reads that all see the database at the same moment. */
  atOneMoment<Result>(work: (repositories: Repositories) => Promise<Result>): Promise<Result>;
}

/** Creates the store for an open client. @param admitEntry refuses audit entries, by throwing; absent: none */
export function createStore(prisma: GatehousePrisma, admitEntry?: AdmitEntry): Store {
  return {
    ...createRepositories(prisma, admitEntry),
    transaction(work) {
      const admissions = admitEntry && admitOnce(admitEntry);
      return runTransaction(prisma, (tx) => work(createRepositories(tx, admissions?.beginAttempt())));
    },
    atOneMoment: (work) =>
      runTransaction(prisma, (tx) => work(createRepositories(tx, admitEntry)), { isolationLevel: 'RepeatableRead' }),
  };
}

/** Asks once for each entry of a transaction, however often the transaction is attempted. */
function admitOnce(admitEntry: AdmitEntry): { beginAttempt(): AdmitEntry } {
  let admitted = 0;
  return {
    beginAttempt() {
      let count = 0;
      return (entry) => {
        count += 1;
        if (count <= admitted) return;
        admitEntry(entry);
        admitted = count;
      };
    },
  };
}

function createRepositories(db: PrismaStore, admitEntry: AdmitEntry | undefined): Repositories {
  return {
    configs: createConfigRepository(db),
    connections: createConnectionRepository(db),
    connectionLists: createConnectionListRepository(db),
    userTokens: createUserTokenRepository(db),
    formerClients: createFormerClientRepository(db),
    scopeRequests: createScopeRequestRepository(db),
    oauthFlows: createOAuthFlowRepository(db),
    oauthDiscoveries: createOAuthDiscoveryRepository(db),
    tools: createToolRepository(db),
    users: createUserRepository(db),
    apiTokens: createApiTokenRepository(db),
    sessions: createSessionRepository(db),
    audit: createAuditRepository(db, admitEntry),
    chats: createChatRepository(db),
    feed: createFeedRepository(db),
    principals: createPrincipalRepository(db),
    usage: createUsageRepository(db),
    rateCounts: createRateCountRepository(db),
    callCounts: createCallCountRepository(db),
  };
}
