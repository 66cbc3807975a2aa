import { type Action, assertCan, type Resource } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';

/** A repository function. It takes the viewer first and carries the action that the policy must allow. */
export interface Guarded<Args, Result> {
  (viewer: Viewer, args: Args): Promise<Result>;
  readonly action: Action;
}

/**
 * Wraps data access so that it cannot run without the policy's permission, like row-level security one layer above the
 * database. A test calls every function of every repository as an anonymous caller.
 *
 * @param resource the part of the arguments that the scope of a grant depends on
 */
export function guarded<Args, Result>(
  action: Action,
  run: (args: Args, viewer: Viewer) => Promise<Result>,
  resource?: (args: Args) => Resource,
): Guarded<Args, Result> {
  const call = async (viewer: Viewer, args: Args): Promise<Result> => {
    // Refuse anonymous callers before looking at the arguments.
    assertCan(viewer, action);
    if (resource !== undefined) assertCan(viewer, action, resource(args));
    return run(args, viewer);
  };
  return Object.assign(call, { action });
}
