import type { Client } from '@urql/core';
import { onEnd, pipe, subscribe } from 'wonka';
import { codeOf } from './errors.ts';
import { ServerEventsDocument } from './generated/graphql.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** The server sends a bookmark at least every 15 seconds. After this silence, the connection is taken for dead. */
const SILENCE_MS = 45_000;

/** Whether changes arrive. */
export type FeedState = 'connecting' | 'live' | 'interrupted';

/** What following needs. */
export interface FollowOptions {
  /** Where to begin: the cursor of an answer of the graph. */
  cursor: string;
  onState(state: FeedState): void;
  /** Changes were missed, and following has ended: everything is to be asked again, and followed from there. */
  onLost(): void;
}

/**
 * Follows the changes of the servers that the viewer sees. The client's cache takes in each event. After an interruption it
 * goes on from the last cursor, so that no change is missed.
 *
 * @returns ends it
 */
export function followServers(client: Client, { cursor, onState, onLost }: FollowOptions): () => void {
  let after = cursor;
  let waitMs = FIRST_WAIT_MS;
  let isEnded = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stop: (() => void) | undefined;

  const retry = (again: () => void = start): void => {
    clearTimeout(timer);
    const last = stop;
    stop = undefined;
    last?.();
    if (isEnded) return;
    onState('interrupted');
    // Not all browsers at once, when a gateway starts again.
    timer = setTimeout(again, waitMs * (0.5 + Math.random() / 2));
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
  };

  const watchSilence = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => retry(), SILENCE_MS);
  };

  function start(): void {
    let isCurrent = true;
    watchSilence();
    const { unsubscribe } = pipe(
      client.subscription(ServerEventsDocument, { after }),
      onEnd(() => {
        if (isCurrent) retry();
      }),
      subscribe(({ data, error }) => {
        if (!isCurrent) return;
        if (error !== undefined) {
          retry(codeOf(error)?.startsWith('CURSOR_') === true ? onLost : start);
          return;
        }
        if (data === undefined) return;
        after = data.mcpServerConfigEvents.cursor;
        waitMs = FIRST_WAIT_MS;
        onState('live');
        watchSilence();
      }),
    );
    stop = () => {
      isCurrent = false;
      unsubscribe();
    };
  }

  start();
  return () => {
    isEnded = true;
    clearTimeout(timer);
    stop?.();
  };
}
