import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  type InputRequiredResult,
  inputRequired,
  type ServerContext,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/server';
import type { CallRefusal } from '../../domain/door/call-watch.ts';

/** The revision that tells by an error that the user has to open a page. */
const WITH_ERROR = '2025-11-25';

/**
 * Tells a client that the user has to open pages, in the way of its revision. With 2025-11-25 that is an error, with later
 * ones a result that the client answers, if it says that it can.
 *
 * @param revision the header of the request
 * @returns undefined if there are none, or the client knows neither: it gets a text
 * @throws UrlElicitationRequiredError
 */
export function askToOpen(
  { elicitations, message: text }: CallRefusal,
  { mcpReq }: ServerContext,
  revision: string | undefined,
): InputRequiredResult | undefined {
  if (elicitations === undefined) return undefined;
  if (revision === WITH_ERROR) {
    // The text is for clients that know the revision, but not this error.
    throw new UrlElicitationRequiredError(
      elicitations.map((each) => ({ mode: 'url' as const, ...each })),
      text,
    );
  }
  const envelope = mcpReq.envelope as { [CLIENT_CAPABILITIES_META_KEY]?: ClientCapabilities } | undefined;
  const capabilities = envelope?.[CLIENT_CAPABILITIES_META_KEY];
  if (capabilities?.elicitation?.url === undefined) return undefined;
  const requests = elicitations.map(
    ({ url, message }, index) => [`${PREFIX}${index + 1}`, inputRequired.elicitUrl({ url, message })] as const,
  );
  return inputRequired({ inputRequests: Object.fromEntries(requests) });
}

const PREFIX = 'open-page-';

/** Whether the user was asked to open a page, and did not. The call is pointless then. */
export function hasDeclined({ mcpReq }: ServerContext): boolean {
  return Object.entries(mcpReq.inputResponses ?? {}).some(
    ([key, response]) => key.startsWith(PREFIX) && (response as { action?: unknown } | null)?.action !== 'accept',
  );
}
