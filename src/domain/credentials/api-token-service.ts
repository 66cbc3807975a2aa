import type { Secret } from '../../crypto/secret.ts';
import { isForeignKeyViolation } from '../../data/database/database-error.ts';
import type { ApiTokenRecord, Page } from '../../data/records.ts';
import type { ApiTokenFilter, ApiTokenOrder, ApiTokenPlace } from '../../data/repositories/api-token-list.ts';
import type { Store } from '../../data/store.ts';
import { notFound } from '../../errors.ts';
import { CREDENTIAL_LIMITS } from '../../limits/credential-limits.ts';
import { FIELD_LIMITS } from '../../limits/field-limits.ts';
import type { Quotas } from '../../limits/quotas.ts';
import { assertCan } from '../../policy/policy.ts';
import { assertScope, grantOf } from '../../policy/token-grant.ts';
import { SYSTEM, TOKEN_SCOPES, type TokenScope, type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { checkQuota } from '../quotas/quota-check.ts';
import { Issues } from '../validation/issues.ts';
import { checkName as checkText, isStorable, trimmed } from '../validation/text.ts';
import { generateApiToken, hashToken } from './token-format.ts';

/** The input for a new token. */
export interface CreateApiTokenInput {
  /** By default the caller. */
  userId?: string | null | undefined;
  name: string;
  /** By default all; with `mcpServerIds`, only the tools. */
  scopes?: readonly TokenScope[] | null | undefined;
  /** The only servers whose tools it can use. By default it is not limited. */
  mcpServerIds?: readonly string[] | null | undefined;
  expiresAt?: Date | null | undefined;
}

const MAX_SERVERS = CREDENTIAL_LIMITS.tokenServers.value;
const MAX_ENDED = CREDENTIAL_LIMITS.endedTokens.value;
const MAX_NAME = FIELD_LIMITS.tokenName.value;
const DAY_MS = 86_400_000;
/** A caller counts the days from their own clock. */
const CLOCK_SKEW_MS = 60_000;
/** RFC 3339 has four-digit years. A later time could be stored but not formatted. */
const LATEST_EXPIRY = new Date('9999-12-31T23:59:59.999Z');

/** Creates the service. Only the SHA-256 of a token is stored. */
export function createApiTokenService(options: {
  store: Store;
  now: () => Date;
  quotas: Quotas;
  /** The longest life of a new token. If absent, one need not expire. */
  maxDays: number | undefined;
}) {
  const { store, now, quotas, maxDays } = options;

  return {
    /**
     * Creates a token for a user, by default for the caller. The token value is returned only here. A token that was made
     * with another one has no more scopes, and ends no later.
     *
     * @throws FORBIDDEN, VALIDATION_FAILED (also if the user has too many), NOT_FOUND when the user does not exist
     */
    async create(viewer: Viewer, input: CreateApiTokenInput): Promise<{ token: Secret; apiToken: ApiTokenRecord }> {
      const userId = input.userId ?? viewerUserId(viewer) ?? '';
      assertCan(viewer, 'apiToken.create', { ownerId: userId });
      const token = generateApiToken();
      try {
        const expiresAt = input.expiresAt ?? null;
        const tokenHash = hashToken(token.expose());
        const apiToken = await store.transaction(async (tx) => {
          const issues = new Issues();
          const name = checkName(issues, input.name);
          checkExpiry(issues, expiresAt, { now: now(), maxDays });
          const limits = checkLimits(issues, input);
          checkGrant(issues, viewer, { userId, expiresAt, ...limits });
          const used = await tx.usage.countTokens(viewer, { userId, now: now() });
          checkQuota(issues, ['userId'], { quota: 'apiTokensPerUser', limit: quotas.apiTokensPerUser, used });
          issues.throwIfAny();
          const created = await tx.apiTokens.create(viewer, { userId, name, tokenHash, expiresAt, ...limits });
          await tx.apiTokens.removeEnded(viewer, { userId, now: now(), keep: MAX_ENDED });
          const changes = [
            { field: 'userId', before: null, after: userId },
            { field: 'expiresAt', before: null, after: expiresAt },
            { field: 'scopes', before: null, after: limits.scopes },
            { field: 'mcpServerIds', before: null, after: limits.mcpServerIds },
          ];
          await tx.audit.append(SYSTEM, {
            actor: viewer,
            action: 'apiToken.create',
            target: toTarget(created),
            changes,
          });
          return created;
        });
        return { token, apiToken };
      } catch (error) {
        if (isForeignKeyViolation(error)) throw notFound('user');
        throw error;
      }
    },

    /**
     * Revokes a token and ends its sessions immediately. Revoking again has no effect and is not recorded.
     *
     * @throws FORBIDDEN for another user's, NOT_FOUND
     */
    async revoke(viewer: Viewer, id: string): Promise<ApiTokenRecord> {
      assertCan(viewer, 'apiToken.revoke');
      return store.transaction(async (tx) => {
        const revoked = await tx.apiTokens.revoke(viewer, { id, revokedAt: now() });
        if (revoked === null) throw notFound('API token');
        const { apiToken, isChanged } = revoked;
        if (!isChanged) return apiToken;
        const target = toTarget(apiToken);
        const changes = [{ field: 'userId', before: apiToken.userId, after: null }];
        await tx.audit.append(SYSTEM, { actor: viewer, action: 'apiToken.revoke', target, changes });
        return apiToken;
      });
    },

    /** A page of all users' tokens; only their own for those who may see no others. */
    async list(
      viewer: Viewer,
      args: {
        first: number;
        after?: ApiTokenPlace | undefined;
        filter?: ApiTokenFilter | undefined;
        order: ApiTokenOrder;
      },
    ): Promise<Page<ApiTokenRecord>> {
      assertCan(viewer, 'apiToken.list');
      if (isUnfindable(args.filter)) return { rows: [], hasMore: false };
      return store.apiTokens.list(viewer, { ...args, now: now() });
    },

    async count(viewer: Viewer, filter?: ApiTokenFilter): Promise<number> {
      assertCan(viewer, 'apiToken.list');
      return isUnfindable(filter) ? 0 : store.apiTokens.count(viewer, { filter, now: now() });
    },

    /** The users' tokens, oldest first; only their own for those who may see no others. */
    async listByUserIds(viewer: Viewer, userIds: readonly string[]): Promise<ApiTokenRecord[]> {
      return store.apiTokens.listByUserIds(viewer, { userIds });
    },
  };
}

/** PostgreSQL fails on text that it cannot store. No name contains such text, so nothing matches. */
function isUnfindable(filter: ApiTokenFilter | undefined): boolean {
  return filter?.search !== undefined && !isStorable(filter.search);
}

function checkName(issues: Issues, given: string): string {
  const name = trimmed(given);
  if (name === '') issues.add(['name'], 'REQUIRED', 'Enter a name that helps you recognise the token.');
  else checkText(issues, ['name'], name, MAX_NAME);
  return name;
}

function checkExpiry(
  issues: Issues,
  expiresAt: Date | null,
  { now, maxDays }: { now: Date; maxDays: number | undefined },
): void {
  const within = maxDays === undefined ? undefined : `within ${maxDays} days: the operator requires it.`;
  if (expiresAt === null) {
    if (within !== undefined) issues.add(['expiresAt'], 'REQUIRED', `The token must expire ${within}`);
  } else if (expiresAt <= now) issues.add(['expiresAt'], 'IN_THE_PAST', 'Must be in the future.');
  else if (maxDays !== undefined && expiresAt.getTime() - now.getTime() > maxDays * DAY_MS + CLOCK_SKEW_MS) {
    issues.add(['expiresAt'], 'TOO_LATE', `Must be ${within}`);
  } else if (expiresAt > LATEST_EXPIRY) {
    issues.add(['expiresAt'], 'TOO_LATE', 'Must be before the year 10000; omit it for a token that does not expire.');
  }
}

/** What a token is limited to. */
type Limits = Pick<ApiTokenRecord, 'scopes' | 'mcpServerIds'>;

/** The graph is not limited to servers, so a token for some of them is for tools only. */
function checkLimits(issues: Issues, input: CreateApiTokenInput): Limits {
  const mcpServerIds = input.mcpServerIds == null ? null : [...new Set(input.mcpServerIds)];
  const given = input.scopes ?? (mcpServerIds === null ? TOKEN_SCOPES : (['mcp'] as const));
  const scopes = TOKEN_SCOPES.filter((scope) => given.includes(scope));
  if (scopes.length === 0) {
    issues.add(['scopes'], 'REQUIRED', 'Choose at least one scope, or omit the field for all of them.');
  }
  if (mcpServerIds === null) return { scopes, mcpServerIds };
  if (mcpServerIds.length === 0) {
    issues.add(['mcpServerIds'], 'REQUIRED', 'Choose at least one server, or omit the field for all of them.');
  }
  if (mcpServerIds.length > MAX_SERVERS) {
    issues.add(['mcpServerIds'], 'TOO_MANY', `Choose at most ${MAX_SERVERS} servers.`);
  }
  if (scopes.includes('graph')) {
    const message = 'A token that is limited to servers can only have the scope MCP. Create another one for GRAPH.';
    issues.add(['scopes'], 'SCOPE_TOO_WIDE', message);
  }
  return { scopes, mcpServerIds };
}

/**
 * Whoever holds a limited token must not be able to make one without its limits.
 *
 * @throws FORBIDDEN for a scope that the caller's own token lacks
 */
function checkGrant(issues: Issues, viewer: Viewer, token: Limits & { userId: string; expiresAt: Date | null }): void {
  const grant = grantOf(viewer);
  if (grant === null) return;
  for (const scope of token.scopes) assertScope(viewer, scope);
  if (grant.expiresAt === null || token.userId !== viewerUserId(viewer)) return;
  if (token.expiresAt === null || token.expiresAt > grant.expiresAt) {
    issues.add(['expiresAt'], 'TOO_LATE', 'Must be no later than the end of the token that you use.');
  }
}

function toTarget({ id, name }: ApiTokenRecord) {
  return { type: 'api_token', id, label: name } as const;
}
