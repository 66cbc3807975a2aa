import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { entriesOf } from '../graphql/audit-entries.ts';
import { type FieldWorld, json, openFieldWorld } from './connection-world.ts';

// When a connection is dead, and when it is not. What the answers of all providers mean is in
// test/oauth/token-refusals.test.ts; here is one of each meaning, and of each form.

const MINUTE_MS = 60_000;

let world: FieldWorld;
beforeAll(async () => {
  world = await openFieldWorld();
});
afterAll(() => world?.close());
beforeEach(() => {
  world.provider.reset();
  world.provider.spoilToken({ expires_in: 600 });
});

type Answer = ReturnType<typeof json>;
const html = (status: number): Answer => ({
  status,
  headers: { 'content-type': 'text/html' },
  body: '<!doctype html><h1>Forbidden</h1>',
});
const text = (status: number, body: string): Answer => ({ status, headers: { 'content-type': 'text/plain' }, body });
const form = (status: number, body: string): Answer => ({
  status,
  headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
  body,
});

const READY = { viewerState: 'READY', viewerStateReason: null, authConnected: true };
const reconnect = (reason: string) => ({
  viewerState: 'RECONNECT',
  viewerStateReason: expect.stringContaining(reason),
  authConnected: false,
});

/** Lets the access token expire, and tries to refresh it. */
async function refreshWith(answer: Answer): Promise<string> {
  const configId = await world.connect();
  world.provider.answer('token', answer);
  world.gateway.clock.advance(600_000);
  await world.get(configId).catch(() => undefined);
  return configId;
}

/** One more try, whatever the backoff says. */
async function tryAgain(configId: string, afterMs: number): Promise<void> {
  world.gateway.clock.advance(afterMs);
  const sql = 'UPDATE mcp_server_user_tokens SET retry_at = NULL WHERE mcp_server_config_id = $1::uuid';
  await world.gateway.database.query(sql, [configId]);
  await world.get(configId).catch(() => undefined);
}

describe('a refresh token that is dead', () => {
  test.each<[provider: string, answer: Answer]>([
    ['GitHub, as a form', form(200, 'error=bad_refresh_token&error_description=The+refresh+token+passed+is+incorrect')],
    ['Slack', json({ ok: false, error: 'invalid_refresh_token' })],
    ['Google', json({ error: 'invalid_grant', error_description: 'Token has been expired or revoked.' }, 400)],
    // It would be the client's fault by its status.
    ['Zoom', json({ reason: 'Invalid Token!', error: 'invalid_request' }, 401)],
  ])('of %s ends the connection at once', async (_provider, answer) => {
    const configId = await refreshWith(answer);
    expect(await world.get(configId)).toMatchObject({ state: 'reconnect' });
    expect(await world.readState(configId)).toEqual(reconnect('ended the connection; connect again'));
    expect(world.provider.requestsTo('token')).toHaveLength(2);
    world.provider.spoilToken({});
    await world.connect(configId);
    expect(await world.readState(configId)).toEqual(READY);
  });
});

describe('a fault that passes', () => {
  test.each<[what: string, answer: Answer]>([
    ['too many requests', json({ error: 'invalid_grant' }, 429)],
    ['too many requests at Slack', json({ ok: false, error: 'ratelimited' })],
    ['a proxy without a server', html(502)],
    ['a page for everything', html(200)],
  ])('%s: the connection stays, however often and long', async (_what, answer) => {
    const configId = await refreshWith(answer);
    for (let times = 0; times < 4; times += 1) await tryAgain(configId, 10 * MINUTE_MS);
    await expect(world.get(configId)).rejects.toMatchObject({ code: 'UPSTREAM_FAILED' });
    expect(await world.readState(configId)).toEqual(READY);
    world.provider.spoilToken({});
    await tryAgain(configId, MINUTE_MS);
    expect(await world.get(configId)).toMatchObject({ state: 'ready', version: 2 });
  });
});

describe('a refresh that is refused with', () => {
  test.each<[what: string, answer: Answer]>([
    ['a code that nobody knows', json({ error: 'nope' }, 400)],
    ['nothing', text(400, '')],
    ['a dead grant, by a server that fails', json({ error: 'invalid_grant' }, 500)],
  ])('%s three times over ten minutes ends the connection', async (_what, answer) => {
    const configId = await refreshWith(answer);
    await tryAgain(configId, 9 * MINUTE_MS);
    await tryAgain(configId, MINUTE_MS - 1);
    expect(await world.readState(configId)).toEqual(READY);
    await tryAgain(configId, 1);
    expect(await world.readState(configId)).toEqual(reconnect('refuses to renew the access token; connect again'));
    expect(await world.get(configId)).toMatchObject({ state: 'reconnect' });
  });

  test('the same twice is not yet dead, and a success starts again', async () => {
    const answer = json({ error: 'nope' }, 400);
    const configId = await refreshWith(answer);
    await tryAgain(configId, 20 * MINUTE_MS);
    expect(await world.readState(configId)).toEqual(READY);
    world.provider.spoilToken({ expires_in: 60 });
    await tryAgain(configId, MINUTE_MS);
    world.provider.answer('token', answer);
    for (let times = 0; times < 2; times += 1) await tryAgain(configId, 20 * MINUTE_MS);
    expect(await world.readState(configId)).toEqual(READY);
  });

  test('the same while the access token is good is not dead', async () => {
    world.provider.spoilToken({ expires_in: 36_000 });
    const configId = await world.connect();
    world.provider.answer('token', json({ error: 'nope' }, 400));
    for (let times = 0; times < 4; times += 1) {
      world.gateway.clock.advance(6 * MINUTE_MS);
      await world.get(configId, 1).catch(() => undefined);
    }
    expect(await world.get(configId)).toMatchObject({ state: 'ready' });
    expect(await world.readState(configId)).toEqual(READY);
  });
});

describe('a refresh that is refused because of the client', () => {
  test.each<[what: string, answer: Answer]>([
    ['incorrect_client_credentials of GitHub', json({ error: 'incorrect_client_credentials' })],
    ['401 alone', text(401, '')],
  ])('(%s) shows RECONNECT in the end, and works again once an admin corrects the client', async (_what, answer) => {
    const configId = await refreshWith(answer);
    expect(await world.readState(configId)).toEqual(READY);
    for (let times = 0; times < 2; times += 1) await tryAgain(configId, 6 * MINUTE_MS);
    expect(await world.readState(configId)).toEqual(reconnect('does not accept the gateway as a client'));
    expect(await world.get(configId)).toMatchObject({ state: 'reconnect' });
    await world.change(configId, { oauth2_client_secret: 'the-right-secret' });
    world.provider.spoilToken({});
    await tryAgain(configId, MINUTE_MS);
    expect(await world.readState(configId)).toEqual(READY);
    expect(await world.get(configId)).toMatchObject({ state: 'ready', version: 2 });
  });
});

describe('an access token without a refresh token', () => {
  test('is alive until it expires, and not a moment longer', async () => {
    world.provider.spoilToken({ refresh_token: undefined, expires_in: 600 });
    const configId = await world.connect();
    world.gateway.clock.advance(599_999);
    expect(await world.readState(configId)).toEqual(READY);
    world.gateway.clock.advance(1);
    expect(await world.readState(configId)).toEqual(reconnect('expired and cannot be renewed'));
    expect(await world.get(configId)).toMatchObject({ state: 'reconnect' });
  });

  test('that expires is told to its user on the change feed, and to admins in the audit log', async () => {
    world.provider.spoilToken({ refresh_token: undefined, expires_in: 600 });
    const configId = await world.connect();
    const kept = await world.connect();
    world.provider.spoilToken({ expires_in: 600 });
    await world.connect(kept);
    const feed = 'SELECT count(*)::int AS n FROM config_changes WHERE config_id = $1::uuid AND user_id IS NOT NULL';
    const countChanges = async () => (await world.gateway.database.query(feed, [configId]))[0]?.['n'];
    const before = Number(await countChanges());
    expect(await world.gateway.endExpired()).toBe(0);
    world.gateway.clock.advance(600_000);
    const [entry, ...others] = await entriesOf(world.gateway, async () => {
      expect(await world.gateway.endExpired()).toBe(1);
      expect(await world.gateway.endExpired()).toBe(0);
    });
    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      action: 'mcpServerConnection.refresh',
      outcome: 'failed',
      target_id: configId,
      reason: expect.stringContaining('expired and cannot be renewed'),
    });
    expect(await countChanges()).toBe(before + 1);
    expect(await world.readState(configId)).toEqual(reconnect('expired and cannot be renewed'));
    expect(await world.readState(kept)).toEqual(READY);
  });
});
