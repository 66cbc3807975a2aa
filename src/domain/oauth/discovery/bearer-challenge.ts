/** What a server says of how to get a token for it (RFC 6750, section 3; RFC 9728, section 5.1). Nothing is checked yet. */
export interface BearerChallenge {
  /** Where the protected resource metadata is; null when the challenge does not say. */
  resourceMetadata: string | null;
  /** Scopes, separated by spaces; null when the challenge does not say. */
  scope: string | null;
}

/** As many bytes as all headers of an answer may have together (safe-fetch.ts). */
const MAX_LENGTH = 16_384;

const TCHAR = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]";
const QUOTED = String.raw`"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*)"`;

const SEPARATORS = /[ \t,]*/y;
const SPACES = /[ \t]+/y;
const ITEM_END = /[ \t]*(?=,|$)/y;
const SCHEME = new RegExp(`${TCHAR}+(?=[ \\t,]|$)`, 'y');
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const AUTH_PARAM = new RegExp(`(${TCHAR}+)[ \\t]*=[ \\t]*(?:(${TCHAR}+)|${QUOTED})`, 'y');

/**
 * Finds the bearer challenge in `WWW-Authenticate` (several header lines joined with commas): the first that names
 * metadata, else the first that names scopes, else the first. Null when there is none.
 *
 * oauth4webapi has a parser too, but only tells what it found in errors of calls made with a token, and it reads over
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
  /** In lower case, as the names of the parameters: neither has a case (RFC 9110, sections 11.1 and 11.2). */
  scheme: string;
  params: Map<string, string>;
  hasToken68: boolean;
  /** A parameter is there twice, which RFC 9110, section 11.2, forbids: nobody can say which one counts. */
  isAmbiguous: boolean;
}

/**
 * Reads challenges from left to right (RFC 9110, section 11.6.1). At the first thing that is none, reading ends: those
 * that were complete before count, the one that was being read does not.
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
    // What stands behind a scheme without a comma is its own: "Bearer Basic realm=x" is no two challenges.
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
  // RFC 9110, section 5.6.4: what is behind a backslash is meant as it is.
  challenge.params.set(key, token ?? quoted.replace(/\\(.)/g, '$1'));
}
