import { useMutation } from 'urql';
import { Confirm } from '../../../ui/dialog.tsx';
import { useNotify } from '../../../ui/notices.tsx';
import { RestoreServerDocument } from '../generated/graphql.ts';
import { type Change, ChangeList } from '../parts/changes.tsx';

interface RestoreDialogProps {
  isOpen: boolean;
  onClose: () => void;
  server: { id: string; version: number; displayName: string };
  version: number;
  changes: readonly Change[];
}

/** Restores an earlier version, after what that changes was shown. */
export function RestoreDialog({ isOpen, onClose, server, version, changes }: RestoreDialogProps) {
  const [{ fetching, error }, restore] = useMutation(RestoreServerDocument);
  const notify = useNotify();
  const confirm = async (): Promise<void> => {
    const input = { id: server.id, version, expectedVersion: server.version };
    const { data } = await restore({ input });
    if (data === undefined) return;
    onClose();
    const secrets = data.restoreMcpServerConfigVersion.unrestoredSecrets;
    notify(
      `${server.displayName} is as it was at version ${version}`,
      secrets.length === 0 ? undefined : `These secrets changed since, and stay as they are: ${secrets.join(', ')}.`,
    );
  };
  return (
    <Confirm
      isOpen={isOpen}
      onClose={onClose}
      title={`Restore version ${version}?`}
      text="Secrets are not restored, and a server that is turned off stays off. It can be undone: it makes a new version."
      action="Restore"
      isBusy={fetching}
      error={error}
      onConfirm={confirm}
    >
      {changes.length === 0 ? <p>No setting would change.</p> : <ChangeList changes={changes} />}
    </Confirm>
  );
}
