import { AsyncLocalStorage } from 'node:async_hooks';
import type { Surrounding } from './tracing.ts';

/** What a request used of a limit. */
export interface LimitUse {
  /** Names the limit in header fields. */
  policy: string;
  /** What is allowed within the window. */
  quota: number;
  windowSeconds: number;
  remaining: number;
  /** Until the window ends. */
  resetSeconds: number;
  /** Whether something was refused because of it. */
  isExceeded: boolean;
}

/** The request that the current work belongs to. */
export interface RequestScope {
  requestId: string;
  /** The caller's IP address; undefined if unknown, as for in-memory requests. */
  address: string | undefined;
  /** The limits that the answer tells about, by policy. Absent where an answer has no header fields. */
  limits?: Map<string, LimitUse>;
  /** The span of what is done now. */
  span?: Surrounding;
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

/** Lets the answer to the current request tell about a limit. */
export function noteLimit(use: LimitUse): void {
  currentRequest()?.limits?.set(use.policy, use);
}
