import type { ReactNode } from 'react';
import type { McpServerState } from '../graph/generated/graphql.ts';
import styles from './status.module.css';

/** What a state means for the viewer. Tone is shown by colour and by shape. */
export type Tone = 'good' | 'warn' | 'bad' | 'quiet';

/** A state: always in words. */
export function Status({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className={styles.status} data-tone={tone}>
      {children}
    </span>
  );
}

const SERVER_STATES: Readonly<Record<McpServerState, { tone: Tone; text: string }>> = {
  READY: { tone: 'good', text: 'Ready' },
  NEEDS_CONNECT: { tone: 'warn', text: 'Not connected' },
  RECONNECT: { tone: 'warn', text: 'Connect again' },
  DISABLED: { tone: 'quiet', text: 'Turned off' },
  UNAVAILABLE: { tone: 'bad', text: 'Broken: an admin must act' },
};

/** The state of a server for the viewer. */
export function ServerStatus({ state }: { state: McpServerState }) {
  const { tone, text } = SERVER_STATES[state];
  return <Status tone={tone}>{text}</Status>;
}
