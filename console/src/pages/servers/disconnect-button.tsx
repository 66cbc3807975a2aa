import { useState } from 'react';
import { useMutation } from 'urql';
import { DisconnectDocument } from '../../graph/generated/graphql.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/dialog.tsx';
import { useNotify } from '../../ui/notices.tsx';

/** Ends the viewer's connection to a server, and tells whether the provider took back the access. */
export function DisconnectButton({ server }: { server: { id: string; displayName: string } }) {
  const [isOpen, setIsOpen] = useState(false);
  const [{ fetching, error }, disconnect] = useMutation(DisconnectDocument);
  const notify = useNotify();

  const confirm = async (): Promise<void> => {
    const { data } = await disconnect({ id: server.id });
    if (data === undefined) return;
    setIsOpen(false);
    const { tokenRevoked, revocationError } = data.disconnectMcpServer;
    const title = `${server.displayName} is disconnected`;
    if (tokenRevoked)
      notify(title, 'The gateway deleted your tokens, and the provider confirmed that they no longer work.');
    else if (revocationError === null) notify(title, 'The gateway deleted your tokens.');
    else {
      notify(
        title,
        `The gateway deleted your tokens, but the provider did not confirm that it revoked them: ${revocationError}`,
      );
    }
  };

  return (
    <>
      <Button onClick={() => setIsOpen(true)} aria-label={`Disconnect: ${server.displayName}`}>
        Disconnect
      </Button>
      <Confirm
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        title={`Disconnect ${server.displayName}?`}
        text="Its tools stop working for you, in all of your chats and programs. You can connect again at any time."
        action="Disconnect"
        isBusy={fetching}
        error={error}
        onConfirm={confirm}
      />
    </>
  );
}
