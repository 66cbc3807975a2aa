import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { SERVERS } from '../http/rest-client.ts';
import { type FieldWorld, json, openFieldWorld } from './connection-world.ts';

// What the gateway says about a revocation. RFC 7009, section 2.2.1: a server that revokes refresh tokens need not be able
// to revoke access tokens by themselves. By REST a caller could not see the outcome.

let world: FieldWorld;
let configId: string;
beforeAll(async () => {
  world = await openFieldWorld();
});
afterAll(() => world?.close());
beforeEach(async () => {
  world.provider.reset();
  configId = await world.connect();
});

const UNSUPPORTED = { error: 'unsupported_token_type' };
const REVOKED = { token_revoked: true, token_revocation_error: '' };
const NOTHING = { token_revoked: false, token_revocation_error: '' };
const unrevoked = (reason: RegExp) => ({ token_revoked: false, token_revocation_error: expect.stringMatching(reason) });

/** Answers the revocation of each kind of token. */
function answerEach(answers: Record<'refresh_token' | 'access_token', ReturnType<typeof json>>): void {
  world.provider.answer('revocation', (_request, response) => {
    const hint = world.provider.formsTo('revocation').at(-1)?.get('token_type_hint') as keyof typeof answers;
    const { status, headers, body } = answers[hint];
    response.writeHead(status, headers).end(body);
  });
}

/** Disconnects the member by REST. */
function disconnect(prefer = 'return=representation') {
  return world.rest.call('member', 'DELETE', `${SERVERS}/${configId}/oauth2/disconnect`, undefined, { prefer });
}

/** The kinds of the tokens that the provider was asked to revoke. */
function listAsked(): (string | null)[] {
  return world.provider.formsTo('revocation').map((form) => form.get('token_type_hint'));
}

test('an access token that cannot be revoked by itself is no failure after its refresh token was revoked', async () => {
  answerEach({ refresh_token: json({}), access_token: json(UNSUPPORTED, 400) });
  const { status, body } = await disconnect();
  expect([status, body]).toEqual([200, REVOKED]);
  expect(listAsked()).toEqual(['refresh_token', 'access_token']);
});

test('a refresh token that cannot be revoked is a failure even if its access token was revoked', async () => {
  answerEach({ refresh_token: json(UNSUPPORTED, 400), access_token: json({}) });
  expect((await disconnect()).body).toEqual(unrevoked(/does not revoke tokens of this kind/));
  expect(listAsked()).toEqual(['refresh_token', 'access_token']);
});

test('an access token alone that cannot be revoked is a failure', async () => {
  await disconnect();
  world.provider.spoilToken({ refresh_token: undefined });
  await world.connect(configId);
  world.provider.answer('revocation', json(UNSUPPORTED, 400));
  expect((await disconnect()).body).toEqual(unrevoked(/does not revoke tokens of this kind/));
});

test.each([
  ['400 with another error', json({ error: 'invalid_request' }, 400)],
  ['202, which only accepts the request', json({}, 202)],
  ['200 with an error in it', json({ error: 'server_error' })],
  ['503 with Retry-After', json({}, 503, { 'retry-after': '60' })],
])('%s for the access token is a failure after its refresh token was revoked', async (_what, answer) => {
  answerEach({ refresh_token: json({}), access_token: answer });
  expect((await disconnect()).body).toEqual(unrevoked(/did not confirm/));
});

test('202 for both tokens is no confirmation, and the connection ends anyway', async () => {
  world.provider.answer('revocation', json({}, 202));
  expect((await disconnect()).body).toEqual(unrevoked(/did not confirm/));
  expect(await world.readState(configId)).toMatchObject({ viewerState: 'NEEDS_CONNECT' });
});

test.each([
  'return=representation',
  'Return=representation',
  'return="representation"',
  'respond-async, return=representation; x=y',
  'return=representation, return=minimal',
])('%s gets the outcome, and hears that it was heard', async (prefer) => {
  const { status, headers, body } = await disconnect(prefer);
  expect([status, body]).toEqual([200, REVOKED]);
  expect(headers.get('preference-applied')).toBe('return=representation');
});

test.each(['', 'return=minimal', 'return=minimal, return=representation', 'representation', 'returns=representation'])(
  '"%s" gets 204 and nothing else, as ever',
  async (prefer) => {
    const { status, headers, text } = await disconnect(prefer);
    expect([status, text]).toEqual([204, '']);
    expect(headers.has('preference-applied')).toBe(false);
  },
);

test('a config that the caller has no connection to, or that does not exist, looks the same', async () => {
  await disconnect();
  expect((await disconnect()).body).toEqual(NOTHING);
  configId = '00000000-0000-4000-8000-000000000000';
  const { status, body } = await disconnect();
  expect([status, body]).toEqual([200, NOTHING]);
});

test('callers who may not disconnect get no outcome', async () => {
  const path = `${SERVERS}/${configId}/oauth2/disconnect`;
  const prefer = { prefer: 'return=representation' };
  expect((await world.rest.call('nobody', 'DELETE', path, undefined, prefer)).status).toBe(401);
  expect((await world.rest.call('auditor', 'DELETE', path, undefined, prefer)).status).toBe(403);
  expect(await world.readState(configId)).toMatchObject({ viewerState: 'READY' });
});
