import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ConnectedWorld, connectUrl, openConnectedWorld } from '../http/connection-setup.ts';
import { createRestClient, minimalServer, SERVERS } from '../http/rest-client.ts';
import { TEST_PUBLIC_URL } from '../setup/gateway.ts';
import type { BegunConnection } from '../setup/hostile-provider.ts';
import { type FieldWorld, openFieldWorld } from './connection-world.ts';

// Providers ask for the callback URL when a client is registered, and a config needs the client: with a callback that
// contains the config's id, an admin had to create the config with wrong settings first. RFC 9700, section 4.4, is about
// what one callback for several authorization servers makes possible.

const SHARED_PATH = '/api/experimental/mcp/oauth2/callback';
const SHARED_URL = `${TEST_PUBLIC_URL}${SHARED_PATH}`;

describe('a client that is registered before the config exists', () => {
  let world: ConnectedWorld;
  beforeAll(async () => {
    world = await openConnectedWorld();
  });
  afterAll(() => world?.close());

  async function ask(query: string) {
    const { data, errors } = await world.gateway.graphql(query, { token: world.gateway.tokens.admin });
    expect(errors).toBeUndefined();
    return data;
  }

  test('connects users through the callback URL that the dry run names', async () => {
    const { as, mcp, gateway } = world;
    const dryRun = await ask(
      `{ discoverMcpServerOAuth(url: "${mcp.url}") { oauthCallbackUrl authorizationUrl tokenUrl issuer } }`,
    );
    const { oauthCallbackUrl, authorizationUrl, tokenUrl, issuer } = dryRun.discoverMcpServerOAuth;
    const clientId = await as.addClient({ redirectUris: [oauthCallbackUrl], secret: 'a-secret-from-the-provider' });
    const input = `displayName: "Early", slug: "early", url: "${mcp.url}", authType: OAUTH2, enabled: true,
      oauth2ClientId: "${clientId}", oauth2ClientSecret: "a-secret-from-the-provider", oauth2Issuer: "${issuer}",
      oauth2AuthUrl: "${authorizationUrl}", oauth2TokenUrl: "${tokenUrl}", oauth2CallbackMode: SHARED`;
    const created = await ask(
      `mutation { createMcpServerConfig(input: { ${input} }) { id oauthCallbackUrl oauth2CallbackMode } }`,
    );
    const { id, ...shown } = created.createMcpServerConfig;
    expect(shown).toEqual({ oauthCallbackUrl: SHARED_URL, oauth2CallbackMode: 'SHARED' });

    const browser = await world.signIn(gateway.tokens.member);
    const page = await browser.navigate(connectUrl(id), { from: TEST_PUBLIC_URL });
    expect([page.status, page.url.split('?')[0]]).toEqual([200, SHARED_URL]);
    expect(page.text).toContain(`"serverID":"${id}"`);
    const tokens = await gateway.accessTokens.get({ userId: gateway.userIds.member, configId: id });
    expect(tokens.state).toBe('ready');
  });

  test('works for a server that is created over REST, which names the URL too', async () => {
    const { as, mcp, gateway } = world;
    const rest = createRestClient(gateway);
    const clientId = await as.addClient({ redirectUris: [SHARED_URL] });
    const server = await rest.define({
      ...minimalServer('early-rest'),
      url: mcp.url,
      auth_type: 'oauth2',
      enabled: true,
      oauth2_client_id: clientId,
      oauth2_auth_url: as.endpoints.authorization,
      oauth2_token_url: as.endpoints.token,
      oauth2_callback_mode: 'shared',
    });
    expect(server).toMatchObject({ oauth_callback_url: SHARED_URL, oauth2_callback_mode: 'shared' });
    const browser = await world.signIn(gateway.tokens.member);
    const page = await browser.navigate(connectUrl(server.id), { from: TEST_PUBLIC_URL });
    expect(page.status, page.text).toBe(200);
    const member = await rest.call('member', 'GET', `${SERVERS}/${server.id}`);
    expect(member.body).toMatchObject({ auth_connected: true, oauth_callback_url: '', oauth2_callback_mode: '' });
  });
});

describe('the shared callback', () => {
  let world: FieldWorld;
  let configId: string;
  beforeAll(async () => {
    world = await openFieldWorld();
  });
  afterAll(() => world?.close());
  beforeEach(async () => {
    world.provider.reset();
    configId = await world.define({ oauth2_callback_mode: 'shared' });
  });

  /** Brings an answer to the shared callback. */
  async function bring(
    begun: BegunConnection,
    cookies: readonly string[],
    answer: Record<string, string> = begun.answer,
  ) {
    const response = await world.gateway.fetch(`${SHARED_PATH}?${new URLSearchParams(answer)}`, {
      headers: { accept: 'text/html', cookie: cookies.join('; ') },
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  test('gets the cookie of its flows, and no other path does', async () => {
    const begun = await world.begin(configId, world.session);
    expect(begun.authorizationUrl.searchParams.get('redirect_uri')).toBe(SHARED_URL);
    expect(begun.setCookie).toMatch(new RegExp(`; Path=${SHARED_PATH};`));
    const page = await bring(begun, [world.session, begun.cookie]);
    expect(page.status, page.text).toBe(200);
    expect(page.headers.get('set-cookie')).toMatch(new RegExp(`Max-Age=0; Path=${SHARED_PATH}`));
    const [form] = world.provider.formsTo('token');
    expect(form?.get('redirect_uri')).toBe(SHARED_URL);
  });

  test('refuses the answer to a sign-in that was started with the own callback', async () => {
    // A mix-up: the server of `other` sends the browser on to another authorization server, which answers at the
    // shared callback. Its code would go to the token endpoint of `other`.
    const other = await world.define();
    const begun = await world.begin(other, world.session);
    const page = await bring(begun, [world.session, begun.cookie]);
    expect(page.status).toBe(400);
    expect(page.text).toContain('another callback URL');
    await world.expectNothing(begun, page);
    expect(await world.isKept(begun)).toBe(false);
  });

  test('and the own callback refuses the answer to a sign-in that was started with the shared one', async () => {
    const begun = await world.begin(configId, world.session);
    const page = await world.bring(begun, { cookies: [world.session, begun.cookie] });
    expect(page.status).toBe(400);
    await world.expectNothing(begun, page);
  });

  test('refuses an answer of another issuer, which says that it is another', async () => {
    await world.change(configId, { oauth2_issuer: world.provider.issuer });
    const begun = await world.begin(configId, world.session);
    const answer = { ...begun.answer, iss: 'https://other.example' };
    const page = await bring(begun, [world.session, begun.cookie], answer);
    expect(page.status).toBe(400);
    await world.expectNothing(begun, page);
  });

  test.each([
    ['without a state', 400, () => ({})],
    ['with an unknown state', 400, () => ({ state: 'unknown' })],
  ])('refuses an answer %s', async (_what, status, change) => {
    const begun = await world.begin(configId, world.session);
    const page = await bring(begun, [world.session, begun.cookie], { code: 'code', ...change() });
    expect(page.status).toBe(status);
    await world.expectNothing(begun, page);
    expect(await world.isKept(begun)).toBe(true);
  });

  test('refuses another browser, another user, nobody, and a second time', async () => {
    const { session: stranger } = await world.enlist();
    for (const [status, cookies] of [
      [400, (_cookie: string) => [world.session]],
      [400, (cookie: string) => [stranger, cookie]],
      [401, (cookie: string) => [cookie]],
    ] as const) {
      const begun = await world.begin(configId, world.session);
      const page = await bring(begun, cookies(begun.cookie));
      expect(page.status).toBe(status);
      await world.expectNothing(begun, page);
      const again = await bring(begun, [world.session, begun.cookie]);
      expect(again.status).toBe(400);
      await world.expectNothing(begun, again);
    }
  });

  test('says 404 about a server that was disabled for members or deleted meanwhile', async () => {
    const begun = await world.begin(configId, world.session);
    await world.change(configId, { enabled: false });
    const page = await bring(begun, [world.session, begun.cookie]);
    expect(page.status).toBe(404);
    await world.expectNothing(begun, page);
  });

  test('needs a client id: a server that chooses its authorization server does not share a callback', async () => {
    const discovered = { oauth2_client_id: '', oauth2_client_secret: null, oauth2_auth_url: '', oauth2_token_url: '' };
    const { status, body } = await world.rest.call('admin', 'POST', SERVERS, {
      ...minimalServer('discovered'),
      ...world.provider.settings({ ...discovered, oauth2_revocation_url: '', oauth2_callback_mode: 'shared' }),
    });
    expect(status).toBe(400);
    expect(body.validations).toEqual([
      { field: 'oauth2_client_id', detail: expect.stringContaining('registered with the shared callback') },
    ]);
    expect(world.provider.log()).toEqual([]);
  });
});
