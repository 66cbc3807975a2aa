import { type Exchange, makeOperation, type Operation } from '@urql/core';
import { pipe, tap } from 'wonka';

/** The queries whose answers are shown. */
export interface ActiveQueries {
  exchange: Exchange;
  /** Asks the gateway for all of them again. */
  askAgain(): void;
}

/** Knows the queries of the page. Its exchange comes before the cache, which answers some of them. */
export function createActiveQueries(): ActiveQueries {
  const active = new Map<number, Operation>();
  let ask = (_operation: Operation): void => {};
  const exchange: Exchange = ({ client, forward }) => {
    ask = (operation) => client.reexecuteOperation(operation);
    return (operations) =>
      pipe(
        operations,
        tap((operation) => {
          if (operation.kind === 'query') active.set(operation.key, operation);
          if (operation.kind === 'teardown') active.delete(operation.key);
        }),
        forward,
      );
  };
  return {
    exchange,
    askAgain() {
      for (const operation of [...active.values()]) {
        ask(makeOperation('query', operation, { ...operation.context, requestPolicy: 'network-only' }));
      }
    },
  };
}
