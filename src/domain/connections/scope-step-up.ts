import type { ScopeMemory } from '../../data/repositories/scope-request-repository.ts';
import type { Store } from '../../data/store.ts';
import { OUTBOUND_LIMITS } from '../../limits/outbound-limits.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import { toTokenList } from '../oauth/discovery/token-list.ts';

/** How often a user is asked for more scopes before the server's "insufficient" is treated as final. */
export const MAX_STEP_UP_ROUNDS = OUTBOUND_LIMITS.stepUpRounds.value;

/** A larger list would not fit into a URL that browsers and servers accept. */
const MAX_WANTED_SCOPES = OUTBOUND_LIMITS.wantedScopes.value;

/** `needs_connect`: the next connect also asks for these scopes. `refused`: asking again would not help. */
export type StepUpResult = 'needs_connect' | 'refused';

/**
 * Records the scopes that a server asked for with a challenge: with 401, whether or not the user has a token, or with
 * `insufficient_scope` (RFC 6750, section 3.1; MCP, "Step-Up Authorization Flow"). A server may let `initialize` through
 * and challenge only later, so discovery may not have seen them. A token stays in use for what it allows;
 * `viewerStateReason` tells the user to connect again.
 */
export async function requireScopes(
  store: Store,
  args: { userId: string; configId: string; scopes: readonly string[] },
): Promise<StepUpResult> {
  const asked = toTokenList(args.scopes);
  const tokens = await store.userTokens.find(SYSTEM, args);
  if (tokens === null) return requireAtFirst(store, { ...args, scopes: asked });
  // Scopes that were requested and not granted would not be granted now.
  const scopes = asked.filter((each) => !tokens.requestedScopes.includes(each));
  if (scopes.length === 0 || tokens.stepUpRounds >= MAX_STEP_UP_ROUNDS) return 'refused';
  await store.userTokens.wantScopes(SYSTEM, { id: tokens.id, scopes, most: MAX_WANTED_SCOPES });
  return 'needs_connect';
}

/** The same for a user without tokens, who must connect in any case. */
async function requireAtFirst(
  store: Store,
  args: { userId: string; configId: string; scopes: readonly string[] },
): Promise<'needs_connect'> {
  const before = await store.scopeRequests.find(SYSTEM, args);
  const isWide = before !== null && before.stepUpRounds >= MAX_STEP_UP_ROUNDS;
  if (!isWide && args.scopes.length > 0) await store.scopeRequests.add(SYSTEM, { ...args, most: MAX_WANTED_SCOPES });
  return 'needs_connect';
}

/** What is known about the scopes of a user's next sign-in: from their tokens, or from the time without. */
export async function findScopeMemory(
  store: Pick<Store, 'userTokens' | 'scopeRequests'>,
  of: { userId: string; configId: string },
): Promise<ScopeMemory | null> {
  const tokens = await store.userTokens.find(SYSTEM, of);
  const request = await store.scopeRequests.find(SYSTEM, of);
  if (tokens === null || request === null) return tokens ?? request;
  // A challenge arrived while the user signed in.
  return { ...tokens, wantedScopes: union(tokens.wantedScopes, request.wantedScopes) };
}

/** The scopes for the next connect, and the number of the step-up round. */
export function toNextRequest(
  scopes: readonly string[],
  before: ScopeMemory | null,
): { scopes: string[]; stepUpRounds: number } {
  if (before === null) return { scopes: [...scopes], stepUpRounds: 0 };
  const { requestedScopes, wantedScopes, stepUpRounds } = before;
  const isWidening = wantedScopes.length > 0;
  // Once widened, keep asking for all scopes: a scope granted for one tool must not be lost for another.
  const isWide = isWidening || stepUpRounds > 0;
  return {
    scopes: isWide ? union(scopes, requestedScopes, wantedScopes) : [...scopes],
    stepUpRounds: Math.min(stepUpRounds + (isWidening ? 1 : 0), MAX_STEP_UP_ROUNDS),
  };
}

function union(...sets: readonly (readonly string[])[]): string[] {
  return [...new Set(sets.flat())];
}
