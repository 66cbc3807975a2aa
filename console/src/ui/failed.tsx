import type { CombinedError } from '@urql/core';
import { messageOf } from '../graph/errors.ts';
import { Button } from './button.tsx';
import styles from './failed.module.css';

/** What went wrong, in the server's words, where the result would be. */
export function Failed({ error, retry }: { error: CombinedError; retry?: () => void }) {
  return (
    <div className={styles.failed} role="alert">
      <p>{messageOf(error)}</p>
      {retry !== undefined && <Button onClick={retry}>Try again</Button>}
    </div>
  );
}

/** The same for a whole page. */
export function FailedPage(props: { error: CombinedError; retry: () => void }) {
  return (
    <main className={styles.page}>
      <Failed {...props} />
    </main>
  );
}
