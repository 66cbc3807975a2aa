import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useMutation, useQuery } from 'urql';
import { Button } from '../../../ui/button.tsx';
import { Confirm } from '../../../ui/dialog.tsx';
import { Failed } from '../../../ui/failed.tsx';
import { useNotify } from '../../../ui/notices.tsx';
import { ListSkeleton } from '../../../ui/skeleton.tsx';
import { useStillHere } from '../../../ui/still-here.ts';
import {
  DeleteServerDocument,
  DisconnectEverybodyDocument,
  ServerImpactDocument,
  type ServerSettingsFragment,
  UpdateServerDocument,
} from '../generated/graphql.ts';
import styles from './page.module.css';

type Server = Pick<ServerSettingsFragment, 'id' | 'displayName' | 'enabled'>;

/** Turns a server on; or off, after what that does was shown. */
export function SwitchButton({ server: { id, displayName, enabled } }: { server: Server }) {
  const [isOpen, setIsOpen] = useState(false);
  const [{ fetching, error }, update] = useMutation(UpdateServerDocument);
  const notify = useNotify();
  const change = async (to: boolean): Promise<void> => {
    const { data } = await update({ input: { id, enabled: to } });
    if (data === undefined) return;
    setIsOpen(false);
    notify(`${displayName} is turned ${to ? 'on' : 'off'}`);
  };
  return (
    <>
      {enabled ? (
        <Button onClick={() => setIsOpen(true)}>Disable</Button>
      ) : (
        <Button look="primary" isBusy={fetching} onClick={() => change(true)}>
          Enable
        </Button>
      )}
      {!enabled && error !== undefined && <Failed error={error} />}
      <ImpactDialog
        id={id}
        isOpen={isOpen && enabled}
        onClose={() => setIsOpen(false)}
        title={`Disable ${displayName}?`}
        action="Disable"
        effects="ifDisabled"
        isBusy={fetching}
        error={error}
        onConfirm={() => change(false)}
      />
    </>
  );
}

/** Deletes a server, after what that does was shown. */
export function DeleteButton({ server: { id, displayName } }: { server: Server }) {
  const [isOpen, setIsOpen] = useState(false);
  const [{ fetching, error }, remove] = useMutation(DeleteServerDocument);
  const navigate = useNavigate();
  const begin = useStillHere();
  const notify = useNotify();
  const confirm = async (): Promise<void> => {
    const isStillHere = begin();
    const { data } = await remove({ id });
    if (data === undefined) return;
    notify(`${displayName} is deleted`);
    if (isStillHere()) await navigate({ to: '/admin/servers', search: {}, ignoreBlocker: true });
  };
  return (
    <>
      <Button onClick={() => setIsOpen(true)}>Delete</Button>
      <ImpactDialog
        id={id}
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        title={`Delete ${displayName}?`}
        action="Delete"
        effects="ifDeleted"
        isBusy={fetching}
        error={error}
        onConfirm={confirm}
      />
    </>
  );
}

/** Ends the connections of all users, after it was said what that means for them. */
export function DisconnectButton({ server: { id, displayName } }: { server: Server }) {
  const [isOpen, setIsOpen] = useState(false);
  const [{ fetching, error }, disconnect] = useMutation(DisconnectEverybodyDocument);
  const notify = useNotify();
  const confirm = async (): Promise<void> => {
    const { data } = await disconnect({ id });
    if (data === undefined) return;
    setIsOpen(false);
    notify(`${toCount(data.removeMcpServerUserTokens.removedCount, 'user')} disconnected from ${displayName}`);
  };
  return (
    <>
      <Button onClick={() => setIsOpen(true)}>Disconnect everybody</Button>
      <ImpactDialog
        id={id}
        isOpen={isOpen}
        onClose={() => setIsOpen(false)}
        title={`Disconnect everybody from ${displayName}?`}
        action="Disconnect everybody"
        effects={DISCONNECTED}
        isBusy={fetching}
        error={error}
        onConfirm={confirm}
      />
    </>
  );
}

const DISCONNECTED = [
  'Their tokens are removed at once, and revoked at the provider where it offers that.',
  'Each of them must connect again to use the server. It stays turned on, and chosen in their chats.',
];

interface ImpactDialogProps {
  id: string;
  isOpen: boolean;
  onClose: () => void;
  title: string;
  action: string;
  /** What happens: as the server says it, or in these sentences. */
  effects: 'ifDisabled' | 'ifDeleted' | readonly string[];
  isBusy: boolean;
  error: Parameters<typeof Confirm>[0]['error'];
  onConfirm: () => void;
}

/** Asks with the numbers of now. Nothing can be confirmed before they are there. */
function ImpactDialog({ id, isOpen, effects, isBusy, error, ...rest }: ImpactDialogProps) {
  const [{ data, error: unknown }, ask] = useQuery({
    query: ServerImpactDocument,
    variables: { id },
    pause: !isOpen,
    requestPolicy: 'cache-and-network',
  });
  const impact = data?.mcpServerConfigImpact;
  return (
    <Confirm {...rest} isOpen={isOpen} isBusy={isBusy || impact === undefined} error={error}>
      {unknown !== undefined && <Failed error={unknown} retry={() => ask({ requestPolicy: 'network-only' })} />}
      {impact === undefined && unknown === undefined && <ListSkeleton rows={1} />}
      {impact !== undefined && (
        <>
          <p>
            {toCount(impact.chatCount, 'chat')} of {toCount(impact.chatOwnerCount, 'user')} selected it, and{' '}
            {toCount(impact.connectedUserCount, 'user')} connected an account.
          </p>
          <ul className={styles.effects}>
            {(typeof effects === 'string' ? impact[effects] : effects).map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </>
      )}
    </Confirm>
  );
}

function toCount(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}
