import { OutboundError, type OutboundFailure } from '../../../outbound/outbound-error.ts';

const WORDS: Readonly<Record<OutboundFailure, string>> = {
  url: 'is only called by https; http is for hosts in GATEHOUSE_ALLOWED_PRIVATE_CIDRS.',
  address:
    'is at an address that this gateway does not call; its operator can open it with GATEHOUSE_ALLOWED_PRIVATE_CIDRS.',
  timeout: 'did not answer in time.',
  connection: 'cannot be reached, or does not answer as an HTTP server does.',
  redirect: 'answers with a redirect, which is not followed.',
  encoding: 'answers with a content coding that was not asked for.',
  size: 'answers with more bytes than the gateway reads.',
};

/**
 * Tells an admin why a call failed. Not with the error's own message: that names the host, which here comes from what
 * another server answered.
 *
 * @param subject who was called, e.g. `The authorization server`
 * @throws the error itself when it is not an OutboundError: that is a mistake of ours
 */
export function describeOutboundError(subject: string, error: unknown): string {
  if (!(error instanceof OutboundError)) throw error;
  return `${subject} ${WORDS[error.failure]}`;
}
