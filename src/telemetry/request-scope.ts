import { AsyncLocalStorage } from 'node:async_hooks';

/** The request that the current work belongs to. */
export interface RequestScope {
  requestId: string;
  /** The caller's IP address; undefined if unknown, as for in-memory requests. */
  address: string | undefined;
}

const scopes = new AsyncLocalStorage<RequestScope>();

/** Runs the work of one request. All nested and asynchronous calls can read its scope. */
export function runInRequest<Result>(scope: RequestScope, work: () => Result): Result {
  return scopes.run(scope, work);
}

/** The current request; undefined for the gateway's own background work. */
export function currentRequest(): RequestScope | undefined {
  return scopes.getStore();
}
