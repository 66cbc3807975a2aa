import { OUTBOUND_LIMITS } from '../../../limits/outbound-limits.ts';

/** A server's instructions for getting a token (RFC 6750, section 3; RFC 9728, section 5.1). Not validated. */
export interface BearerChallenge {
  /** The URL of the protected resource metadata. Null when the challenge has none. */
  resourceMetadata: string | null;
  /** Space-separated scopes. Null when the challenge has none. */
  scope: string | null;
}

/** The maximum size of all headers of a response, in bytes (safe-fetch.ts). */
const MAX_LENGTH = OUTBOUND_LIMITS.challenge.value;

const TCHAR = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]";
const QUOTED = String.raw`"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*)"`;

const SEPARATORS = /[ \t,]*/y;
const SPACES = /[ \t]+/y;
const ITEM_END = /[ \t]*(?=,|$)/y;
const SCHEME = new RegExp(`${TCHAR}+(?=[ \\t,]|$)`, 'y');
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const AUTH_PARAM = new RegExp(`(${TCHAR}+)[ \\t]*=[ \\t]*(?:(${TCHAR}+)|${QUOTED})`, 'y');

/**
 * Finds the bearer challenge in `WWW-Authenticate` (several header lines joined with commas): the first with metadata,
 * otherwise the first with scopes, otherwise the first. Null when there is none.
 *
 * oauth4webapi has a parser too, but it only exposes challenges in errors of calls made with a token, and it ignores
 * missing commas.
 */
export function parseBearerChallenge(header: string): BearerChallenge | null {
  const bearers = parseChallenges(header)
    .filter(({ scheme, isAmbiguous }) => scheme === 'bearer' && !isAmbiguous)
    .map(({ params }) => ({
      resourceMetadata: params.get('resource_metadata') ?? null,
      scope: params.get('scope') ?? null,
    }));
  return (
    bearers.find(({ resourceMetadata }) => resourceMetadata !== null) ??
    bearers.find(({ scope }) => scope !== null) ??
    bearers[0] ??
    null
  );
}

interface Challenge {
  /** In lower case, like the parameter names: both are case-insensitive (RFC 9110, sections 11.1 and 11.2). */
  scheme: string;
  params: Map<string, string>;
  hasToken68: boolean;
  /** Whether a parameter appears twice, which RFC 9110, section 11.2, forbids: it is undefined which one counts. */
  isAmbiguous: boolean;
}

/**
 * Parses challenges from left to right (RFC 9110, section 11.6.1). Parsing stops at the first syntax error: the
 * challenges completed before it count, the unfinished one does not.
 */
function parseChallenges(header: string): Challenge[] {
  const complete: Challenge[] = [];
  if (header.length > MAX_LENGTH) return complete;
  let current: Challenge | undefined;
  let at = 0;
  const read = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };

  for (;;) {
    read(SEPARATORS);
    if (at === header.length) return current === undefined ? complete : [...complete, current];
    const param = read(AUTH_PARAM);
    if (param !== null) {
      if (current === undefined || current.hasToken68 || read(ITEM_END) === null) return complete;
      addParam(current, param);
      continue;
    }
    const scheme = read(SCHEME);
    if (scheme === null) return complete;
    if (current !== undefined) complete.push(current);
    current = { scheme: scheme[0].toLowerCase(), params: new Map(), hasToken68: false, isAmbiguous: false };
    read(SPACES);
    current.hasToken68 = read(TOKEN68) !== null;
    // Text after a scheme without a comma belongs to that scheme: "Bearer Basic realm=x" is not two challenges.
    if (read(ITEM_END) === null && !startsParam(header, at)) return complete;
  }
}

function startsParam(header: string, at: number): boolean {
  AUTH_PARAM.lastIndex = at;
  return AUTH_PARAM.test(header);
}

function addParam(challenge: Challenge, [, name = '', token, quoted = '']: RegExpExecArray): void {
  const key = name.toLowerCase();
  if (challenge.params.has(key)) challenge.isAmbiguous = true;
  // RFC 9110, section 5.6.4: a backslash escapes the next character.
  challenge.params.set(key, token ?? quoted.replace(/\\(.)/g, '$1'));
}
