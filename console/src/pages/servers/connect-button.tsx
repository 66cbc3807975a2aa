import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useClient } from 'urql';
import { askAgain } from '../../graph/client.ts';
import { Button } from '../../ui/button.tsx';
import styles from './connect.module.css';

interface ConnectButtonProps {
  server: { id: string; displayName: string; viewerState: string };
  /** The user began to connect. That it is done is told by the feed of changes. */
  onStart?: () => void;
}

/**
 * Opens the window in which the user signs in at the server. The window opens in the click, or the browser would block it,
 * and each server has one. That it is done is told by the feed of changes.
 */
export function ConnectButton({ server, onStart }: ConnectButtonProps) {
  const { id, displayName, viewerState } = server;
  const path = `/api/experimental/mcp/servers/${id}/oauth2/connect`;
  const client = useClient();
  const popup = useRef<Window | null>(null);
  const [state, setState] = useState<'idle' | 'waiting' | 'blocked'>('idle');
  const button = useRef<HTMLButtonElement>(null);

  // Once it is connected, this button goes. The focus stays in the server's row, or in the head of its page.
  useLayoutEffect(() => {
    const focused = button.current;
    const place = focused?.closest('li, header');
    return () => {
      if (document.activeElement !== focused) return;
      queueMicrotask(() => place?.querySelector<HTMLElement>('input, button, a[href]')?.focus());
    };
  }, []);

  // The feed of changes may be interrupted, and in some networks it always is: the other window tells it, too.
  useEffect(() => {
    const onMessage = ({ origin, data }: MessageEvent): void => {
      if (origin !== location.origin || data?.type !== 'mcp-oauth2-complete' || data.serverID !== id) return;
      askAgain(client);
    };
    window.addEventListener('message', onMessage);
    return () => window.removeEventListener('message', onMessage);
  }, [client, id]);

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
    onStart?.();
    popup.current = window.open(path, `gatehouse-connect-${id}`, 'popup,width=600,height=720');
    popup.current?.focus();
    setState(popup.current === null ? 'blocked' : 'waiting');
  };

  const verb = viewerState === 'RECONNECT' ? 'Connect again' : 'Connect';
  return (
    <div className={styles.connect}>
      <Button look="primary" ref={button} onClick={open} aria-label={`${verb}: ${displayName}`}>
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
