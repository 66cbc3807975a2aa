import { AsyncLocalStorage } from 'node:async_hooks';

/** Where what is done now comes from. */
export interface RequestScope {
  requestId: string;
  /** Of the caller; undefined where it is not known, as in requests that come from memory. */
  address: string | undefined;
}

const scopes = new AsyncLocalStorage<RequestScope>();

/** Runs the work of one request: all that it does, however deep and however late, knows its scope. */
export function runInRequest<Result>(scope: RequestScope, work: () => Result): Result {
  return scopes.run(scope, work);
}

/** The request that is being answered; undefined in the gateway's own doings. */
export function currentRequest(): RequestScope | undefined {
  return scopes.getStore();
}
