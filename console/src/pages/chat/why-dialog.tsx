import { useQuery } from 'urql';
import { WhyServerDocument } from '../../graph/generated/graphql.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog, DialogActions } from '../../ui/dialog.tsx';
import { Failed } from '../../ui/failed.tsx';
import { ListSkeleton } from '../../ui/skeleton.tsx';
import { Checks } from '../server/why.tsx';

interface WhyDialogProps {
  server: { id: string; name: string } | undefined;
  chatId: string;
  isOpen: boolean;
  onClose: () => void;
}

/** Why a chat can use a server or not. */
export function WhyDialog({ server, chatId, isOpen, onClose }: WhyDialogProps) {
  const [{ data, error }, ask] = useQuery({
    query: WhyServerDocument,
    variables: { configId: server?.id ?? '', chatId },
    pause: !isOpen || server === undefined,
  });
  const explanation = data?.explainMcpServer;
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      isOnlyRead
      title={`${server?.name ?? 'Server'}: can this chat use it?`}
      text={explanation?.summary}
    >
      {explanation === undefined && error === undefined && <ListSkeleton rows={1} />}
      {explanation === undefined && error !== undefined && (
        <Failed error={error} retry={() => ask({ requestPolicy: 'network-only' })} />
      )}
      {explanation !== undefined && <Checks checks={explanation.checks} />}
      <DialogActions>
        <Button onClick={onClose}>Close</Button>
      </DialogActions>
    </Dialog>
  );
}
