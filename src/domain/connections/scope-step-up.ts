import type { UserTokenRecord } from '../../data/repositories/user-token-repository.ts';
import type { Store } from '../../data/store.ts';
import { SYSTEM } from '../../policy/viewer.ts';

/** How often a user is asked for more scopes before the server's "insufficient" is taken for its last word. */
export const MAX_STEP_UP_ROUNDS = 3;

/** More fit into no URL that browsers and servers take. */
const MAX_WANTED_SCOPES = 100;

/** `needs_connect`: the next connect asks for the scopes too. `refused`: asking again would not help. */
export type StepUpResult = 'needs_connect' | 'refused';

/**
 * Notes what a server asked for with `insufficient_scope` (RFC 6750, section 3.1; MCP, "Step-Up Authorization Flow").
 * The token goes on to be used for what it is good for; `viewerStateReason` tells the user to connect again.
 */
export async function requireScopes(
  store: Store,
  args: { userId: string; configId: string; scopes: readonly string[] },
): Promise<StepUpResult> {
  const tokens = await store.userTokens.find(SYSTEM, args);
  if (tokens === null) return 'needs_connect';
  // What was asked for and not granted will not be granted now.
  const scopes = union(args.scopes).filter((each) => !tokens.requestedScopes.includes(each));
  if (scopes.length === 0 || tokens.stepUpRounds >= MAX_STEP_UP_ROUNDS) return 'refused';
  await store.userTokens.wantScopes(SYSTEM, { id: tokens.id, scopes, most: MAX_WANTED_SCOPES });
  return 'needs_connect';
}

/** What the next connect asks for, and which round of widening it is. */
export function toNextRequest(
  scopes: readonly string[],
  before: UserTokenRecord | null,
): { scopes: string[]; stepUpRounds: number } {
  if (before === null) return { scopes: [...scopes], stepUpRounds: 0 };
  const { requestedScopes, wantedScopes, stepUpRounds } = before;
  const isWidening = wantedScopes.length > 0;
  // Once widened, always as wide: what was granted for one tool must not be lost for another.
  const isWide = isWidening || stepUpRounds > 0;
  return {
    scopes: isWide ? union(scopes, requestedScopes, wantedScopes) : [...scopes],
    stepUpRounds: Math.min(stepUpRounds + (isWidening ? 1 : 0), MAX_STEP_UP_ROUNDS),
  };
}

function union(...sets: readonly (readonly string[])[]): string[] {
  return [...new Set(sets.flat())];
}
