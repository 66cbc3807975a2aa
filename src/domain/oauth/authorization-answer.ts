import { type DomainError, validationFailed } from '../../errors.ts';
import { OUTBOUND_LIMITS } from '../../limits/outbound-limits.ts';
import { toHarmlessLine } from './token-endpoint-error.ts';

/** RFC 6749, section 4.1.2.1; OpenID Connect Core 1.0, section 3.1.2.6; RFC 8707, section 2. */
const ERRORS: Readonly<Record<string, string>> = {
  access_denied: 'You or the authorization server declined access.',
  invalid_request: 'The authorization server rejected the request as invalid.',
  unauthorized_client: 'The authorization server does not allow this client to connect users.',
  unsupported_response_type: 'The authorization server does not support the authorization code flow.',
  invalid_scope: 'The authorization server does not know the requested scopes.',
  invalid_target: 'The authorization server does not know this MCP server.',
  server_error: 'The authorization server had an error; try again later.',
  temporarily_unavailable: 'The authorization server is busy; try again later.',
  interaction_required: 'The authorization server needs your input; try again.',
  login_required: 'You must sign in at the authorization server; try again.',
  consent_required: 'You must give consent at the authorization server; try again.',
};

const MAX_CODE_LENGTH = OUTBOUND_LIMITS.code.value;
const PARAMETERS = ['code', 'iss', 'error', 'error_description', 'state'];

/**
 * Reads an authorization response, after `state` was verified.
 *
 * The issuer is checked first: a response from another server is neither used nor shown (RFC 9207, section 2.4; exact
 * comparison). When the issuer is unknown, the separate redirect URI of each config keeps servers apart; configs that share one have
 * a client that an admin entered.
 *
 * @returns the authorization code
 * @throws VALIDATION_FAILED
 */
export function readAuthorizationAnswer(
  answer: URLSearchParams,
  expected: { issuer: string; isIssRequired: boolean },
): string {
  // RFC 6749, section 3.1: parameters must not repeat. A repeated one may be an attempt to make two parsers disagree.
  const repeated = PARAMETERS.find((name) => answer.getAll(name).length > 1);
  if (repeated !== undefined)
    throw refused('ANSWER_INVALID', `The response contains the parameter "${repeated}" twice.`);
  const issuer = answer.get('iss');
  if (issuer === null ? expected.isIssRequired : expected.issuer !== '' && issuer !== expected.issuer) {
    throw refused(
      'ISSUER_MISMATCH',
      'The response came from a different authorization server than the one that was asked.',
    );
  }
  const error = answer.get('error');
  if (error !== null) {
    const known = Object.hasOwn(ERRORS, error) ? ERRORS[error] : undefined;
    const said = toHarmlessLine(answer.get('error_description'));
    throw refused(
      'PROVIDER_ERROR',
      `${known ?? 'The authorization server answered with an error.'}${said === undefined ? '' : ` It said: ${said}`}`,
    );
  }
  const code = answer.get('code') ?? '';
  if (code === '' || code.length > MAX_CODE_LENGTH) {
    throw refused('ANSWER_INVALID', 'The response has no authorization code.');
  }
  return code;
}

function refused(code: string, message: string): DomainError {
  return validationFailed([{ path: [], code, message }]);
}
