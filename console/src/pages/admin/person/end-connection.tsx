import { useState } from 'react';
import { useMutation } from 'urql';
import { Button } from '../../../ui/button.tsx';
import { Confirm } from '../../../ui/dialog.tsx';
import { useNotify } from '../../../ui/notices.tsx';
import { EndPersonsConnectionDocument } from '../generated/graphql.ts';

interface EndConnectionProps {
  user: { id: string; email: string };
  configId: string;
  /** Name of the server. */
  server: string;
}

/** Takes a user's account at a server away, after it was said what that means. */
export function EndConnection({ user: { id, email }, configId, server }: EndConnectionProps) {
  const [isOpen, setIsOpen] = useState(false);
  const [{ fetching, error }, end] = useMutation(EndPersonsConnectionDocument);
  const notify = useNotify();
  const confirm = async (): Promise<void> => {
    const { data } = await end({ configId, userId: id });
    if (data === undefined) return;
    setIsOpen(false);
    notify(`${email} is no longer connected to ${server}`);
  };
  return (
    <>
      <Button onClick={() => setIsOpen(true)} aria-label={`Disconnect: ${server}`}>
        Disconnect
      </Button>
      <Confirm
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        title={`Disconnect ${email} from ${server}?`}
        text="Its tools stop working for them at once, in every chat and program. They can connect their account again. To prevent that, suspend them or disable the server."
        action="Disconnect"
        isBusy={fetching}
        error={error}
        onConfirm={confirm}
      />
    </>
  );
}
