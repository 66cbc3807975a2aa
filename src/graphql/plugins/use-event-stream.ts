import { isAsyncIterable } from '@envelop/core';
import type { ExecutionResult } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { toEventStream } from '../event-stream.ts';

/** Sends subscriptions as server-sent events, instead of Yoga, which makes every event anew for every client. */
export function useEventStream(): Plugin {
  return {
    onResultProcess({ result, setResultProcessor }) {
      if (!isAsyncIterable(result)) return;
      setResultProcessor(() => toEventStream(result as AsyncIterable<ExecutionResult>), 'text/event-stream');
    },
  };
}
