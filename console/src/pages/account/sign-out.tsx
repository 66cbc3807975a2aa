import { startLeaving } from '../../graph/client.ts';
import { Button } from '../../ui/button.tsx';

/** Leaves for a page of the gateway, which says so, and offers to sign out at the provider, too. */
export function SignOut() {
  return (
    <form method="post" action="/auth/sign-out" onSubmit={startLeaving}>
      <Button type="submit">Sign out</Button>
    </form>
  );
}
