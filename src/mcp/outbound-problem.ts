import { OutboundError, type OutboundFailure } from '../outbound/outbound-error.ts';
import { UpstreamError, type UpstreamProblem } from './upstream-error.ts';

const PROBLEMS: Readonly<Record<OutboundFailure, UpstreamProblem>> = {
  url: 'URL_REFUSED',
  name: 'NOT_RESOLVED',
  address: 'ADDRESS_REFUSED',
  tls: 'TLS_FAILED',
  timeout: 'TIMEOUT',
  connection: 'CONNECTION_FAILED',
  redirect: 'REDIRECTED',
  encoding: 'ENCODED',
  size: 'TOO_LARGE',
};

/** Names why a request failed. What is no failure of the network counts as a connection that failed. */
export function toUpstreamError(error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error;
  if (!(error instanceof OutboundError)) return new UpstreamError('CONNECTION_FAILED');
  return new UpstreamError(PROBLEMS[error.failure], { setting: error.setting });
}
