import { OutboundError, type OutboundFailure } from '../../../outbound/outbound-error.ts';

const WORDS: Readonly<Record<OutboundFailure, string>> = {
  url: 'must use https.',
  name: 'has no address: its name does not resolve.',
  address: 'is at an address that this gateway may not call.',
  tls: 'has no valid TLS certificate, or speaks no TLS that this gateway accepts.',
  timeout: 'did not answer in time.',
  connection: 'cannot be reached, or is not an HTTP server.',
  redirect: 'answered with a redirect, which is not followed.',
  encoding: 'answered with a content coding that the gateway cannot read.',
  size: 'answered with more bytes than the gateway accepts.',
};

/**
 * Explains to an admin why a call failed, and what to set if the gateway itself refused it. Of the host, which may come
 * from another server's response, only the name as the URL parser writes it is repeated.
 *
 * @param subject the server, e.g. `The authorization server`
 * @throws the error itself when it is not an OutboundError, because then it is a bug
 */
export function describeOutboundError(subject: string, error: unknown): string {
  if (!(error instanceof OutboundError)) throw error;
  const { failure, setting } = error;
  if (setting === undefined) return `${subject} ${WORDS[failure]}`;
  const what = failure === 'url' ? 'http to it' : 'it';
  return `${subject} ${WORDS[failure]} Its operator can allow ${what} by adding ${setting} to GATEHOUSE_ALLOWED_PRIVATE_CIDRS.`;
}
