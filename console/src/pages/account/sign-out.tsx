import { useState } from 'react';
import { goToSignIn } from '../../graph/client.ts';
import { Button } from '../../ui/button.tsx';
import { useNotify } from '../../ui/notices.tsx';

/** Ends the session of this browser. */
export function SignOut() {
  const [isBusy, setIsBusy] = useState(false);
  const notify = useNotify();

  const signOut = async (): Promise<void> => {
    setIsBusy(true);
    try {
      const { ok, status } = await fetch('/auth/session', { method: 'DELETE' });
      if (ok || status === 401) return goToSignIn();
      notify('You are still signed in', `The gateway answered with status ${status}.`);
    } catch {
      notify('You are still signed in', 'The gateway cannot be reached. Check your network, then try again.');
    }
    setIsBusy(false);
  };

  return (
    <Button isBusy={isBusy} onClick={signOut}>
      Sign out
    </Button>
  );
}
