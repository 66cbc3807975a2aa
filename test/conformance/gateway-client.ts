import { signInBrowser } from '../http/connection-setup.ts';
import { createRestClient, SERVERS } from '../http/rest-client.ts';
import { TEST_PUBLIC_URL, type TestGateway } from '../setup/gateway.ts';
import { CreateApiToken, CreateUser } from '../setup/operations.ts';
import { callTools } from './mcp-calls.ts';

/** A scenario, as the suite hands it to a client. */
export interface Scenario {
  serverUrl: string;
  scenario: string;
  /** The protocol revision to speak. */
  revision: string;
  context: { client_id?: string; client_secret?: string };
}

/** More than the gateway ever needs, so that a loop ends. The gateway itself limits how often scopes grow. */
const MAX_ROUNDS = 8;
const MAX_ATTEMPTS = 5;

/**
 * Runs a scenario through the gateway: an admin creates the server, a member connects in a browser, and a tool is called
 * with the member's token. When the server challenges, the gateway hears of it, and the member connects again if it says
 * so.
 *
 * @throws Error when the gateway refuses, or the server does
 */
export async function runScenario(gateway: TestGateway, scenario: Scenario): Promise<void> {
  const { serverUrl, revision } = scenario;
  const configId = await createServer(gateway, scenario);
  const member = await createMember(gateway, configId);
  const browser = await signInBrowser(gateway, member.token);
  const of = { userId: member.id, configId };
  const connect = async (): Promise<void> => {
    const url = `${TEST_PUBLIC_URL}${SERVERS}/${configId}/oauth2/connect`;
    const page = await browser.navigate(url, { from: TEST_PUBLIC_URL });
    if (page.status !== 200) throw new Error(`not connected: ${page.status} ${page.text}`);
  };

  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const found = await gateway.accessTokens.get(of);
    const isReady = found.state === 'ready';
    const answer = await callTools(serverUrl, revision, isReady ? found.accessToken.expose() : undefined);
    if (answer.outcome === 'done') return;
    const verdict = await gateway.requireScopes({ ...of, scopes: answer.scopes });
    if (isReady && answer.status === 403 && verdict === 'refused') {
      throw new Error('the server asks again for scopes that were requested before');
    }
    if (isReady && answer.status === 401) {
      const renewed = await gateway.accessTokens.get({ ...of, rejectedVersion: found.version });
      if (renewed.state === 'ready' && renewed.version !== found.version) continue;
    }
    await connect();
  }
  throw new Error('the server was never satisfied');
}

/** Creates the config; with the client that the scenario registered before, if any. */
async function createServer(gateway: TestGateway, { serverUrl, scenario, context }: Scenario): Promise<string> {
  const slug = `${scenario.replaceAll(/[^a-z0-9]+/g, '-')}-${new URL(serverUrl).port}`;
  const fields = { display_name: slug, slug, url: serverUrl, auth_type: 'oauth2', enabled: true };
  const given = context.client_id === undefined ? {} : await toGivenClient(gateway, serverUrl, context);
  for (let attempt = 1; ; attempt += 1) {
    const rest = createRestClient(gateway);
    const { status, body, text } = await rest.call('admin', 'POST', SERVERS, { ...fields, ...given });
    if (status === 201) return body.id;
    // The suite starts many processes at once, so its servers may answer late on a busy machine. An admin tries again.
    if (attempt === MAX_ATTEMPTS || !text.includes('did not answer in time')) throw new Error(`not defined: ${text}`);
  }
}

/** What an admin does who registered a client by hand: they look at the dry run, and enter the client. */
async function toGivenClient(gateway: TestGateway, url: string, context: Scenario['context']) {
  const query = 'query ($url: String!) { discoverMcpServerOAuth(url: $url) { issuer authorizationUrl tokenUrl } }';
  const { data } = await gateway.graphql(query, { token: gateway.tokens.admin, variables: { url } });
  const { issuer, authorizationUrl, tokenUrl } = data.discoverMcpServerOAuth;
  return {
    oauth2_client_id: context.client_id,
    oauth2_client_secret: context.client_secret,
    oauth2_issuer: issuer,
    oauth2_auth_url: authorizationUrl,
    oauth2_token_url: tokenUrl,
    oauth2_callback_mode: 'shared',
  };
}

async function createMember(gateway: TestGateway, name: string): Promise<{ id: string; token: string }> {
  const token = gateway.tokens.admin;
  const input = { email: `${name}@example.com`, role: 'MEMBER' as const };
  const { data } = await gateway.execute(CreateUser, { token, variables: { input } });
  const { id } = data.createUser;
  const own = await gateway.execute(CreateApiToken, { token, variables: { input: { userId: id, name: 'own' } } });
  return { id, token: own.data.createApiToken.token };
}
