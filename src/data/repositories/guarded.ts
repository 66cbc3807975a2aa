import { type Action, assertCan, type Resource } from '../../policy/policy.ts';
import type { Viewer } from '../../policy/viewer.ts';

/** A repository function: takes the viewer first, and carries the action that it asks the policy about. */
export interface Guarded<Args, Result> {
  (viewer: Viewer, args: Args): Promise<Result>;
  readonly action: Action;
}

/**
 * Wraps access to data so that it cannot run without the policy's consent: the counterpart of a database's row
 * security, one layer above. A test walks every repository and calls each function as nobody.
 *
 * @param resource what of the arguments the reach of a grant depends on
 */
export function guarded<Args, Result>(
  action: Action,
  run: (args: Args, viewer: Viewer) => Promise<Result>,
  resource?: (args: Args) => Resource,
): Guarded<Args, Result> {
  const call = async (viewer: Viewer, args: Args): Promise<Result> => {
    // Nobody is turned away before the arguments are looked at.
    assertCan(viewer, action);
    if (resource !== undefined) assertCan(viewer, action, resource(args));
    return run(args, viewer);
  };
  return Object.assign(call, { action });
}
