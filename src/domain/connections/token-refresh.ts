import { randomUUID } from 'node:crypto';
import type { McpServerConfigRecord } from '../../data/records.ts';
import type { NewAuditEntry } from '../../data/repositories/audit-repository.ts';
import { toConnectionUrls } from '../../data/repositories/config-secrets.ts';
import type { NewTokens, TokenLease, UserTokenRecord } from '../../data/repositories/user-token-repository.ts';
import type { Store } from '../../data/store.ts';
import { DomainError } from '../../errors.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import { toConfigTarget } from '../configs/config-audit.ts';
import { type OAuthProvider, toIssuingProvider } from '../oauth/oauth-provider.ts';
import type { TokenEndpoints, TokenSet } from '../oauth/token-endpoint.ts';
import { TokenEndpointError } from '../oauth/token-endpoint-error.ts';
import { EXPIRED_REASON } from './expired-connections.ts';
import type { OAuthClients } from './oauth-clients.ts';
import type { ProviderSettings } from './provider-settings.ts';
import { countRefusal, judgeRefresh, type RefusalFacts } from './refresh-refusals.ts';
import type { ServerSecrets } from './server-secrets.ts';
import { type TokenRevocation, toRevocable } from './token-revocation.ts';

/**
 * The duration of the refresh lease. It is longer than a token endpoint may take with both authentication methods,
 * because a strict server ends the connection after a second request with the same refresh token.
 */
export const REFRESH_LEASE_MS = 45_000;
/** The first delay after a failure. It doubles with each failure. */
const MIN_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 300_000;
/** The maximum length of a reason in the database. */
const MAX_REASON = 400;
/** Shown to the user when their tokens may be good, but the gateway is not accepted as a client. */
const BLOCKED_REASON =
  'The authorization server does not accept the gateway as a client; connect again, or ask an admin to check the settings.';

/**
 * The result of one attempt: `done` when the row was changed or removed, `busy` when another process holds the lease.
 */
export type RefreshOutcome = 'done' | 'busy';

/** Refreshes tokens, one attempt at a time per connection. */
export type TokenRefresh = ReturnType<typeof createTokenRefresh>;

/** Creates the refresh service. */
export function createTokenRefresh(options: {
  store: Store;
  providers: ProviderSettings;
  secrets: ServerSecrets;
  endpoints: Pick<TokenEndpoints, 'refresh'>;
  revocation: Pick<TokenRevocation, 'revokeLater'>;
  clients: Pick<OAuthClients, 'suspect'>;
  now: () => Date;
  random?: () => number;
  leaseMs?: number;
}) {
  const {
    store,
    providers,
    secrets,
    endpoints,
    revocation,
    clients,
    now,
    random = Math.random,
    leaseMs = REFRESH_LEASE_MS,
  } = options;

  const end = async (lease: TokenLease, config: McpServerConfigRecord, reason: string): Promise<void> => {
    const shortReason = shorten(reason);
    await store.transaction(async (tx) => {
      const isEnded = await tx.userTokens.end(SYSTEM, { ...lease, configId: config.id, reason: shortReason });
      if (isEnded) await tx.audit.append(SYSTEM, toFailure(config, lease.userId, shortReason, 'ended'));
    });
  };

  const defer = async (
    lease: TokenLease,
    config: McpServerConfigRecord,
    failure: { failures: number; reason: string; facts: RefusalFacts; retryAfterMs?: number | undefined },
  ): Promise<void> => {
    const { failures, reason, facts, retryAfterMs = 0 } = failure;
    const backoffMs = Math.min(MIN_BACKOFF_MS * 2 ** failures, MAX_BACKOFF_MS) * (0.75 + random() / 2);
    const retryAt = new Date(now().getTime() + Math.max(backoffMs, retryAfterMs));
    const { refreshRefusals, refusedSince, blockedReason } = facts;
    const delay = { retryAt, refreshRefusals, refusedSince, blockedReason };
    await store.transaction(async (tx) => {
      const isDeferred = await tx.userTokens.deferRefresh(SYSTEM, { ...lease, delay });
      if (isDeferred) await tx.audit.append(SYSTEM, toFailure(config, lease.userId, reason, 'kept'));
    });
  };

  const onFailure = async (
    error: TokenEndpointError,
    { config, provider, tokens, lease }: RefreshAttempt & { provider: OAuthProvider },
  ): Promise<void> => {
    const { failure, message: reason, retryAfterMs } = error;
    const facts = countRefusal(tokens, failure, now());
    const verdict = judgeRefresh(tokens, failure, facts, now());
    if (verdict === 'end') {
      const said = error.description === undefined ? '' : ` It said: ${error.description}`;
      const why = failure === 'invalid_grant' ? 'ended the connection' : 'refuses to renew the access token';
      await end(lease, config, `The authorization server ${why}; connect again.${said}`);
      return;
    }
    if (failure === 'invalid_client' && isOfCurrentClient(tokens, provider)) await clients.suspect(provider);
    const blockedReason = verdict === 'block' ? BLOCKED_REASON : facts.blockedReason;
    await defer(lease, config, {
      failures: tokens.refreshFailures,
      reason,
      facts: { ...facts, blockedReason },
      retryAfterMs,
    });
  };

  return {
    /**
     * Refreshes these tokens unless another process is doing so. The refresh token is used only once: only the lease
     * holder uses it, no transaction is open during the request, and the response is stored before any caller sees it.
     *
     * @throws DECRYPTION_FAILED when a secret does not open; the connection stays
     */
    async run(tokens: UserTokenRecord): Promise<RefreshOutcome> {
      const { id, userId, version, configId } = tokens;
      const lease: TokenLease = { id, userId, version, leaseId: randomUUID() };
      // In one transaction, so that these tokens go to the server that issued them: a settings change removes the
      // tokens in the transaction that locks the config.
      const { config, isTaken } = await store.transaction(async (tx) => ({
        config: await tx.configs.hold(SYSTEM, { id: configId }),
        isTaken: await tx.userTokens.takeLease(SYSTEM, { ...lease, leaseMs, now: now() }),
      }));
      if (config === null || !isTaken) return 'busy';
      let provider: OAuthProvider | null = null;
      let answer: TokenSet;
      try {
        provider = await providers.load(config);
        // For all URLs, although it is only sent to one: the new tokens may go to all of them.
        const refreshToken = secrets.openToken(tokens, 'refreshToken', toConnectionUrls(config));
        if (provider === null || refreshToken === null) {
          await end(lease, config, EXPIRED_REASON);
          return 'done';
        }
        answer = await endpoints.refresh(toIssuingProvider(provider, tokens.clientId), refreshToken);
      } catch (error) {
        if (error instanceof DomainError && error.code === 'VERSION_MISMATCH') {
          // The settings changed since they were read, so they are not used.
          const reason = 'The settings changed during the refresh.';
          await defer(lease, config, { failures: 0, reason, facts: tokens });
          return 'done';
        }
        if (provider === null || !(error instanceof TokenEndpointError)) {
          const reason = 'A stored secret cannot be decrypted, or the gateway failed.';
          await defer(lease, config, { failures: tokens.refreshFailures, reason, facts: tokens });
          throw error;
        }
        await onFailure(error, { config, provider, tokens, lease });
        return 'done';
      }
      const next = toNewTokens(answer, tokens, { obtainedAt: now(), urls: toConnectionUrls(config) });
      if (!(await store.userTokens.saveRefreshed(SYSTEM, { ...lease, tokens: next }))) {
        // The user disconnected during the request, so these tokens are revoked. If the user has connected again, they
        // are left to expire: where all of a user's tokens share one grant, revoking them would end the new connection.
        const current = await store.userTokens.find(SYSTEM, { configId, userId });
        if (current === null) revocation.revokeLater(provider, [toRevocable(answer, tokens.clientId)]);
      }
      return 'done';
    },
  };
}

function shorten(reason: string): string {
  return [...reason].slice(0, MAX_REASON).join('');
}

function isOfCurrentClient({ clientId }: UserTokenRecord, { client }: OAuthProvider): boolean {
  return clientId === '' || clientId === client.clientId;
}

interface RefreshAttempt {
  config: McpServerConfigRecord;
  tokens: UserTokenRecord;
  lease: TokenLease;
}

function toFailure(
  config: McpServerConfigRecord,
  userId: string,
  reason: string,
  connection: 'ended' | 'kept',
): NewAuditEntry {
  return {
    actor: SYSTEM,
    action: 'mcpServerConnection.refresh',
    outcome: 'failed',
    target: toConfigTarget(config),
    changes: connection === 'ended' ? [{ field: 'userId', before: userId, after: null }] : [],
    reason: `The connection of user ${userId} is ${connection}: ${reason}`,
  };
}

/** The tokens from a refresh. An absent refresh token or scope keeps its value (RFC 6749, section 6). */
function toNewTokens(
  answer: TokenSet,
  before: UserTokenRecord,
  { obtainedAt, urls }: Pick<NewTokens, 'obtainedAt' | 'urls'>,
): NewTokens {
  const { accessToken, refreshToken, scopes, expiresInSeconds } = answer;
  return {
    accessToken,
    refreshToken: refreshToken ?? undefined,
    scopes: scopes ?? before.scopes,
    obtainedAt,
    expiresAt: toExpiry(obtainedAt, expiresInSeconds),
    urls,
  };
}

/** The expiry of a token that was just issued. */
export function toExpiry(obtainedAt: Date, expiresInSeconds: number | null): Date | null {
  return expiresInSeconds === null ? null : new Date(obtainedAt.getTime() + expiresInSeconds * 1_000);
}
