import { setTimeout as sleep } from 'node:timers/promises';
import type { Secret } from '../../crypto/secret.ts';
import type { UserTokenRecord } from '../../data/repositories/user-token-repository.ts';
import type { Store } from '../../data/store.ts';
import { DomainError, notFound } from '../../errors.ts';
import { OUTBOUND_LIMITS } from '../../limits/outbound-limits.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import type { ServerSecrets } from './server-secrets.ts';
import type { TokenRefresh } from './token-refresh.ts';

/** A user's access token for a server, or why there is none. `url` is where it may be sent. */
export type AccessTokenResult =
  | {
      state: 'ready';
      /** Identifies the grant: it stays when the token is refreshed, and changes when the user connects again. */
      tokenId: string;
      accessToken: Secret;
      url: string;
      expiresAt: Date | null;
      version: number;
    }
  | { state: 'needs_connect' }
  | { state: 'reconnect'; reason: string }
  | { state: 'disabled' };

/** The user and the server of a token. */
export interface AccessTokenArgs {
  userId: string;
  configId: string;
  /** The version of an unexpired token that the server rejected. Asks for another token. */
  rejectedVersion?: number | undefined;
}

/** A token that expires sooner than this is refreshed, so that it stays valid during the call. */
const MIN_EARLY_MS = 60_000;
/** Spreads the refreshes of tokens that were issued at the same time. */
const EARLY_JITTER_MS = 30_000;
/** How long to wait for another process's refresh. The token endpoint answers within 10 s or not at all. */
const MAX_WAIT_MS = OUTBOUND_LIMITS.refreshWait.value;
const MIN_POLL_MS = 20;
const MAX_POLL_MS = 250;

/** Creates the access token service. */
export function createAccessTokens(options: {
  store: Store;
  secrets: ServerSecrets;
  refresh: TokenRefresh;
  now: () => Date;
  random?: () => number;
  maxWaitMs?: number;
}) {
  const { store, secrets, refresh, now, random = Math.random, maxWaitMs = MAX_WAIT_MS } = options;
  /** One refresh per connection in this process. The lease on the row does the same across processes. */
  const refreshing = new Map<string, Promise<UserTokenRecord | null>>();

  const toResult = (tokens: UserTokenRecord, url: string): AccessTokenResult => {
    const accessToken = secrets.openToken(tokens, 'accessToken', [url]);
    if (accessToken === null) throw new Error('a connection has no access token');
    const { id: tokenId, expiresAt, version } = tokens;
    return { state: 'ready', tokenId, accessToken, url, expiresAt, version };
  };

  const toMissing = async (args: AccessTokenArgs): Promise<AccessTokenResult> => {
    const reason = await store.userTokens.findEndReason(SYSTEM, args);
    return reason === null ? { state: 'needs_connect' } : { state: 'reconnect', reason };
  };

  /**
   * Refreshes, or waits for the process that does, until the tokens differ from `stale`, are gone, or cannot be
   * refreshed for now.
   *
   * @returns the resulting tokens
   */
  const renew = async (
    stale: UserTokenRecord,
    of: { userId: string; configId: string },
  ): Promise<UserTokenRecord | null> => {
    const deadline = performance.now() + maxWaitMs;
    let pollMs = MIN_POLL_MS;
    for (let tokens: UserTokenRecord | null = stale; ; tokens = await store.userTokens.find(SYSTEM, of)) {
      if (tokens === null || !isSame(tokens, stale)) return tokens;
      if (tokens.retryAt !== null && tokens.retryAt > now()) return tokens;
      const outcome = await refresh.run(tokens);
      if (outcome === 'done') continue;
      // Another process holds the lease.
      if (performance.now() > deadline) return tokens;
      await sleep(pollMs * (0.5 + random()));
      pollMs = Math.min(pollMs * 2, MAX_POLL_MS);
    }
  };

  /** Shares one renewal between all callers in this process. */
  const renewOnce = (stale: UserTokenRecord, of: { userId: string; configId: string }) => {
    const key = `${of.configId} ${of.userId}`;
    const running = refreshing.get(key);
    if (running !== undefined) return running;
    const renewal = renew(stale, of).finally(() => refreshing.delete(key));
    refreshing.set(key, renewal);
    return renewal;
  };

  return {
    /**
     * Returns the user's access token for a server. Refreshes a token that is about to expire, one caller at a time
     * across all replicas. A new token is stored before any caller gets it.
     *
     * @throws NOT_FOUND when the config does not exist, UPSTREAM_FAILED when the token expired and the authorization
     *   server gives no new one for now (the connection stays), DECRYPTION_FAILED
     */
    async get(args: AccessTokenArgs): Promise<AccessTokenResult> {
      const config = await store.configs.findForConnection(SYSTEM, { id: args.configId });
      if (config === null) throw notFound('MCP server config');
      if (!config.enabled) return { state: 'disabled' };
      const tokens = await store.userTokens.find(SYSTEM, args);
      if (tokens === null) return toMissing(args);
      const mustRenew = args.rejectedVersion === tokens.version || isDue(tokens, now(), random());
      if (!mustRenew) return toResult(tokens, config.url);
      const latest = await renewOnce(tokens, args);
      if (latest === null) return toMissing(args);
      // Check again for this caller, who may have waited for a while and may have had a token rejected.
      const isRefused = isSame(latest, tokens) && args.rejectedVersion === tokens.version;
      if (latest.blockedReason !== null) return { state: 'reconnect', reason: latest.blockedReason };
      if (isRefused || isExpired(latest, now())) throw laterAgain();
      return toResult(latest, config.url);
    },
  };
}

/** Compares the id too: the version starts again at the beginning after a user disconnects and reconnects. */
function isSame(one: UserTokenRecord, other: UserTokenRecord): boolean {
  return one.id === other.id && one.version === other.version;
}

function isExpired({ expiresAt }: UserTokenRecord, now: Date): boolean {
  return expiresAt !== null && expiresAt <= now;
}

/** Whether to refresh now: at least a minute before expiry, but not in the first half of a short lifetime. */
function isDue(tokens: UserTokenRecord, now: Date, random: number): boolean {
  const { expiresAt, obtainedAt, refreshToken } = tokens;
  if (expiresAt === null) return false;
  if (refreshToken === null) return isExpired(tokens, now);
  const lifetimeMs = expiresAt.getTime() - obtainedAt.getTime();
  const earlyMs = Math.min(MIN_EARLY_MS + random * EARLY_JITTER_MS, lifetimeMs / 2);
  return expiresAt.getTime() - now.getTime() <= earlyMs;
}

function laterAgain(): DomainError {
  return new DomainError(
    'UPSTREAM_FAILED',
    'The authorization server did not issue a new token; the connection is kept. Try again in a moment.',
  );
}
