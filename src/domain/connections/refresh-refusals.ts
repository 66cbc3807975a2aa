import type { RefreshDelay, UserTokenRecord } from '../../data/repositories/user-token-repository.ts';
import type { TokenEndpointFailure } from '../oauth/token-endpoint-error.ts';

/** A refusal may be a mistake that passes. This many, over this time, are not. */
const MAX_REFUSALS = 3;
const MIN_REFUSAL_MS = 600_000;

/** What follows from a failed refresh: the connection stays, waits for an admin or a new connect, or ends. */
export type RefreshVerdict = 'keep' | 'block' | 'end';

/** The facts about a connection's refusals, after one more failure. */
export type RefusalFacts = Pick<RefreshDelay, 'refreshRefusals' | 'refusedSince' | 'blockedReason'>;

/** Counts a failure. Only answers that refuse count: a server that is away refuses nothing. */
export function countRefusal(tokens: UserTokenRecord, failure: TokenEndpointFailure, now: Date): RefusalFacts {
  const { refreshRefusals, refusedSince, blockedReason } = tokens;
  if (!isRefusal(failure)) return { refreshRefusals, refusedSince, blockedReason };
  return { refreshRefusals: refreshRefusals + 1, refusedSince: refusedSince ?? now, blockedReason };
}

/**
 * Judges a failed refresh. A server that says that the grant is dead is believed at once. One that refuses in unknown
 * words is believed when the access token has expired and it refused three times over at least ten minutes. If it then
 * refuses the gateway's client, the tokens may still be good: an admin can correct the client.
 */
export function judgeRefresh(
  { expiresAt }: UserTokenRecord,
  failure: TokenEndpointFailure,
  { refreshRefusals, refusedSince }: RefusalFacts,
  now: Date,
): RefreshVerdict {
  if (failure === 'invalid_grant') return 'end';
  // A token without an expiry is only renewed after the server rejected it.
  const isExpired = expiresAt === null || expiresAt <= now;
  const isLong = refusedSince !== null && now.getTime() - refusedSince.getTime() >= MIN_REFUSAL_MS;
  if (!isRefusal(failure) || !isExpired || !isLong || refreshRefusals < MAX_REFUSALS) return 'keep';
  return failure === 'invalid_client' ? 'block' : 'end';
}

function isRefusal(failure: TokenEndpointFailure): boolean {
  return failure === 'refused' || failure === 'invalid_client';
}
