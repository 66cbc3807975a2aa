import { useSyncExternalStore } from 'react';
import { sessionEnd } from '../graph/leaving.ts';
import styles from './session-ended.module.css';
import { Status } from './status.tsx';

/** Whether the session has ended, and the page stays because something on it would be lost. */
export function useSessionEnded(): boolean {
  return useSyncExternalStore(sessionEnd.subscribe, sessionEnd.read);
}

/** Says it, and how to go on. */
export function SessionEnded() {
  return (
    <p className={styles.ended}>
      <Status tone="warn">Signed out</Status>
      <span>
        Your session has ended. What you typed is still here:{' '}
        <a href="/auth/sign-in" target="_blank" rel="noopener">
          sign in in another tab
        </a>
        , then go on.
      </span>
    </p>
  );
}
