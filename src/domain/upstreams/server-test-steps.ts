import { UPSTREAM_PROBLEMS, UpstreamError, type UpstreamProblem } from '../../mcp/upstream-error.ts';

/** The steps of a test, in order. */
export const TEST_STEPS = [
  'name',
  'address',
  'tls',
  'http',
  'protocol',
  'authorization_nobody',
  'authorization_secret',
  'authorization_own',
  'tools',
] as const;

/** A step of a test. */
export type TestStepName = (typeof TEST_STEPS)[number];

/** One step and its outcome. All words are ours. */
export interface TestStep {
  name: TestStepName;
  outcome: 'ok' | 'failed' | 'skipped';
  /** How long it took, in milliseconds. 0 for a step that was skipped. */
  ms: number;
  /** What was found, or why nothing was tried. */
  found: string;
  /** What to do. Null for nothing. */
  advice: string | null;
  problem: UpstreamProblem | null;
}

const ADVICE: Partial<Record<UpstreamProblem, string>> = {
  URL_REFUSED: 'Use an https URL.',
  NOT_RESOLVED: 'Check the name in the URL, and the DNS of the gateway.',
  TLS_FAILED: 'Give the server a certificate of a known authority, for the name in the URL.',
  CONNECTION_FAILED: 'Check that the server runs, and that its firewall lets the gateway in.',
  TIMEOUT: 'Check that the server runs, and that its firewall lets the gateway in.',
  REDIRECTED: 'Enter the address that the server redirects to.',
  ENCODED: 'Make the server answer without compression when none is accepted.',
  NOT_MCP: "Check the URL's path, and the transport: older servers need SSE.",
  PROTOCOL_ERROR: 'Tell the author of the server: its answers break the Model Context Protocol.',
  PROTOCOL_REVISION: 'Update the server, or the gateway.',
  UNAUTHORIZED: 'Check the credentials and the auth type.',
  INSUFFICIENT_SCOPE: 'Connect again, and grant the scopes that the server asks for.',
  FORBIDDEN: 'Check what the credentials allow, and whether the server lets the gateway in.',
  RATE_LIMITED: 'Wait, then try again.',
  UNAVAILABLE: 'Look at the log of the server.',
};

/** A step that was tried. */
export function toOk(name: TestStepName, ms: number, found: string, advice: string | null = null): TestStep {
  return { name, outcome: 'ok', ms, found, advice, problem: null };
}

/** A step that was not tried. */
export function toSkipped(name: TestStepName, found: string): TestStep {
  return { name, outcome: 'skipped', ms: 0, found, advice: null, problem: null };
}

/** A step that failed. @throws errors that are no failure of the server */
export function toFailed(name: TestStepName, ms: number, error: unknown): TestStep {
  if (!(error instanceof UpstreamError)) throw error;
  const { problem, facts } = error;
  const status = facts.status === undefined ? '' : ` It answered with HTTP status ${facts.status}.`;
  const setting =
    facts.setting === undefined
      ? ''
      : ` An operator can allow it by adding ${facts.setting} to GATEHOUSE_ALLOWED_PRIVATE_CIDRS.`;
  const advice = `${ADVICE[problem] ?? ''}${setting}`.trim();
  return {
    name,
    outcome: 'failed',
    ms,
    found: `${UPSTREAM_PROBLEMS[problem]}${status}`,
    advice: advice === '' ? null : advice,
    problem,
  };
}
