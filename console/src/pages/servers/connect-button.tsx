import { useEffect, useRef, useState } from 'react';
import { Button } from '../../ui/button.tsx';
import styles from './connect.module.css';

interface ConnectButtonProps {
  server: { id: string; displayName: string; viewerState: string };
  /** What happens once it is connected. The page itself changes by the feed. */
  onConnected?: () => void;
}

/**
 * Opens the window in which the user signs in at the server. The window opens in the click, or the browser would block it,
 * and each server has one. That it is done is told by the feed of changes.
 */
export function ConnectButton({ server, onConnected }: ConnectButtonProps) {
  const { id, displayName, viewerState } = server;
  const path = `/api/experimental/mcp/servers/${id}/oauth2/connect`;
  const popup = useRef<Window | null>(null);
  const [state, setState] = useState<'idle' | 'waiting' | 'blocked'>('idle');
  const formerState = useRef(viewerState);

  useEffect(() => {
    if (formerState.current !== viewerState && viewerState === 'READY') {
      setState('idle');
      onConnected?.();
    }
    formerState.current = viewerState;
  }, [viewerState, onConnected]);

  // Whoever comes back to this window without having connected may try again.
  useEffect(() => {
    if (state !== 'waiting') return undefined;
    const onFocus = (): void => {
      if (popup.current?.closed !== false) setState('idle');
    };
    window.addEventListener('focus', onFocus);
    return () => window.removeEventListener('focus', onFocus);
  }, [state]);

  const open = (): void => {
    popup.current = window.open(path, `gatehouse-connect-${id}`, 'popup,width=600,height=720');
    popup.current?.focus();
    setState(popup.current === null ? 'blocked' : 'waiting');
  };

  const verb = viewerState === 'RECONNECT' ? 'Connect again' : 'Connect';
  return (
    <div className={styles.connect}>
      <Button look="primary" onClick={open} aria-label={`${verb}: ${displayName}`}>
        {verb}
      </Button>
      <span role="status" className={styles.note}>
        {state === 'waiting' && 'Sign in in the other window.'}
        {state === 'blocked' && (
          <>
            The browser blocked the window.{' '}
            <a href={path} target="_blank" rel="noopener opener">
              Open it in a tab
            </a>
          </>
        )}
      </span>
    </div>
  );
}
