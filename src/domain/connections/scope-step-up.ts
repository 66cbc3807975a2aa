import type { UserTokenRecord } from '../../data/repositories/user-token-repository.ts';
import type { Store } from '../../data/store.ts';
import { SYSTEM } from '../../policy/viewer.ts';

/** How often a user is asked for more scopes before the server's "insufficient" is treated as final. */
export const MAX_STEP_UP_ROUNDS = 3;

/** A larger list would not fit into a URL that browsers and servers accept. */
const MAX_WANTED_SCOPES = 100;

/** `needs_connect`: the next connect also asks for these scopes. `refused`: asking again would not help. */
export type StepUpResult = 'needs_connect' | 'refused';

/**
 * Records the scopes that a server asked for with `insufficient_scope` (RFC 6750, section 3.1; MCP, "Step-Up
 * Authorization Flow"). The token stays in use for what it allows; `viewerStateReason` tells the user to connect again.
 */
export async function requireScopes(
  store: Store,
  args: { userId: string; configId: string; scopes: readonly string[] },
): Promise<StepUpResult> {
  const tokens = await store.userTokens.find(SYSTEM, args);
  if (tokens === null) return 'needs_connect';
  // Scopes that were requested and not granted would not be granted now.
  const scopes = union(args.scopes).filter((each) => !tokens.requestedScopes.includes(each));
  if (scopes.length === 0 || tokens.stepUpRounds >= MAX_STEP_UP_ROUNDS) return 'refused';
  await store.userTokens.wantScopes(SYSTEM, { id: tokens.id, scopes, most: MAX_WANTED_SCOPES });
  return 'needs_connect';
}

/** The scopes for the next connect, and the number of the step-up round. */
export function toNextRequest(
  scopes: readonly string[],
  before: UserTokenRecord | null,
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
