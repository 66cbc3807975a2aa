import type { McpAuthType } from '../../data/records.ts';
import { UpstreamError } from '../../mcp/upstream-error.ts';
import type { Attempt } from './server-test-attempts.ts';
import { TEST_STEPS, type TestStep, toFailed, toOk, toSkipped } from './server-test-steps.ts';

/** HTTP, the protocol (filled in later) and what a caller without credentials gets. */
export function toServerSteps(attempt: Attempt, authType: McpAuthType): TestStep[] {
  const { error, ms } = attempt;
  const status = error?.facts.status;
  const isAnswer = error === undefined || status !== undefined || ANSWERED.has(error.problem);
  if (!isAnswer) return [toFailed('http', ms, error)];
  const http = toOk(
    'http',
    ms,
    status === undefined ? 'The server answers.' : `The server answers with HTTP status ${status}.`,
  );
  return [http, toSkipped('protocol', ''), toNobodyStep(attempt, authType)];
}

/** Failures of an answer, not of its absence. */
const ANSWERED: ReadonlySet<string> = new Set([
  'REFUSED',
  'URL_ELICITATION_REQUIRED',
  'PROTOCOL_ERROR',
  'PROTOCOL_REVISION',
  'NOT_MCP',
  'TOO_LARGE',
  'TOO_DEEP',
  'ENCODED',
  'REDIRECTED',
]);

/** Whether the server did what was asked, or failed at it for another reason than the credentials. */
function isAccepted({ error, protocolVersion }: Attempt): boolean {
  return error === undefined || (protocolVersion !== undefined && !REFUSALS.has(error.problem));
}

const REFUSALS: ReadonlySet<string> = new Set(['UNAUTHORIZED', 'FORBIDDEN', 'INSUFFICIENT_SCOPE']);

function toNobodyStep(attempt: Attempt, authType: McpAuthType): TestStep {
  const { error, ms } = attempt;
  const name = 'authorization_nobody';
  if (error === undefined || isAccepted(attempt)) {
    const advice =
      authType === 'none' ? null : 'Everyone who reaches the server can use it: the credentials are not needed.';
    return toOk(name, ms, 'The server accepts callers without credentials.', advice);
  }
  if (!REFUSALS.has(error.problem)) {
    return toSkipped(name, 'The server did not get so far.');
  }
  if (authType === 'none') return toFailed(name, ms, error);
  return toOk(name, ms, 'The server asks for credentials, as it should.');
}

/** Whether the server accepts some credentials. */
export function toAuthorization(name: TestStep['name'], attempt: Attempt): TestStep {
  const { error, ms } = attempt;
  return isAccepted(attempt) ? toOk(name, ms, 'The server accepts the credentials.') : toFailed(name, ms, error);
}

/** Why the revision of the protocol is not known. */
export function toProtocolFailure({ error, ms }: Attempt): TestStep {
  const isRefused = error?.problem === 'UNAUTHORIZED' || error?.problem === 'FORBIDDEN';
  if (isRefused) return toSkipped('protocol', 'The server tells it only with credentials that it accepts.');
  return toFailed('protocol', ms, error ?? new UpstreamError('PROTOCOL_ERROR'));
}

/** The list of tools, or why there is none. */
export function toToolsStep({ listed, listMs, error, protocolVersion }: Attempt): TestStep {
  if (listed === undefined) {
    if (protocolVersion === undefined || error === undefined)
      return toSkipped('tools', 'There is no connection to list them on.');
    return toFailed('tools', listMs, error);
  }
  const { tools, skipped, isCut } = listed;
  const left = skipped.length === 0 ? '' : ` ${skipped.length} are left out, because their definitions cannot be used.`;
  const cut = isCut ? ' The server has more than the gateway lists.' : '';
  return toOk('tools', listMs, `${tools.length === 1 ? 'One tool' : `${tools.length} tools`}.${left}${cut}`);
}

/** The steps that an earlier failure makes pointless. */
export function toUntried(from: number): TestStep[] {
  return TEST_STEPS.slice(from).map((name) => toSkipped(name, 'An earlier step failed.'));
}
