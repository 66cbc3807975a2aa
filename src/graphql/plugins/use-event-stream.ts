import { isAsyncIterable } from '@envelop/core';
import type { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { type OpenResults, toEventStream } from '../event-stream.ts';

/**
 * Sends subscriptions as server-sent events. Replaces Yoga's own processor, which encodes every event again for every
 * client, and the iterators that it puts around one another.
 */
export function useEventStream(results: OpenResults, maskError: (error: unknown) => GraphQLError): Plugin {
  return {
    onResultProcess({ result, serverContext, setResultProcessor }) {
      if (!isAsyncIterable(result)) return;
      setResultProcessor(() => {
        const supply = results.get(serverContext);
        if (supply === undefined) throw new Error('the results of the subscription were lost');
        return toEventStream(supply, maskError);
      }, 'text/event-stream');
    },
  };
}
