import { UpstreamError } from '../../mcp/upstream-error.ts';
import { URL_ELICITATION_REQUIRED } from '../../mcp/url-elicitation.ts';
import type { Scrub } from './scrub-answer.ts';

/**
 * Throws a failure again, without credentials. An address that has one in it would lead nowhere without it, so that one is
 * left out.
 */
export function throwScrubbed(error: unknown, scrub: Scrub): never {
  if (!(error instanceof UpstreamError) || error.facts.elicitations === undefined) throw error;
  const elicitations = error.facts.elicitations
    .filter(({ url, elicitationId }) => scrub(url) === url && scrub(elicitationId) === elicitationId)
    .map((each) => scrub(each));
  if (elicitations.length === 0) throw new UpstreamError('REFUSED', { rpcCode: URL_ELICITATION_REQUIRED });
  throw new UpstreamError('URL_ELICITATION_REQUIRED', { elicitations });
}
