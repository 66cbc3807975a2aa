import type { ConfigEvent, FeedEvent } from './config-event.ts';
import type { ClientOptions } from './connection.ts';
import { type FollowOptions, follow, type ResetEvent } from './follow.ts';
import { type RequestOptions, request } from './request.ts';
import type { TypedDocument, VariablesOf } from './typed-document.ts';
import { type WaitOptions, waitFor } from './wait-for.ts';

/** A client of one gateway. It holds no connection while nothing is asked or followed. */
export interface GatehouseClient {
  /**
   * Sends a query or a mutation.
   *
   * @returns its data. Throws a `GatehouseError` if the answer has an error, even if it has data beside it (`error.data`)
   */
  request<Result, Variables>(
    document: TypedDocument<Result, Variables>,
    ...args: [...VariablesOf<Variables>, options?: RequestOptions]
  ): Promise<Result>;
  /**
   * Follows the configs that the caller may see, and resumes after any disconnect. Each event comes once and none is
   * missing. Throws a `GatehouseError` that waiting does not cure. To end it, leave the loop or abort the signal.
   */
  follow<Event extends FeedEvent = ConfigEvent>(
    options?: FollowOptions<Event>,
  ): AsyncGenerator<Event | ResetEvent, void, void>;
  /**
   * Waits until the replica that answers has made every change up to a cursor, such as `feedCursor` of a mutation that was
   * sent to another one. What is read there afterwards shows the change. Throws a `GatehouseError` that waiting does not cure.
   */
  waitFor(cursor: string, options?: WaitOptions): Promise<void>;
}

/** Creates a client. */
export function createGatehouseClient(options: ClientOptions): GatehouseClient {
  return {
    request: <Result, Variables>(document: TypedDocument<Result, Variables>, ...args: unknown[]) =>
      request(options, document, args[0] as Variables | undefined, args[1] as RequestOptions | undefined),
    follow: (followOptions) => follow(options, followOptions),
    waitFor: (cursor, waitOptions) => waitFor(options, cursor, waitOptions),
  };
}
