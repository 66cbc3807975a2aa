import type { Exchange } from '@urql/core';
import { retryExchange } from '@urql/exchange-retry';
import { pipe, tap } from 'wonka';
import { codeOf } from './errors.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** So often, within about a minute, a query is repeated that the gateway answers with a failure of its own. */
const MAX_REPEATS = 8;
/** Failures of the gateway, which may have passed when it is asked again. */
const PASSING = new Set(['INTERNAL_SERVER_ERROR', 'RATE_LIMITED']);

/** The context of a query whose first answer, too, is asked for until it comes. */
export const UNTIL_ANSWERED = { isAskedUntilAnswered: true };

/**
 * Repeats a query that the gateway did not answer, if it has answered it before: a page keeps what it shows, and what was typed
 * there, while the gateway cannot be reached, and is up to date soon after. A gateway that is reached, but fails, is asked again
 * for a while. A first answer that does not come is a failure, which the page shows.
 */
export const repeatQueriesExchange: Exchange = (input) => {
  const answered = new Set<number>();
  const failures = new Map<number, number>();
  const repeat = retryExchange({
    initialDelayMs: FIRST_WAIT_MS,
    maxDelayMs: LONGEST_WAIT_MS,
    maxNumberAttempts: Number.POSITIVE_INFINITY,
    retryIf(error, { kind, key, context }) {
      const isAskedUntilAnswered = context['isAskedUntilAnswered'] === true;
      if (kind !== 'query' || !(isAskedUntilAnswered || answered.has(key))) return false;
      if (error.networkError !== undefined) return true;
      if (!PASSING.has(codeOf(error) ?? '')) return false;
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      return isAskedUntilAnswered || count < MAX_REPEATS;
    },
  })(input);
  return (operations) =>
    pipe(
      operations,
      tap(({ kind, key }) => {
        if (kind !== 'teardown') return;
        answered.delete(key);
        failures.delete(key);
      }),
      repeat,
      tap(({ operation, data }) => {
        failures.delete(operation.key);
        if (operation.kind === 'query' && data !== undefined && data !== null) answered.add(operation.key);
      }),
    );
};
