import type { McpTransport } from '../../../data/records.ts';
import { OutboundError } from '../../../outbound/outbound-error.ts';
import type { SafeFetch, SafeRequest } from '../../../outbound/safe-fetch.ts';
import type { IsAllowedPrivateHost } from '../../validation/url.ts';
import { type BearerChallenge, parseBearerChallenge } from './bearer-challenge.ts';
import type { DiscoveryPart, DiscoveryStep } from './discovery-report.ts';
import { describeOutboundError } from './outbound-message.ts';
import { isUsableUrl, URL_RULE } from './outside-url.ts';
import { splitScopes } from './token-list.ts';

/** The validated challenge of a server. */
export interface ServerChallenge {
  /** Whether it answered 401, with or without a readable challenge. */
  isUnauthorized: boolean;
  /** The URL of the protected resource metadata. Null when the server gives none, or did not challenge. */
  metadataUrl: string | null;
  scopes: string[];
}

const SUBJECT = 'The MCP server';
const NO_CHALLENGE: ServerChallenge = { isUnauthorized: false, metadataUrl: null, scopes: [] };

/**
 * The first request of a client. 2026-07-28 has no `initialize`, but servers check authentication before the method.
 */
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'gatehouse', version: '0' } },
};

const REQUESTS: Readonly<Record<McpTransport, SafeRequest>> = {
  streamable_http: {
    method: 'POST',
    headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify(INITIALIZE),
  },
  sse: { method: 'GET', headers: { accept: 'text/event-stream' } },
};

/**
 * Calls the MCP server without a token, and reads from its 401 where to continue. Any other response, or none in time
 * (a server may stream without authentication), means that it gives no information.
 */
export async function requestChallenge(options: {
  fetch: SafeFetch;
  serverUrl: string;
  transport: McpTransport;
  isAllowedPrivateHost: IsAllowedPrivateHost;
}): Promise<DiscoveryPart<ServerChallenge>> {
  const { fetch, serverUrl, transport, isAllowedPrivateHost } = options;
  const part = (outcome: DiscoveryStep['outcome'], message: string, found: ServerChallenge | null = NO_CHALLENGE) => ({
    steps: [{ name: 'challenge' as const, url: serverUrl, outcome, message }],
    found,
    problems: found === null ? [message] : [],
  });

  let answer: Response;
  try {
    answer = await fetch(serverUrl, REQUESTS[transport]);
  } catch (error) {
    const message = describeOutboundError(SUBJECT, error);
    return part('failed', message, isBarred(error) ? null : NO_CHALLENGE);
  }
  if (answer.status !== 401) return part('absent', `${SUBJECT} answered with HTTP status ${answer.status}, not 401.`);
  const challenge = parseBearerChallenge(answer.headers.get('www-authenticate') ?? '');
  if (challenge === null) {
    const message = `${SUBJECT} answered with 401 and no readable bearer challenge.`;
    return part('absent', message, { ...NO_CHALLENGE, isUnauthorized: true });
  }
  if (challenge.resourceMetadata !== null && !isUsableUrl(challenge.resourceMetadata, isAllowedPrivateHost)) {
    const message = `${SUBJECT} names a URL for its metadata that the gateway does not accept. ${URL_RULE}`;
    return part('failed', message, null);
  }
  const { resourceMetadata: metadataUrl, scope } = challenge;
  const scopes = splitScopes(scope ?? '');
  return part('found', describeChallenge(challenge), { isUnauthorized: true, metadataUrl, scopes });
}

/** Whether the gateway may not call this server at all. No other URL of the server is tried then. */
function isBarred(error: unknown): boolean {
  return error instanceof OutboundError && (error.failure === 'url' || error.failure === 'address');
}

function describeChallenge({ resourceMetadata }: BearerChallenge): string {
  return resourceMetadata === null
    ? `${SUBJECT} asks for a bearer token but does not name its metadata.`
    : `${SUBJECT} asks for a bearer token and names its metadata.`;
}
