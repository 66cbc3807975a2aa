import { UpstreamError } from './upstream-error.ts';

/** Says why a signal ended an operation. */
export function judgeAbort({ reason }: Pick<AbortSignal, 'reason'>): UpstreamError {
  if (reason instanceof UpstreamError) return reason;
  const isTimeout = reason instanceof DOMException && reason.name === 'TimeoutError';
  return new UpstreamError(isTimeout ? 'TIMEOUT' : 'CANCELLED');
}
