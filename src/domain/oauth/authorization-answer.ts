import { type DomainError, validationFailed } from '../../errors.ts';
import { toHarmlessLine } from './token-endpoint-error.ts';

/** RFC 6749, section 4.1.2.1; OpenID Connect Core 1.0, section 3.1.2.6; RFC 8707, section 2. */
const ERRORS: Readonly<Record<string, string>> = {
  access_denied: 'You, or the authorization server, declined.',
  invalid_request: 'The authorization server says that the request is not valid.',
  unauthorized_client: 'The authorization server does not allow this client to connect users.',
  unsupported_response_type: 'The authorization server does not support the authorization code flow.',
  invalid_scope: 'The authorization server does not know the scopes that are asked for.',
  invalid_target: 'The authorization server does not know this MCP server.',
  server_error: 'The authorization server had an error; try again later.',
  temporarily_unavailable: 'The authorization server is busy; try again later.',
  interaction_required: 'The authorization server wants to talk to you first; try again.',
  login_required: 'You have to sign in at the authorization server; try again.',
  consent_required: 'You have to consent at the authorization server; try again.',
};

const MAX_CODE_LENGTH = 16_384;
const PARAMETERS = ['code', 'iss', 'error', 'error_description', 'state'];

/**
 * Reads what an authorization server sent along with the browser, after `state` was found to be right.
 *
 * The issuer comes first: what another server says is neither acted on nor shown (RFC 9207, section 2.4; compared
 * letter by letter). When nobody knows the issuer, each config's own redirect URI keeps servers apart.
 *
 * @returns the authorization code
 * @throws VALIDATION_FAILED
 */
export function readAuthorizationAnswer(
  answer: URLSearchParams,
  expected: { issuer: string; isIssRequired: boolean },
): string {
  // RFC 6749, section 3.1: a parameter comes once. Two of them are somebody's attempt to have two readers disagree.
  const repeated = PARAMETERS.find((name) => answer.getAll(name).length > 1);
  if (repeated !== undefined) throw refused('ANSWER_INVALID', `The answer has the parameter "${repeated}" twice.`);
  const issuer = answer.get('iss');
  if (issuer === null ? expected.isIssRequired : expected.issuer !== '' && issuer !== expected.issuer) {
    throw refused('ISSUER_MISMATCH', 'Another authorization server answered than the one that was asked.');
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
    throw refused('ANSWER_INVALID', 'The answer has no authorization code.');
  }
  return code;
}

function refused(code: string, message: string): DomainError {
  return validationFailed([{ path: [], code, message }]);
}
