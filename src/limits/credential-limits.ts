import type { Limit } from './limit.ts';

const COUNTED = 'the refusal is the same, but it is counted in a later entry';

/** Who signs in, who tries to, and who is refused. A network is an IPv4 address, or the first 64 bits of an IPv6 address. */
export const CREDENTIAL_LIMITS = {
  sharedCountsPerSecond: {
    what: 'Counts of wrong credentials that one process adds to the database in a second',
    value: 20,
    unit: 'count',
    answer: 'the process counts for itself alone',
  },
  denials: {
    what: 'Audit entries about repeated refusals of one caller at once',
    value: 30,
    unit: 'count',
    answer: COUNTED,
  },
  deniedNetworks: {
    what: 'Networks at once whose refusals have entries of their own',
    value: 500,
    unit: 'count',
    answer: 'further networks are counted together',
  },
  denialInterval: {
    what: 'Time between two audit entries about repeated refusals of one caller after that',
    value: 60_000,
    unit: 'ms',
    answer: COUNTED,
  },
  deniedNetworkInterval: {
    what: 'Time between two networks whose refusals have entries of their own after that',
    value: 5_000,
    unit: 'ms',
    answer: 'networks in between are counted together',
  },
  oidcSubject: {
    what: 'Subject of an OpenID Connect token',
    value: 255,
    unit: 'characters',
    answer: '`UNAUTHENTICATED`',
  },
  sessionAge: {
    what: 'Age of a browser session',
    value: 7 * 24 * 3_600_000,
    unit: 'ms',
    answer: '`UNAUTHENTICATED`: sign in again',
  },
  oidcSessionAge: {
    what: 'Age of a browser session that a sign-in at the OpenID Connect provider opened',
    value: 24 * 3_600_000,
    unit: 'ms',
    setting: 'GATEHOUSE_OIDC_SESSION_HOURS',
    answer: '`UNAUTHENTICATED`: sign in again',
  },
  oidcSignInAge: {
    what: 'Time for a sign-in at the OpenID Connect provider',
    value: 600_000,
    unit: 'ms',
    answer: '`VALIDATION_FAILED` with the issue `STATE_EXPIRED`',
  },
  idTokenHint: {
    what: 'An ID token that a browser keeps, to tell the provider who signs out',
    value: 2_700,
    unit: 'characters',
    answer: 'it is not kept, and the provider asks who signs out',
  },
  pendingSignIns: {
    what: 'Sign-ins at the OpenID Connect provider that one browser has begun',
    value: 4,
    unit: 'count',
    answer: 'a new one ends the oldest',
  },
  oidcReturnPath: {
    what: 'The path that a browser returns to after a sign-in',
    value: 512,
    unit: 'characters',
    answer: 'the browser returns to `/`',
  },
  oidcLogoutAge: {
    what: 'Age of a logout token of the OpenID Connect provider',
    value: 600_000,
    unit: 'ms',
    answer: '400',
  },
  sessionIdle: {
    what: 'Time without use after which a browser session ends',
    value: 24 * 3_600_000,
    unit: 'ms',
    answer: '`UNAUTHENTICATED`: sign in again',
  },
  waitingCredentials: {
    what: 'Credentials that wait while others of their network are verified, in one process: until then, each of those may be wrong',
    value: 2_000,
    unit: 'count',
    answer: '`RATE_LIMITED`',
  },
  credentialPatience: { what: 'How long they wait', value: 5_000, unit: 'ms', answer: '`RATE_LIMITED`' },
  endedTokens: {
    what: 'Revoked and expired API tokens of a user that are kept',
    value: 100,
    unit: 'count',
    answer: 'the ones that ended first are removed; the audit log still has them',
  },
  tokenServers: {
    what: 'Servers that an API token is limited to',
    value: 200,
    unit: 'count',
    answer: '`VALIDATION_FAILED` with the issue `TOO_MANY`',
  },
  signInLinkAge: { what: 'Age of a sign-in link', value: 3_600_000, unit: 'ms', answer: '`UNAUTHENTICATED`' },
  openFlows: {
    what: 'Sign-ins at authorization servers that a user has begun',
    value: 20,
    unit: 'count',
    answer: 'a new one ends the oldest',
  },
  flowAge: {
    what: 'Time for a sign-in at an authorization server',
    value: 600_000,
    unit: 'ms',
    answer: '`VALIDATION_FAILED` with the issue `STATE_EXPIRED`',
  },
} as const satisfies Record<string, Limit>;
