import { isLeaving, startLeaving } from '../../graph/leaving.ts';
import { Button } from '../../ui/button.tsx';

/** Leaves for a page of the gateway, which says so, and offers to sign out at the provider, too. */
export function SignOut() {
  return (
    <form
      method="post"
      action="/auth/sign-out"
      onSubmit={(event) => {
        // A second request would take the place of the first, and come from nobody.
        if (isLeaving()) event.preventDefault();
        else startLeaving();
      }}
    >
      <Button type="submit">Sign out</Button>
    </form>
  );
}
