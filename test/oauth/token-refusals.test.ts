import { describe, expect, test } from 'vitest';
import { assertTokenAnswer } from '../../src/domain/oauth/token-answer.ts';
import { TokenEndpointError } from '../../src/domain/oauth/token-endpoint-error.ts';

// What answers of token endpoints mean, as providers document them, or as bug reports quote them. What follows from each
// meaning is in test/field/refresh-refusals.test.ts and test/http/token-backoff.test.ts.

const CANARY = 'canary-of-the-provider';

const typed = (status: number, type: string, body: string) =>
  new Response(body, { status, headers: { 'content-type': type } });
const json = (body: unknown, status = 200) => typed(status, 'application/json', JSON.stringify(body));
const html = (status: number) => typed(status, 'text/html', `<!doctype html><h1>${CANARY}</h1>`);
const text = (status: number, body: string) => typed(status, 'text/plain', body);
const form = (status: number, body: string) => typed(status, 'application/x-www-form-urlencoded; charset=utf-8', body);

async function readFailure(answer: Response): Promise<TokenEndpointError> {
  const failure = await assertTokenAnswer(answer).catch((error: unknown) => error);
  if (!(failure instanceof TokenEndpointError)) throw new Error(`accepted, or failed in itself: ${String(failure)}`);
  // A description is shown as such; anything else is in the gateway's own words.
  expect(failure.message).not.toContain(CANARY);
  return failure;
}

type Row = [who: string, answer: Response];

test.each<Row>([
  // docs.github.com, "Refreshing user access tokens": errors come with 200.
  [
    'GitHub',
    json({ error: 'bad_refresh_token', error_description: 'The refresh token passed is incorrect or expired.' }),
  ],
  ['GitHub, as a form', form(200, 'error=bad_refresh_token&error_description=The+refresh+token+passed+is+incorrect')],
  // api.slack.com/authentication/rotation: every answer is 200.
  ['Slack', json({ ok: false, error: 'invalid_refresh_token' })],
  ['Slack, after the app was removed', json({ ok: false, error: 'token_revoked' })],
  ['Slack, of a deleted user', json({ ok: false, error: 'account_inactive' })],
  // developers.google.com/identity/protocols/oauth2: "Refresh token expiration".
  ['Google', json({ error: 'invalid_grant', error_description: 'Token has been expired or revoked.' }, 400)],
  ['Google, after a session limit', json({ error: 'invalid_grant', error_subtype: 'invalid_rapt' }, 400)],
  // learn.microsoft.com, "Microsoft Entra authentication and authorization error codes".
  [
    'Entra',
    json(
      {
        error: 'invalid_grant',
        error_description: 'AADSTS700082: The refresh token has expired.',
        error_codes: [700082],
      },
      400,
    ),
  ],
  ['Entra, when it needs a second factor', json({ error: 'interaction_required', suberror: 'basic_action' }, 400)],
  // developer.okta.com, "Refresh access tokens and rotate refresh tokens".
  ['Okta', json({ error: 'invalid_grant', error_description: 'The refresh token is invalid or expired.' }, 400)],
  // auth0.com/docs: 403.
  ['Auth0', json({ error: 'invalid_grant', error_description: 'Unknown or invalid refresh token.' }, 403)],
  // Keycloak: OIDC token endpoint.
  ['Keycloak', json({ error: 'invalid_grant', error_description: 'Session not active' }, 400)],
  [
    'Keycloak, behind a proxy that changes the status',
    json({ error: 'invalid_grant', error_description: 'Token is not active' }, 401),
  ],
  // developer.atlassian.com, "Refresh tokens": 403.
  ['Atlassian', json({ error: 'invalid_grant', error_description: 'Unknown or invalid refresh token.' }, 403)],
  [
    'Atlassian, in older words',
    json({ error: 'unauthorized_client', error_description: 'refresh_token is invalid' }, 403),
  ],
  // developers.notion.com, "Refresh a token".
  ['Notion', json({ error: 'invalid_grant', request_id: 'a' }, 400)],
  [
    'Notion, in words of its API',
    json({ object: 'error', status: 401, code: 'invalid_grant', message: 'Invalid.' }, 401),
  ],
  // linear.app/developers/oauth-2-0-authentication
  ['Linear', json({ error: 'invalid_grant', error_description: 'Invalid refresh token' }, 400)],
  // help.salesforce.com, "OAuth 2.0 refresh token flow".
  ['Salesforce', json({ error: 'invalid_grant', error_description: 'expired access/refresh token' }, 400)],
  ['Salesforce, of an inactive user', json({ error: 'inactive_user', error_description: 'user is inactive' }, 400)],
  // developers.hubspot.com; HGData/mk-node-hubspot#64.
  [
    'HubSpot',
    json({ status: 'BAD_REFRESH_TOKEN', message: 'missing or invalid refresh token', correlationId: 'a' }, 400),
  ],
  // raycast/extensions#10896; tl-its-umich-edu/remote-office-hours-queue#363: it was 401 before.
  ['Zoom', json({ reason: 'Invalid Token!', error: 'invalid_grant' }, 400)],
  ['Zoom, before', json({ reason: 'Invalid Token!', error: 'invalid_request' }, 401)],
  // Sisters: other words, statuses and shapes.
  [
    'a server with its own words',
    json({ error: 'invalid_request', error_description: 'refresh_token is invalid' }, 400),
  ],
  ['a server with its own code', json({ error: 'invalid_refresh_token' }, 400)],
  ['a server with a sentence as code', json({ error: 'Invalid refresh token' }, 422)],
  ['a server with nested errors', json({ error: { code: 'REFRESH_TOKEN_EXPIRED', message: 'Expired.' } }, 401)],
  ['a server with a list of errors', json({ errors: [{ code: 'invalid_grant', detail: 'Gone.' }] }, 404)],
  [
    'a server with an error as JSON of another type',
    typed(400, 'application/problem+json', JSON.stringify({ error: 'invalid_grant' })),
  ],
])('%s says that a refresh token is dead', async (_who, answer) => {
  expect((await readFailure(answer)).failure).toBe('invalid_grant');
});

test.each<Row>([
  ['too many requests', json({ error: 'invalid_grant' }, 429)],
  ['too many requests at Slack', json({ ok: false, error: 'ratelimited' })],
  ['an internal error at Slack', json({ ok: false, error: 'internal_error' })],
  ['an error of the server', json({ error: 'server_error' }, 500)],
  ['an error of the server in no words', json({}, 500)],
  ['a busy server', json({ error: 'temporarily_unavailable' }, 400)],
  ['a server that is down, and says so with a page', html(503)],
  ['a proxy without a server', html(502)],
  ["a firewall's page", html(403)],
  ['a timeout of the server', text(408, '')],
  ['tokens with 503', json({ access_token: 'a', token_type: 'Bearer' }, 503)],
])('%s is a fault that passes', async (_what, answer) => {
  expect((await readFailure(answer)).failure).toBe('unavailable');
});

test.each<Row>([
  ['a code that nobody knows', json({ error: 'nope' }, 400)],
  ['a code with status 200', json({ error: 'nope', error_description: 'bad' })],
  ['a code beside tokens', json({ access_token: 'a', refresh_token: 'b', token_type: 'Bearer', error: 'nope' })],
  ['no code', json({ message: 'Nope.' }, 403)],
  ['text', text(400, 'Bad Request')],
  ['nothing', text(400, '')],
  ['a page with 400', html(400)],
  ['404', text(404, CANARY)],
  ['what it supports', json({ error: 'invalid_request', error_description: 'Refresh token required' }, 400)],
  ['a dead grant, by a server that fails', json({ error: 'invalid_grant' }, 500)],
  ['invalid_scope', json({ error: 'invalid_scope' }, 400)],
  ['invalid_target', json({ error: 'invalid_target' }, 400)],
])('%s is a refusal', async (_what, answer) => {
  expect((await readFailure(answer)).failure).toBe('refused');
});

test.each<Row>([
  // docs.github.com, "Troubleshooting OAuth app access token request errors".
  ['incorrect_client_credentials of GitHub', json({ error: 'incorrect_client_credentials' })],
  ['400 invalid_client', json({ error: 'invalid_client' }, 400)],
  ['401 invalid_client', json({ error: 'invalid_client' }, 401)],
  ['401 alone', text(401, '')],
])('%s is about the client', async (_what, answer) => {
  expect((await readFailure(answer)).failure).toBe('invalid_client');
});

const TOKENS = { access_token: 'access', refresh_token: 'refresh', token_type: 'Bearer' };
const tokens = (change: Record<string, unknown>) => json({ ...TOKENS, [CANARY]: CANARY, ...change });

test.each<Row>([
  ['a page for everything', html(200)],
  ['tokens that it calls a page', typed(200, 'text/html', JSON.stringify(TOKENS))],
  ['tokens in a form', typed(200, 'application/x-www-form-urlencoded', new URLSearchParams(TOKENS).toString())],
  ['half an object', text(200, JSON.stringify(TOKENS).slice(0, -1))],
  ['a list', json([TOKENS])],
  ['nothing', text(200, '')],
  ['100,000 brackets', text(200, '['.repeat(100_000))],
  ['a number as access token', tokens({ access_token: 12_345 })],
  ['an access token with a line break', tokens({ access_token: `access\r\nX-${CANARY}: 1` })],
  ['an access token with a space', tokens({ access_token: `access ${CANARY}` })],
  ['an access token beyond ASCII', tokens({ access_token: 'accessé' })],
  ['an access token of 20,000 letters', tokens({ access_token: 'a'.repeat(20_000) })],
  ['a refresh token with a NUL', tokens({ refresh_token: 'refresh\u0000' })],
  ['an object as refresh token', tokens({ refresh_token: { [CANARY]: 1 } })],
  ['the token type mac', tokens({ token_type: 'mac' })],
  ['the token type DPoP, which nobody asked for', tokens({ token_type: 'DPoP' })],
  ['scopes with a NUL', tokens({ scope: 'read\u0000write' })],
  ['scopes with half a character', tokens({ scope: 'read \ud800' })],
  ['scopes of 20,000 letters', tokens({ scope: 'a'.repeat(20_000) })],
])('%s is no answer of a token endpoint', async (_what, answer) => {
  expect((await readFailure(answer)).failure).toBe('malformed');
});

test.each([
  ['120', 120_000],
  ['0', 0],
  // No longer than an hour: a mistake there would lock everybody out here.
  ['999999999', 3_600_000],
  ['soon', undefined],
  ['-60', undefined],
])('Retry-After: %s', async (retryAfter, retryAfterMs) => {
  const answer = new Response('', { status: 429, headers: { 'retry-after': retryAfter } });
  expect((await readFailure(answer)).retryAfterMs).toBe(retryAfterMs);
});

describe('the description of a refusal', () => {
  test.each<[string, unknown]>([
    ['10,000 characters of HTML', '<script>alert(1)</script>'.repeat(400)],
    ['10,000 pictures', '\u{1f511}'.repeat(10_000)],
    ['control characters', 'a\u0000b\u001b[31mc\r\nSet-Cookie: d\u0085e\u202ef\u2066g\u200bh'],
    ['halves of characters', '\ud83d'.repeat(500)],
  ])('that is %s becomes short and safe', async (_what, description) => {
    const { description: shown = '' } = await readFailure(json({ error: 'x', error_description: description }, 400));
    expect([...shown].length).toBeLessThanOrEqual(300);
    expect(shown).toMatch(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+$/u);
    expect(shown.isWellFormed()).toBe(true);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['only blanks', ' \n\t '],
    ['no text', { toString: 'x' }],
  ])('that is %s is left out', async (_what, description) => {
    const failure = await readFailure(json({ error: 'x', error_description: description }, 400));
    expect(failure.description).toBeUndefined();
  });
});
