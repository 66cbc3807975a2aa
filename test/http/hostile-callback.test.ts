import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { countUserTokens } from '../graphql/user-tokens.ts';
import {
  type BegunConnection,
  type Bringing,
  CANARY,
  GIVEN,
  type HostileProvider,
  type HostileWorld,
  openHostileWorld,
} from '../setup/hostile-provider.ts';
import { openSession } from './browser-session.ts';

let world: HostileWorld;
let provider: HostileProvider;
let session: string;

beforeAll(async () => {
  world = await openHostileWorld();
  provider = world.provider;
  session = await openSession(world.gateway, world.gateway.tokens.member);
});
beforeEach(() => provider.reset());
afterAll(() => world?.close());

const begin = async (fields: Record<string, unknown> = {}) => world.begin(await world.define(fields), session);
const honest = ({ cookie }: BegunConnection) => ({ cookies: [session, cookie] });
const readName = (cookie: string) => cookie.split('=')[0];
const readValue = (cookie: string) => cookie.split('=')[1];

/** The provider refuses, in words that are shown only once it is known to be the right one. */
const REFUSAL = { error: 'access_denied', error_description: CANARY };
const HIDDEN = [CANARY, 'access_denied', 'declined'];

test('an honest answer connects once, until it expires', async () => {
  const begun = await begin();
  world.gateway.clock.advance(599_999);
  const answer = await world.bring(begun, honest(begun));
  expect(answer.status).toBe(200);
  world.expectNoTrace(begun, answer);
  expect(await countUserTokens(world.gateway, begun.configId)).toBe(1);
  expect(begun.secrets).toContain(provider.formsTo('token')[0]?.get('code_verifier'));
  expect(await world.isKept(begun)).toBe(false);
});

/** What is wrong with an answer, by how it is brought. */
type Bring = (begun: BegunConnection, answer: Record<string, string>) => Promise<Partial<Bringing>>;

/** Answers that name no flow: none is used up. */
const STATELESS: Record<string, Bring> = {
  'no state': async (_begun, { state: _state, ...answer }) => ({ answer }),
  'an empty state': async (_begun, answer) => ({ answer: { ...answer, state: '' } }),
  'a state of nobody': async (_begun, answer) => ({ answer: { ...answer, state: 'A'.repeat(43) } }),
  'a state that says a little more': async ({ state }, answer) => ({ answer: { ...answer, state: `${state} ` } }),
};

/** Answers to the wrong place, or from the wrong one. */
const ASTRAY: Record<string, Bring> = {
  'a state whose time is over': async () => {
    world.gateway.clock.advance(600_000);
    return {};
  },
  "another user's sign-in": async ({ cookie }) => ({
    cookies: [await openSession(world.gateway, world.gateway.tokens.admin), cookie],
  }),
  'no cookie': async () => ({ cookies: [session] }),
  'an empty cookie': async ({ cookie }) => ({ cookies: [session, `${readName(cookie)}=`] }),
  'the cookie of another browser': async ({ cookie }) => ({
    cookies: [session, `${readName(cookie)}=${'A'.repeat(43)}`],
  }),
  'the cookie of another flow': async ({ configId }) => ({
    cookies: [session, (await world.begin(configId, session)).cookie],
  }),
  'the value of the cookie of another flow': async ({ configId, cookie }) => {
    const other = await world.begin(configId, session);
    return { cookies: [session, `${readName(cookie)}=${readValue(other.cookie)}`] };
  },
  'the callback of another server': async () => ({ configId: await world.define() }),
};

/** The status with which they are refused. */
const WRONG: [status: number, Record<string, Bring>][] = [
  [400, STATELESS],
  [400, ASTRAY],
  [404, { 'the callback of no server': async () => ({ configId: '00000000-0000-4000-8000-000000000000' }) }],
  [
    401,
    {
      'no sign-in': async ({ cookie }) => ({ cookies: [cookie] }),
      'a bearer token that is not good': async () => ({ headers: { authorization: 'Bearer x' } }),
    },
  ],
];

/** Changes to whose tokens they would be, or where they would be requested. */
const MOVES: Record<string, () => Record<string, unknown>> = {
  'the token URL': () => ({ oauth2_token_url: `${provider.origin}/token-elsewhere` }),
  'the client id': () => ({ oauth2_client_id: 'client-2' }),
  'the issuer': () => ({ oauth2_issuer: 'https://issuer.example.com' }),
  'the revocation URL': () => ({
    oauth2_revocation_url: 'https://revoke.example.com/',
    oauth2_client_secret: 'another-secret',
  }),
  'the URL': () => ({ url: 'https://mcp.example.com/mcp', oauth2_client_secret: 'another-secret' }),
  'the auth type': () => ({ auth_type: 'none' }),
};

/** Changes to a server while a user is away. */
const EVENTS: Record<string, { status: number; happen(configId: string): Promise<unknown> }> = {
  'is switched off': { status: 404, happen: (configId) => world.change(configId, { enabled: false }) },
  'is deleted': { status: 404, happen: (configId) => world.remove(configId) },
};
for (const [name, toFields] of Object.entries(MOVES)) {
  EVENTS[`gets another value for ${name}`] = {
    status: 400,
    happen: (configId) => world.change(configId, toFields()),
  };
}
for (const [name, { status, happen }] of Object.entries(EVENTS)) {
  const bring: Bring = async ({ configId }) => {
    await happen(configId);
    return {};
  };
  WRONG.push([status, { [`a server that ${name} meanwhile`]: bring }]);
}

describe('an answer connects nobody, is used up and reveals nothing', () => {
  const cases = WRONG.flatMap(([status, brings]) =>
    Object.entries(brings).map(([what, bring]) => ({ what, bring, status, leavesFlow: brings === STATELESS })),
  );

  test.each(cases)('with $what', async ({ bring, status, leavesFlow }) => {
    for (const [accept, says] of [
      ['application/json', {}],
      ['text/html', REFUSAL],
    ] as const) {
      const begun = await begin();
      const said = { ...begun.answer, ...says };
      const { headers, ...how } = await bring(begun, said);
      const brought = { ...honest(begun), answer: said, ...how, headers: { accept, ...headers } };
      const answer = await world.bring(begun, brought);
      expect(answer.status).toBe(status);
      expect(answer.headers.get('content-type')).toContain(accept);
      await world.expectNothing(begun, answer, HIDDEN);
      expect(await world.isKept(begun)).toBe(leavesFlow);
      // Bringing it correctly afterwards does not work either; an answer that names no flow did no harm to this one.
      const again = await world.bring(begun, honest(begun));
      expect(again.status === 200).toBe(leavesFlow);
      if (!leavesFlow) await world.expectNothing(begun, again);
      provider.reset();
    }
  });

  test('when its user was suspended in between, even if they are active again', async () => {
    const user = await world.enlist();
    const begun = await world.begin(await world.define(), user.session);
    const cookies = [user.session, begun.cookie];
    await world.setStatus(user.id, 'SUSPENDED');
    const answer = await world.bring(begun, { cookies });
    expect(answer.status).toBe(401);
    await world.expectNothing(begun, answer);
    await world.setStatus(user.id, 'ACTIVE');
    const again = await world.bring(begun, { cookies });
    expect(again.status).toBe(400);
    await world.expectNothing(begun, again);
  });

  test('when the server turns out to be disabled', async () => {
    const admin = await openSession(world.gateway, world.gateway.tokens.admin);
    const begun = await world.begin(await world.define(), admin);
    await world.change(begun.configId, { enabled: false });
    const answer = await world.bring(begun, { cookies: [admin, begun.cookie] });
    expect(answer.status).toBe(400);
    await world.expectNothing(begun, answer);
    expect(await world.isKept(begun)).toBe(false);
  });

  test("when two servers at one provider get each other's answer", async () => {
    const [one, other] = [await begin(), await begin()];
    const cookies = [session, one.cookie, other.cookie];
    const answers = [
      await world.bring(one, { cookies, configId: other.configId }),
      await world.bring(other, { cookies, configId: one.configId }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400]);
    for (const begun of [one, other]) {
      for (const answer of answers) await world.expectNothing(begun, answer);
      expect(await world.isKept(begun)).toBe(false);
    }
  });

  test.each<[string, Record<string, string>]>([
    ['a code', {}],
    ['an error', REFUSAL],
  ])('when it came with %s before', async (_what, says) => {
    const begun = await begin();
    await world.bring(begun, { ...honest(begun), answer: { ...begun.answer, ...says } });
    const asked = provider.requestsTo('token').length;
    const stored = await countUserTokens(world.gateway, begun.configId);
    const again = await world.bring(begun, honest(begun));
    expect(again.status).toBe(400);
    world.expectNoTrace(begun, again);
    expect(provider.requestsTo('token')).toHaveLength(asked);
    expect(await countUserTokens(world.gateway, begun.configId)).toBe(stored);
  });

  test('except one of several that arrive at the same time', async () => {
    const begun = await begin();
    const answers = await Promise.all(Array.from({ length: 4 }, () => world.bring(begun, honest(begun))));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400]);
    expect(provider.requestsTo('token')).toHaveLength(1);
    expect(await countUserTokens(world.gateway, begun.configId)).toBe(1);
  });

  test.each(['code', 'iss', 'error', 'error_description', 'state'])('with two of %s', async (name) => {
    for (const order of ['before', 'after', 'alike'] as const) {
      const begun = await begin({ oauth2_issuer: provider.issuer });
      const said = new URLSearchParams({ ...begun.answer, iss: provider.issuer });
      const own = said.get(name) ?? CANARY;
      said.delete(name);
      const values = { before: [CANARY, own], after: [own, CANARY], alike: [own, own] }[order];
      for (const value of values) said.append(name, value);
      const answer = await world.bring(begun, { ...honest(begun), answer: said });
      expect(answer.status).toBe(400);
      await world.expectNothing(begun, answer, [CANARY]);
    }
  });
});

describe('tokens that arrive too late are not stored, but revoked', () => {
  const LATE: Record<string, (configId: string, userId: string) => Promise<unknown>> = {
    'the user is suspended': (_configId, userId) => world.setStatus(userId, 'SUSPENDED'),
    'the user is deleted': (_configId, userId) => world.removeUser(userId),
  };
  for (const [name, { happen }] of Object.entries(EVENTS)) LATE[`the server ${name}`] = happen;

  test.each(Object.entries(LATE))('when %s while they are requested', async (_what, happen) => {
    const user = await world.enlist();
    const begun = await world.begin(await world.define(), user.session);
    const held = provider.holdToken();
    const bringing = world.bring(begun, { cookies: [user.session, begun.cookie] });
    await held.arrived;
    await happen(begun.configId, user.id);
    held.release();
    const answer = await bringing;
    expect(answer.status).toBe(400);
    world.expectNoTrace(begun, answer);
    await world.gateway.settle();
    expect(await countUserTokens(world.gateway, begun.configId)).toBe(0);
    expect(await world.isKept(begun)).toBe(false);
    expect(provider.log()).toEqual(['POST /token', 'POST /revoke', 'POST /revoke']);
    const revoked = provider.formsTo('revocation').map((form) => form.get('token'));
    expect(revoked).toEqual([GIVEN.refreshToken, GIVEN.accessToken]);
  });
});

/** Spellings that normalise to the issuer, and some that do not. */
const ISSUERS: Record<string, () => string | undefined> = {
  nobody: () => undefined,
  'an empty text': () => '',
  'another server': () => 'https://as.example.com/as',
  'another case of the path': () => `${provider.origin}/AS`,
  'another case of the scheme': () => provider.issuer.replace('http:', 'HTTP:'),
  'a slash more': () => `${provider.issuer}/`,
  'the origin alone': () => provider.origin,
  'another port': () => provider.issuer.replace(`:${provider.port}`, `:${provider.port + 1}`),
  'no port': () => provider.issuer.replace(`:${provider.port}`, ''),
  'another scheme': () => provider.issuer.replace('http:', 'https:'),
  'another name of the host': () => provider.issuer.replace('127.0.0.1', 'localhost'),
  'a percent-encoded letter': () => `${provider.origin}/%61s`,
  'a percent-encoded slash': () => `${provider.origin}%2Fas`,
  'a detour': () => `${provider.origin}/x/../as`,
  'a query': () => `${provider.issuer}?`,
  'a fragment': () => `${provider.issuer}#`,
  'user info': () => provider.issuer.replace('//', '//@'),
  'a space more': () => `${provider.issuer} `,
  'a line break more': () => `${provider.issuer}\n`,
};

describe('an answer from another issuer is refused, whatever it says', () => {
  const cases = Object.entries(ISSUERS).map(([what, toIssuer], index) => ({ what, toIssuer, index }));

  test.each(cases)('when it names $what', async ({ toIssuer, index }) => {
    const iss = toIssuer();
    // The first three are tried as a success and as a refusal, the others as one of them.
    for (const says of index < 3 ? [{}, REFUSAL] : [[{}, REFUSAL][index % 2]]) {
      const begun = await begin({ oauth2_issuer: provider.issuer });
      const said = { ...begun.answer, ...says, ...(iss !== undefined && { iss }) };
      const answer = await world.bring(begun, { ...honest(begun), answer: said });
      expect(answer.status).toBe(400);
      await world.expectNothing(begun, answer, HIDDEN);
      expect(await world.isKept(begun)).toBe(false);
    }
  });

  test('even if the settings were discovered', async () => {
    const discovered = { display_name: 'D', url: provider.serverUrl, auth_type: 'oauth2', enabled: true };
    const { id } = await world.rest.define({ ...discovered, slug: 'discovered' });
    const attempt = async (more: Record<string, string>) => {
      const begun = await world.begin(id, session);
      provider.reset();
      const answer = await world.bring(begun, { ...honest(begun), answer: { ...begun.answer, ...more } });
      if (answer.status !== 200) await world.expectNothing(begun, answer, HIDDEN);
      return answer.status;
    };
    expect(await attempt({})).toBe(400);
    expect(await attempt(REFUSAL)).toBe(400);
    expect(await attempt({ iss: `${provider.issuer}/` })).toBe(400);
    expect(await attempt({ iss: provider.issuer })).toBe(200);
  });

  test('and the right one is accepted', async () => {
    const refused = await begin({ oauth2_issuer: provider.issuer });
    const said = { ...refused.answer, ...REFUSAL, iss: provider.issuer };
    const answer = await world.bring(refused, { ...honest(refused), answer: said });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain('declined');
    expect(answer.text).toContain(CANARY);
    await world.expectNothing(refused, answer);
    const begun = await begin({ oauth2_issuer: provider.issuer });
    const good = { ...begun.answer, iss: provider.issuer };
    expect((await world.bring(begun, { ...honest(begun), answer: good })).status).toBe(200);
  });
});
