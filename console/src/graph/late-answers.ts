import { type Exchange, makeOperation } from '@urql/core';
import { pipe, tap } from 'wonka';

/** Asks again what was answered too late. */
export interface LateAnswers {
  exchange: Exchange;
  /** Something changed: what was asked before and is answered after this may be old. */
  markChange(): void;
}

/**
 * When a change arrives, the cache forgets what depends on it, and it is asked again. A question that is still on its way is
 * not in the cache yet: its answer may be from before the change, and would stay. So it is asked once more.
 */
export function createLateAnswers(): LateAnswers {
  let changes = 0;
  const exchange: Exchange =
    ({ client, forward }) =>
    (operations) => {
      const askedAt = new Map<number, number>();
      return pipe(
        operations,
        tap(({ kind, key }) => {
          if (kind === 'query') askedAt.set(key, changes);
          if (kind === 'teardown') askedAt.delete(key);
        }),
        forward,
        tap(({ operation }) => {
          const before = askedAt.get(operation.key);
          if (operation.kind !== 'query' || before === undefined || before === changes) return;
          askedAt.delete(operation.key);
          const again = makeOperation('query', operation, { ...operation.context, requestPolicy: 'network-only' });
          // After the answer went to the cache, which would take it for that of the second question.
          queueMicrotask(() => client.reexecuteOperation(again));
        }),
      );
    };
  return {
    exchange,
    markChange() {
      changes += 1;
    },
  };
}
