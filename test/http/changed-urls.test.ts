import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type FieldWorld, openFieldWorld } from '../field/connection-world.ts';
import { type HandmadeServer, startHandmadeServer } from '../setup/handmade-server.ts';
import { LOOPBACK_ALLOWED } from './connection-setup.ts';
import { SERVERS } from './rest-client.ts';

// Somebody who can write to the database changes where a config's secrets go. `stranger` is where they would go then. The
// gateway may reach it, and it answers like the honest provider: only the sealing keeps the secrets from it.

let world: FieldWorld;
let stranger: HandmadeServer;

beforeAll(async () => {
  stranger = await startHandmadeServer();
  world = await openFieldWorld(LOOPBACK_ALLOWED);
  const { oauth2_token_url: tokenUrl } = world.provider.settings();
  stranger.onJson(new URL(String(tokenUrl)).pathname, { access_token: 'of the stranger', token_type: 'Bearer' });
});
afterAll(async () => {
  await world?.close();
  await stranger?.close();
});
beforeEach(() => {
  stranger.requests.length = 0;
  world.provider.reset();
});

const URL_COLUMNS = ['oauth2_token_url', 'oauth2_revocation_url', 'url'] as const;

/** Writes a column of the config behind the gateway's back. @returns what undoes it */
async function rewrite(configId: string, column: string, value: string): Promise<() => Promise<void>> {
  const { database } = world.gateway;
  const [row] = await database.query(`SELECT "${column}" AS before FROM mcp_server_configs WHERE id = $1::uuid`, [
    configId,
  ]);
  const write = async (text: unknown) => {
    await database.query(`UPDATE mcp_server_configs SET "${column}" = $1 WHERE id = $2::uuid`, [text, configId]);
  };
  await write(value);
  return () => write(row?.['before']);
}

/** Lets a URL lead to the stranger, with the same path. */
async function redirect(configId: string, column: (typeof URL_COLUMNS)[number]): Promise<() => Promise<void>> {
  const url = new URL(String(world.provider.settings()[column]));
  return rewrite(configId, column, `${stranger.url}${url.pathname}`);
}

function headersFor(configId: string) {
  return world.gateway.serverHeaders.get({ userId: world.gateway.userIds.member, configId });
}

async function beginRaw(configId: string) {
  const response = await world.gateway.fetch(`${SERVERS}/${configId}/oauth2/connect`, {
    headers: { cookie: world.session, accept: 'application/json', 'sec-fetch-site': 'same-origin' },
  });
  return { status: response.status, text: await response.text() };
}

const MISDIRECTED = { code: 'DECRYPTION_FAILED', details: { reason: 'DESTINATION' } };

describe.each([
  ['a client with a secret', {}],
  ['a client without a secret', { oauth2_client_secret: undefined }],
])('%s:', (_, fields) => {
  test.each(URL_COLUMNS)('after SQL changed %s, nothing of a connection is sent there', async (column) => {
    const configId = await world.connect(await world.define(fields));
    const restore = await redirect(configId, column);
    world.provider.reset();

    // A refresh: the new tokens would be bound to the changed URL.
    await expect(world.get(configId, 1)).rejects.toMatchObject(MISDIRECTED);
    if (column === 'url') await expect(headersFor(configId)).rejects.toMatchObject(MISDIRECTED);
    expect((await world.readState(configId)).viewerState).toBe('UNAVAILABLE');
    expect(stranger.log).toEqual([]);
    expect(world.provider.requestsTo('token')).toEqual([]);

    await restore();
    world.gateway.clock.now = new Date(world.gateway.clock.now.getTime() + 600_000);
    expect(await world.get(configId, 1)).toMatchObject({ state: 'ready', version: 2 });
    expect((await world.readState(configId)).viewerState).toBe('READY');
  });

  test.each(URL_COLUMNS)('after SQL changed %s, ending the connection sends no token there', async (column) => {
    const configId = await world.connect(await world.define(fields));
    await redirect(configId, column);
    const query = `mutation { disconnectMcpServer(id: "${configId}") { tokenRevoked revocationError } }`;
    const { data } = await world.gateway.graphql(query, { token: world.gateway.tokens.member });
    const isSafe = column !== 'oauth2_revocation_url' && 'oauth2_client_secret' in fields;
    // Without a client secret, the tokens themselves tell where they may go, and the honest endpoint is not affected.
    expect(data.disconnectMcpServer.tokenRevoked).toBe(isSafe);
    expect(stranger.log).toEqual([]);
  });

  test('a code is not exchanged at a URL that SQL wrote into the config and the flow', async () => {
    const configId = await world.define(fields);
    const begun = await world.begin(configId, world.session);
    const restore = await redirect(configId, 'oauth2_token_url');
    await world.gateway.database.query(
      'UPDATE mcp_oauth_flows f SET token_url = c.oauth2_token_url FROM mcp_server_configs c WHERE c.id = f.mcp_server_config_id',
    );
    const answer = { ...begun.answer, iss: world.provider.issuer };
    const page = await world.bring(begun, { cookies: [world.session, begun.cookie], answer });
    expect(page.status).not.toBe(200);
    world.expectNoTrace(begun, page);
    expect(stranger.log).toEqual([]);
    await restore();
    await world.connect(configId);
  });
});

describe('the client secret', () => {
  test.each(URL_COLUMNS)('does not open for a changed %s, so no sign-in begins', async (column) => {
    const configId = await world.define();
    const restore = await redirect(configId, column);
    expect(await beginRaw(configId)).toMatchObject({ status: 500, text: expect.stringContaining('DECRYPTION_FAILED') });
    expect((await world.readState(configId)).viewerState).toBe('UNAVAILABLE');
    expect(stranger.log).toEqual([]);
    await restore();
    await world.connect(configId);
  });

  test('is not replaced by a new registration for a changed URL', async () => {
    const configId = await world.connect(
      await world.define({
        oauth2_client_id: '',
        oauth2_client_secret: undefined,
        oauth2_auth_url: '',
        oauth2_token_url: '',
        oauth2_revocation_url: '',
      }),
    );
    await redirect(configId, 'oauth2_token_url');
    await world.gateway.database.query('UPDATE mcp_server_oauth_discoveries SET client_is_unknown = true');
    world.provider.reset();
    expect((await beginRaw(configId)).status).toBe(500);
    expect(world.provider.requestsTo('registration')).toEqual([]);
    expect(stranger.log).toEqual([]);
  });

  test('is not entered again for a URL that SQL changed, unless the admin names it', async () => {
    const configId = await world.define();
    await redirect(configId, 'oauth2_token_url');
    const change = (fields: Record<string, unknown>) =>
      world.rest.call('admin', 'PATCH', `${SERVERS}/${configId}`, fields);
    for (const secret of ['entered again', null]) {
      const { status, text } = await change({ oauth2_client_secret: secret });
      expect([status, text]).toEqual([400, expect.stringContaining('oauth2_token_url')]);
    }
    // The kill switch and other changes still work.
    expect((await change({ enabled: false })).status).toBe(200);
    expect((await change({ enabled: true })).status).toBe(200);
    // Back to the origin that the secret was entered for: it need not be sent again.
    const { oauth2_token_url: honest } = world.provider.settings();
    expect((await change({ oauth2_token_url: honest })).status).toBe(200);
    await world.connect(configId);
    expect(stranger.log).toEqual([]);
  });
});

describe('the headers of a server', () => {
  test.each([
    [{ auth_type: 'api_key', api_key_header: 'X-Key', api_key_value: 'the key' }, 'the key'],
    [{ auth_type: 'custom_headers', custom_headers: { 'X-One': 'the value' } }, 'the value'],
  ])('are not given out for a URL that SQL changed: %j', async (fields, secret) => {
    const { url } = world.provider.settings();
    const slug = `headers-${fields.auth_type.replace('_', '-')}`;
    const { id } = await world.rest.define({ display_name: slug, slug, url, enabled: true, ...fields });
    const restore = await redirect(id, 'url');
    await expect(headersFor(id)).rejects.toMatchObject(MISDIRECTED);
    const logged = world.gateway.logs();
    expect(logged).toContain('"reason":"destination"');
    expect(logged).not.toContain(secret);
    await restore();
    const result = await headersFor(id);
    expect(result).toMatchObject({ state: 'ready', url });
    expect(result.state === 'ready' && result.headers.map(({ value }) => value.expose())).toEqual([secret]);
  });
});

describe('a text that is no URL, written by SQL,', () => {
  test.each(['oauth2_token_url', 'oauth2_revocation_url', 'oauth2_auth_url', 'url'])(
    'in %s is a coded error for those who connect and for admins',
    async (column) => {
      const configId = await world.connect();
      await rewrite(configId, column, 'not a URL');
      const begun = await beginRaw(configId);
      expect(begun).toMatchObject({ status: 400, text: expect.stringContaining('VALIDATION_FAILED') });
      await expect(world.get(configId, 1)).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
      const { errors } = await world.gateway.graphql(
        `mutation { updateMcpServerConfig(id: "${configId}", patch: { description: "x" }) { id } }`,
        { token: world.gateway.tokens.admin },
      );
      expect(errors).toMatchObject([{ extensions: { code: 'VALIDATION_FAILED', issues: [{ code: 'INVALID_URL' }] } }]);
      // A valid one makes the config usable again, with the secrets sent anew if the origin is another.
      const honest = world.provider.settings()[column];
      await world.change(configId, { [column]: honest });
      await world.connect(configId);
    },
  );
});
