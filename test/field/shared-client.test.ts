import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openSession } from '../http/browser-session.ts';
import { type FieldWorld, json, openFieldWorld } from './connection-world.ts';

// A registered client has many users. One 401 at one user's refresh replaced it, and the refreshes of all others then went
// out with a client that their tokens were not issued to. danny-avila/LibreChat#11925 is of the kind: the client that asks
// for a token is not the one that asked for the code.

let world: FieldWorld;
let configId: string;
let adminSession: string;
let clients: number;

beforeAll(async () => {
  world = await openFieldWorld();
  adminSession = await openSession(world.gateway, world.gateway.tokens.admin);
});
afterAll(() => world?.close());
beforeEach(async () => {
  const { provider } = world;
  provider.reset();
  clients = 0;
  provider.answer('registration', (_request, response) => {
    clients += 1;
    const client = { client_id: `client-${clients}`, client_secret: `secret-${clients}`, client_secret_expires_at: 0 };
    response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(client));
  });
  configId = await world.define({
    oauth2_client_id: '',
    oauth2_client_secret: undefined,
    oauth2_auth_url: '',
    oauth2_token_url: '',
    oauth2_revocation_url: '',
  });
  await connect(world.session, 'member');
  await connect(adminSession, 'admin');
});

/** Connects a user; the tokens carry their name. */
async function connect(session: string, name: string): Promise<void> {
  const begun = await world.begin(configId, session);
  world.provider.spoilToken({ access_token: `access-${name}`, refresh_token: `refresh-${name}`, expires_in: 600 });
  const answer = { ...begun.answer, iss: world.provider.issuer };
  const page = await world.bring(begun, { cookies: [session, begun.cookie], answer });
  expect(page.status, page.text).toBe(200);
}

function refresh(name: 'member' | 'admin') {
  const userId = world.gateway.userIds[name];
  return world.gateway.accessTokens.get({ userId, configId, rejectedVersion: 1 });
}

async function readClientId(): Promise<string> {
  const query = `{ mcpServerConfig(id: "${configId}") { oauth2ClientId } }`;
  const { data } = await world.gateway.graphql(query, { token: world.gateway.tokens.admin });
  return data.mcpServerConfig.oauth2ClientId;
}

/** How a client authenticates in a request. */
function basic(clientNumber: number): string {
  return `Basic ${btoa(`client-${clientNumber}:secret-${clientNumber}`)}`;
}

/** The tokens and clients of the requests to an endpoint since the last look. */
function takeRequests(place: 'token' | 'revocation', field: string): (string | null | undefined)[][] {
  const seen = world.provider.requestsTo(place);
  const result = seen.map(({ body, headers }) => [new URLSearchParams(body).get(field), headers.authorization]);
  seen.length = 0;
  return result;
}

/** A token endpoint that no longer knows a client. */
function forget(clientNumber: number): void {
  const listener: RequestListener = (request, response) => {
    const isForgotten = request.headers.authorization === basic(clientNumber);
    const body = isForgotten
      ? { error: 'invalid_client' }
      : { access_token: 'access-new', refresh_token: 'refresh-new', expires_in: 600 };
    const type = { 'content-type': 'application/json' };
    response.writeHead(isForgotten ? 401 : 200, type).end(JSON.stringify(body));
  };
  world.provider.answer('token', listener);
}

describe("one user's refresh that the authorization server refuses", () => {
  test.each([
    ['401 invalid_client', json({ error: 'invalid_client' }, 401)],
    ['401 alone', { status: 401, headers: {}, body: '' }],
    ['401 invalid_grant', json({ error: 'invalid_grant' }, 401)],
  ])('with %s does not replace the client', async (_what, answer) => {
    world.provider.answer('token', answer);
    await refresh('member').catch(() => undefined);
    world.provider.answer('token', json({ error: 'invalid_grant' }, 400));
    await connect(world.session, 'member');
    expect(await readClientId()).toBe('client-1');
    expect(clients).toBe(1);
    expect(await refresh('admin')).toMatchObject({ state: 'ready', version: 2 });
  });

  test('with invalid_client is checked once, with a token that nobody has', async () => {
    world.provider.answer('token', json({ error: 'invalid_client' }, 401));
    await refresh('member').catch(() => undefined);
    world.provider.answer('token', json({ error: 'invalid_grant' }, 400));
    const before = world.provider.requestsTo('token').length;
    await world.begin(configId, world.session);
    await world.begin(configId, world.session);
    const [asked, ...more] = world.provider.formsTo('token').slice(before);
    expect(more).toEqual([]);
    expect(asked?.get('refresh_token')).toMatch(/^[\w-]{43}$/);
  });

  test('by a server that does not answer afterwards leaves the client, and asks again at the next connect', async () => {
    world.provider.answer('token', json({ error: 'invalid_client' }, 401));
    await refresh('member').catch(() => undefined);
    world.provider.answer('token', json({}, 503));
    await world.begin(configId, world.session);
    expect(clients).toBe(1);
    forget(1);
    await world.begin(configId, world.session);
    expect(clients).toBe(2);
  });
});

describe('a client that its authorization server really forgot', () => {
  beforeEach(async () => {
    forget(1);
    await refresh('member').catch(() => undefined);
    await connect(world.session, 'member');
  });

  test("is replaced, and others' tokens are refreshed with the client that they were issued to", async () => {
    expect(await readClientId()).toBe('client-2');
    takeRequests('token', 'refresh_token');
    world.provider.reset();
    expect(await refresh('admin')).toMatchObject({ state: 'ready', version: 2 });
    const userId = world.gateway.userIds.member;
    expect(await world.gateway.accessTokens.get({ userId, configId, rejectedVersion: 2 })).toMatchObject({
      version: 3,
    });
    expect(takeRequests('token', 'refresh_token')).toEqual([
      ['refresh-admin', basic(1)],
      ['refresh-member', basic(2)],
    ]);
  });

  test("is used to revoke others' tokens too", async () => {
    world.provider.reset();
    const query = `mutation { removeMcpServerUserTokens(id: "${configId}") { removedCount } }`;
    const { data } = await world.gateway.graphql(query, { token: world.gateway.tokens.admin });
    expect(data.removeMcpServerUserTokens.removedCount).toBe(2);
    await world.gateway.settle();
    expect(new Map(takeRequests('revocation', 'token') as [string, string][])).toEqual(
      new Map([
        ['refresh-admin', basic(1)],
        ['access-admin', basic(1)],
        ['refresh-member', basic(2)],
        ['access-member', basic(2)],
      ]),
    );
  });

  test('is kept as long as somebody has its tokens, with its secret sealed', async () => {
    const read = () =>
      world.gateway.database.query(
        'SELECT client_id, client_secret FROM mcp_server_former_clients WHERE mcp_server_config_id = $1::uuid',
        [configId],
      );
    expect(await read()).toEqual([{ client_id: 'client-1', client_secret: expect.stringMatching(/^v2:/) }]);
    world.provider.reset();
    await connect(adminSession, 'admin');
    forget(2);
    world.provider.answer('registration', json({ client_id: 'client-3', client_secret: 'secret-3' }, 201));
    await world.gateway.accessTokens
      .get({ userId: world.gateway.userIds.member, configId, rejectedVersion: 2 })
      .catch(() => undefined);
    await world.begin(configId, world.session);
    expect(await readClientId()).toBe('client-3');
    expect(await read()).toEqual([{ client_id: 'client-2', client_secret: expect.stringMatching(/^v2:/) }]);
  });
});
