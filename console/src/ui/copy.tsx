import { useState } from 'react';
import { Button } from './button.tsx';
import styles from './copy.module.css';

/** A text to take along, with a button that copies it. */
export function CopyText({ text, label }: { text: string; label: string }) {
  const [state, setState] = useState<'ready' | 'copied' | 'failed'>('ready');
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setState('copied');
    } catch {
      // Browsers copy only on pages with https and on localhost.
      setState('failed');
    }
  };
  return (
    <div className={styles.copy}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long text can be scrolled with the keyboard */}
      <section tabIndex={0} aria-label={label} className={styles.scroll}>
        <pre className={styles.text}>{text}</pre>
      </section>
      <div className={styles.actions}>
        <Button onClick={copy}>
          {state === 'copied' ? 'Copied' : `Copy ${label.slice(0, 1).toLowerCase()}${label.slice(1)}`}
        </Button>
      </div>
      <span role="status">{state === 'failed' && 'The browser does not allow it: select the text and copy it.'}</span>
    </div>
  );
}
