import { OutboundError, type OutboundFailure } from '../../../outbound/outbound-error.ts';

const WORDS: Readonly<Record<OutboundFailure, string>> = {
  url: 'must use https; http is only allowed for hosts in GATEHOUSE_ALLOWED_PRIVATE_CIDRS.',
  address:
    'is at an address that this gateway may not call; its operator can allow it with GATEHOUSE_ALLOWED_PRIVATE_CIDRS.',
  timeout: 'did not answer in time.',
  connection: 'cannot be reached, or is not an HTTP server.',
  redirect: 'answered with a redirect, which is not followed.',
  encoding: 'answered with a content coding that was not requested.',
  size: 'answered with more bytes than the gateway accepts.',
};

/**
 * Explains to an admin why a call failed. The error's own message is not used, because it names the host, which here
 * may come from another server's response.
 *
 * @param subject the server, e.g. `The authorization server`
 * @throws the error itself when it is not an OutboundError, because then it is a bug
 */
export function describeOutboundError(subject: string, error: unknown): string {
  if (!(error instanceof OutboundError)) throw error;
  return `${subject} ${WORDS[error.failure]}`;
}
