import type { Secret } from '../../crypto/secret.ts';
import { isForeignKeyViolation } from '../../data/database/database-error.ts';
import type { ApiTokenRecord } from '../../data/records.ts';
import type { Store } from '../../data/store.ts';
import { notFound } from '../../errors.ts';
import { FIELD_LIMITS } from '../../limits/field-limits.ts';
import type { Quotas } from '../../limits/quotas.ts';
import { assertCan } from '../../policy/policy.ts';
import { SYSTEM, type Viewer } from '../../policy/viewer.ts';
import { checkQuota } from '../quotas/quota-check.ts';
import { Issues } from '../validation/issues.ts';
import { checkName, trimmed } from '../validation/text.ts';
import { generateApiToken, hashToken } from './token-format.ts';

/** The input for a new token. */
export interface CreateApiTokenInput {
  userId: string;
  name: string;
  expiresAt?: Date | null | undefined;
}

const MAX_NAME = FIELD_LIMITS.tokenName.value;
/** RFC 3339 has four-digit years. A later time could be stored but not formatted. */
const LATEST_EXPIRY = new Date('9999-12-31T23:59:59.999Z');

/** Creates the service. Only the SHA-256 of a token is stored. */
export function createApiTokenService(options: { store: Store; now: () => Date; quotas: Quotas }) {
  const { store, now, quotas } = options;

  return {
    /**
     * Creates a token for a user. The token value is returned only here.
     *
     * @throws FORBIDDEN, VALIDATION_FAILED (also if the user has too many), NOT_FOUND when the user does not exist
     */
    async create(viewer: Viewer, input: CreateApiTokenInput): Promise<{ token: Secret; apiToken: ApiTokenRecord }> {
      assertCan(viewer, 'apiToken.create');
      const token = generateApiToken();
      try {
        const expiresAt = input.expiresAt ?? null;
        const tokenHash = hashToken(token.expose());
        const apiToken = await store.transaction(async (tx) => {
          const { name, issues } = checkInput(input, now());
          const used = await tx.usage.countTokens(viewer, { userId: input.userId, now: now() });
          checkQuota(issues, ['userId'], { quota: 'apiTokensPerUser', limit: quotas.apiTokensPerUser, used });
          issues.throwIfAny();
          const created = await tx.apiTokens.create(viewer, { userId: input.userId, name, tokenHash, expiresAt });
          const changes = [
            { field: 'userId', before: null, after: input.userId },
            { field: 'expiresAt', before: null, after: expiresAt },
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

    /** Revokes a token and ends its sessions immediately. Revoking again has no effect. @throws NOT_FOUND */
    async revoke(viewer: Viewer, id: string): Promise<ApiTokenRecord> {
      assertCan(viewer, 'apiToken.revoke');
      return store.transaction(async (tx) => {
        const revoked = await tx.apiTokens.revoke(viewer, { id, revokedAt: now() });
        if (revoked === null) throw notFound('API token');
        const changes = [{ field: 'userId', before: revoked.userId, after: null }];
        await tx.audit.append(SYSTEM, { actor: viewer, action: 'apiToken.revoke', target: toTarget(revoked), changes });
        return revoked;
      });
    },

    async listByUserIds(viewer: Viewer, userIds: readonly string[]): Promise<ApiTokenRecord[]> {
      return store.apiTokens.listByUserIds(viewer, { userIds });
    },
  };
}

function checkInput(input: CreateApiTokenInput, now: Date): { name: string; issues: Issues } {
  const name = trimmed(input.name);
  const expiresAt = input.expiresAt ?? null;
  const issues = new Issues();
  if (name === '') issues.add(['name'], 'REQUIRED', 'Enter a name that helps you recognise the token.');
  else checkName(issues, ['name'], name, MAX_NAME);
  if (expiresAt !== null && expiresAt <= now) {
    issues.add(['expiresAt'], 'IN_THE_PAST', 'Must be in the future.');
  } else if (expiresAt !== null && expiresAt > LATEST_EXPIRY) {
    issues.add(['expiresAt'], 'TOO_LATE', 'Must be before the year 10000; omit it for a token that does not expire.');
  }
  return { name, issues };
}

function toTarget({ id, name }: ApiTokenRecord) {
  return { type: 'api_token', id, label: name } as const;
}
