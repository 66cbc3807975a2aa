import { useRef } from 'react';
import { startLeaving } from '../../graph/leaving.ts';
import { Button } from '../../ui/button.tsx';

/** Who presses again so soon means the same. */
const DOUBLE_PRESS_MS = 2_000;

/** Leaves for a page of the gateway, which says so, and offers to sign out at the provider, too. */
export function SignOut() {
  const pressedAt = useRef(Number.NEGATIVE_INFINITY);
  return (
    <form
      method="post"
      action="/auth/sign-out"
      onSubmit={(event) => {
        // A second request would take the place of the first, and come from nobody: that session has ended.
        if (performance.now() - pressedAt.current < DOUBLE_PRESS_MS) {
          event.preventDefault();
          return;
        }
        pressedAt.current = performance.now();
        startLeaving();
      }}
    >
      <Button type="submit">Sign out</Button>
    </form>
  );
}
