import type { Exchange } from '@urql/core';
import { retryExchange } from '@urql/exchange-retry';
import { pipe, tap } from 'wonka';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** The context of a query whose first answer, too, is asked for until it comes. */
export const UNTIL_ANSWERED = { isAskedUntilAnswered: true };

/**
 * Repeats a query that the gateway did not answer, if it has answered it before: a page keeps what it shows while the gateway
 * cannot be reached, and is up to date soon after. A first answer that does not come is a failure, which the page shows.
 */
export const repeatQueriesExchange: Exchange = (input) => {
  const answered = new Set<number>();
  const repeat = retryExchange({
    initialDelayMs: FIRST_WAIT_MS,
    maxDelayMs: LONGEST_WAIT_MS,
    maxNumberAttempts: Number.POSITIVE_INFINITY,
    retryIf: ({ networkError }, { kind, key, context }) =>
      kind === 'query' && networkError !== undefined && (answered.has(key) || context['isAskedUntilAnswered'] === true),
  })(input);
  return (operations) =>
    pipe(
      operations,
      tap(({ kind, key }) => {
        if (kind === 'teardown') answered.delete(key);
      }),
      repeat,
      tap(({ operation, data }) => {
        if (operation.kind === 'query' && data !== undefined && data !== null) answered.add(operation.key);
      }),
    );
};
