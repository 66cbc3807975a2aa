import { AsyncLocalStorage } from 'node:async_hooks';
import type { BudgetShare } from './byte-budget.ts';
import type { UpstreamError } from './upstream-error.ts';
import type { UpstreamHeader } from './upstream-target.ts';

/**
 * One operation at an upstream server. It carries the credentials to the requests that it makes, so that a connection,
 * which outlives it, keeps none; and it carries back what the server answered below the level of JSON-RPC.
 */
export interface Exchange {
  readonly headers: readonly UpstreamHeader[];
  readonly signal: AbortSignal;
  /** The limit for one answer, in bytes. */
  readonly maxBytes: number;
  /** The limit for all answers together. */
  readonly maxTotalBytes: number;
  /** The longest pause within an answer. Undefined: that of the gateway. */
  readonly maxSilenceMs?: number | undefined;
  /** What it may take of what all such operations share. Undefined: as much as it is limited to. */
  readonly budget?: BudgetShare | undefined;
  /** Received so far. */
  bytes: number;
  /** Why the latest request failed. Absent when it succeeded. */
  fault?: UpstreamError | undefined;
  /** The response to its request, which was sent already, until the SDK's client takes it. */
  received?: Received | undefined;
}

/** A response that came before the SDK's client asked for it. */
export interface Received {
  /** The id of the request that was sent. */
  readonly id: number;
  readonly response: Response;
}

const current = new AsyncLocalStorage<Exchange>();

/** Creates an exchange. */
export function createExchange(
  options: Pick<Exchange, 'headers' | 'signal' | 'maxBytes'> & {
    maxTotalBytes?: number;
    maxSilenceMs?: number | undefined;
    budget?: BudgetShare | undefined;
  },
): Exchange {
  return { maxTotalBytes: options.maxBytes, ...options, bytes: 0 };
}

/** Runs code whose requests belong to an exchange. */
export function runExchange<Result>(exchange: Exchange, work: () => Result): Result {
  return current.run(exchange, work);
}

/** The exchange of the running code. */
export function currentExchange(): Exchange | undefined {
  return current.getStore();
}

/** The response that an exchange has already. It is given once. */
export function takeReceived(exchange: Exchange): Received | undefined {
  const { received } = exchange;
  exchange.received = undefined;
  return received;
}
