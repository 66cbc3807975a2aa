import { isAsyncIterable } from '@envelop/core';
import type { ExecutionResult } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { toEventStream } from '../event-stream.ts';

/**
 * Sends subscriptions as server-sent events. Replaces Yoga's own processor, which encodes every event again for every
 * client.
 */
export function useEventStream(): Plugin {
  return {
    onResultProcess({ result, setResultProcessor }) {
      if (!isAsyncIterable(result)) return;
      setResultProcessor(() => toEventStream(result as AsyncIterable<ExecutionResult>), 'text/event-stream');
    },
  };
}
