import { useState } from 'react';
import { useMutation } from 'urql';
import { Button } from '../../../ui/button.tsx';
import { Confirm } from '../../../ui/dialog.tsx';
import { RevokeKeyDocument } from '../generated/graphql.ts';

/** Revokes a key that seals nothing any more. The gateway refuses it for others, and says why. */
export function RevokeKey({ number, sealed }: { number: number; sealed: number }) {
  const [isOpen, setIsOpen] = useState(false);
  const [{ fetching, error }, revoke] = useMutation(RevokeKeyDocument);
  const confirm = async (): Promise<void> => {
    const { data } = await revoke({ number });
    if (data !== undefined) setIsOpen(false);
  };
  return (
    <>
      <Button aria-label={`Revoke key ${number}`} onClick={() => setIsOpen(true)}>
        Revoke
      </Button>
      <Confirm
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        title={`Revoke key ${number}?`}
        text={
          sealed === 0
            ? 'It seals nothing any more. What backups have sealed with it can then not be opened here.'
            : `It still seals ${sealed.toLocaleString('en')} secrets. Move them to the active key first.`
        }
        action="Revoke"
        isBusy={fetching}
        error={error}
        onConfirm={confirm}
      />
    </>
  );
}
