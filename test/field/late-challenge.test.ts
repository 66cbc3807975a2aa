import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type FieldWorld, json, openFieldWorld } from './connection-world.ts';

// A server that lets `initialize` through and names its scopes only when it challenges a later request, with 401 or 403:
// discovery has not seen them, and the scopes were lost while the user had no token. MCP 2026-07-28, "Scope Selection
// Strategy"; can1357/oh-my-pi#4467 and vercel/ai#18813 are of the kind: the scopes of a challenge are not asked for.

let world: FieldWorld;
let configId: string;
beforeAll(async () => {
  world = await openFieldWorld();
});
afterAll(() => world?.close());
beforeEach(async () => {
  world.provider.reset();
  configId = await world.define();
});

/** A challenge of the server for the member. */
function challenge(...scopes: string[]): Promise<string> {
  return world.gateway.requireScopes({ userId: world.gateway.userIds.member, configId, scopes });
}

/** The scopes that the next sign-in asks for. */
async function readAsked(): Promise<string | null> {
  return (await world.begin(configId, world.session)).authorizationUrl.searchParams.get('scope');
}

async function readRows(): Promise<Record<string, unknown>[]> {
  const sql =
    'SELECT wanted_scopes, step_up_rounds FROM mcp_server_scope_requests WHERE mcp_server_config_id = $1::uuid';
  return world.gateway.database.query(sql, [configId]);
}

describe('a challenge before the user has a token', () => {
  test('is part of what the first sign-in asks for, beside the scopes of the config', async () => {
    expect(await challenge('mail:read')).toBe('needs_connect');
    expect(await challenge('mail:read', 'mail:send')).toBe('needs_connect');
    expect(await readAsked()).toBe('mail:read mail:send');
    await world.change(configId, { oauth2_scopes: 'profile' });
    expect(await readAsked()).toBe('profile mail:read mail:send');
    await world.connect(configId);
    expect(await readRows()).toEqual([]);
    expect(await world.readState(configId)).toEqual({
      viewerState: 'READY',
      viewerStateReason: null,
      authConnected: true,
    });
  });

  test('counts as one of three rounds', async () => {
    await challenge('a');
    await world.connect(configId);
    for (const scope of ['b', 'c']) {
      expect(await challenge(scope)).toBe('needs_connect');
      await world.connect(configId);
    }
    expect(await challenge('d')).toBe('refused');
    expect(await readAsked()).toBe('a b c');
  });

  test('is for this user only, and is forgotten when they disconnect', async () => {
    await challenge('a');
    const { session } = await world.enlist();
    expect((await world.begin(configId, session)).authorizationUrl.searchParams.has('scope')).toBe(false);
    const query = `mutation { disconnectMcpServer(id: "${configId}") { tokenRevoked } }`;
    await world.gateway.graphql(query, { token: world.gateway.tokens.member });
    expect(await readAsked()).toBeNull();
  });

  test('cannot grow without a limit, and keeps no text that is no scope', async () => {
    for (let times = 0; times < 5; times += 1) {
      await challenge(...Array.from({ length: 100 }, (_, index) => `${times}-${index}`), 'no scope', 'x'.repeat(200));
    }
    const [row] = await readRows();
    expect(row?.['wanted_scopes']).toHaveLength(100);
    expect(row?.['wanted_scopes']).not.toContain('no scope');
  });

  test('of a config or a user that is gone changes nothing', async () => {
    const { id } = await world.enlist();
    await world.removeUser(id);
    expect(await world.gateway.requireScopes({ userId: id, configId, scopes: ['a'] })).toBe('needs_connect');
    expect(await readRows()).toEqual([]);
  });
});

describe('the scopes that a connection grew to', () => {
  test('are asked for again when the authorization server ended it, without another round', async () => {
    await world.change(configId, { oauth2_scopes: 'read' });
    await world.connect(configId);
    await challenge('write');
    await world.connect(configId);
    world.provider.answer('token', json({ error: 'invalid_grant' }, 400));
    expect(await world.get(configId, 2)).toMatchObject({ state: 'reconnect' });
    expect(await readAsked()).toBe('read write');
    expect(await readRows()).toEqual([{ wanted_scopes: [], step_up_rounds: 1 }]);
    world.provider.spoilToken({});
    await world.connect(configId);
    expect(await readRows()).toEqual([]);
    for (const scope of ['b', 'c']) {
      expect(await challenge(scope)).toBe('needs_connect');
      await world.connect(configId);
    }
    expect(await challenge('d')).toBe('refused');
  });

  test('are asked for again, with those that were wanted since, when the access token expired', async () => {
    world.provider.spoilToken({ refresh_token: undefined, expires_in: 60 });
    await world.connect(configId);
    await challenge('write');
    world.gateway.clock.advance(60_000);
    expect(await world.gateway.endExpired()).toBe(1);
    expect(await readAsked()).toBe('write');
  });
});
