import { setTimeout as delay } from 'node:timers/promises';
import { signInBrowser } from '../http/connection-setup.ts';
import { createRestClient, SERVERS } from '../http/rest-client.ts';
import { TEST_PUBLIC_URL, type TestGateway } from '../setup/gateway.ts';
import { CreateApiToken, CreateUser } from '../setup/operations.ts';

/** A scenario, as the suite hands it to a client. */
export interface Scenario {
  serverUrl: string;
  scenario: string;
  /** The protocol revision to speak. */
  revision: string;
  context: {
    client_id?: string;
    client_secret?: string;
    toolCalls?: { name: string; arguments: Record<string, unknown> }[];
  };
}

/** More than the gateway ever needs, so that a loop ends. The gateway itself limits how often scopes grow. */
const MAX_ROUNDS = 8;
const MAX_ATTEMPTS = 5;
const LOOK_MS = 50;
const MAX_LOOKS = 1_200;

/** What a call says when the user has to connect. */
const CONNECT_CODES: ReadonlySet<string | null> = new Set(['NEEDS_CONNECT', 'RECONNECT']);

/**
 * Runs a scenario through the public door of a gateway: an admin creates the server, a member connects in a browser if the
 * server wants that, and calls its tools with `callMcpTool`. When the gateway says that the member has to connect again, they do.
 *
 * @throws Error when the gateway refuses, or the server does
 */
export async function runScenario(gateway: TestGateway, scenario: Scenario): Promise<void> {
  return scenario.scenario.startsWith('auth/') ? connectAndCall(gateway, scenario) : listAndCall(gateway, scenario);
}

/** Without credentials: lists the tools, and calls those that the scenario names, or each of them. */
async function listAndCall(gateway: TestGateway, scenario: Scenario): Promise<void> {
  const configId = await createServer(gateway, scenario, { auth_type: 'none' });
  const member = await createMember(gateway, configId);
  const refresh = `mutation { refreshMcpServerTools(input: { id: "${configId}" }) { problem } }`;
  const { data } = await gateway.graphql(refresh, { token: gateway.tokens.admin });
  const { problem } = data.refreshMcpServerTools;
  if (problem !== null) throw new Error(`not listed: ${problem}`);
  const { tools } = await readServer(gateway, configId, member.token);
  const calls =
    scenario.context.toolCalls ?? tools.map(({ name, inputSchema }) => ({ name, arguments: toArguments(inputSchema) }));
  for (const call of calls) {
    const code = await callTool(gateway, member.token, { configId, ...call });
    if (code !== null) throw new Error(`${call.name} was not called: ${code}`);
  }
  // The suite waits for the connections to its server, and the gateway keeps one for its next call.
  const patch = `mutation { updateMcpServerConfig(input: { id: "${configId}", enabled: false }) { mcpServerConfig { id } } }`;
  const { errors } = await gateway.graphql(patch, { token: gateway.tokens.admin });
  if (errors !== undefined) throw new Error(`not switched off: ${JSON.stringify(errors)}`);
}

async function connectAndCall(gateway: TestGateway, scenario: Scenario): Promise<void> {
  const configId = await createServer(gateway, scenario, { auth_type: 'oauth2' });
  const member = await createMember(gateway, configId);
  const browser = await signInBrowser(gateway, member.token);
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const url = `${TEST_PUBLIC_URL}${SERVERS}/${configId}/oauth2/connect`;
    const page = await browser.navigate(url, { from: TEST_PUBLIC_URL });
    if (page.status !== 200) throw new Error(`not connected: ${page.status} ${page.text}`);
    const name = await waitForTool(gateway, configId, member.token);
    if (name === undefined) continue;
    const code = await callTool(gateway, member.token, { configId, name, arguments: {} });
    if (code === null) return;
    if (!CONNECT_CODES.has(code)) throw new Error(`${name} was not called: ${code}`);
  }
  throw new Error('the server was never satisfied');
}

/** Waits until the gateway has listed the tools for the member. @returns undefined if they have to connect again */
async function waitForTool(gateway: TestGateway, configId: string, token: string): Promise<string | undefined> {
  for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
    const { viewerState, viewerStateReason, tools } = await readServer(gateway, configId, token);
    // A reason while it is ready: the server wants more scopes.
    if (viewerState !== 'READY' || viewerStateReason !== null) return undefined;
    const [tool] = tools;
    if (tool !== undefined) return tool.name;
    const { problem } = (await readServer(gateway, configId, gateway.tokens.admin)).reachability;
    if (problem !== null) throw new Error(`not listed: ${problem}`);
    await delay(LOOK_MS);
  }
  throw new Error('the tools were never listed');
}

/** What a caller sees of a server. */
interface ServerSeen {
  viewerState: string;
  viewerStateReason: string | null;
  reachability: { problem: string | null };
  tools: { name: string; inputSchema: unknown }[];
}

async function readServer(gateway: TestGateway, configId: string, token: string): Promise<ServerSeen> {
  const query = `{ mcpServerConfig(by: { id: "${configId}" }) {
    viewerState viewerStateReason reachability { problem } tools(first: 100) { nodes { name inputSchema } } } }`;
  const { tools, ...server } = (await gateway.graphql(query, { token })).data.mcpServerConfig;
  return { ...server, tools: tools.nodes };
}

/** @returns why there is no result; null if there is one */
async function callTool(
  gateway: TestGateway,
  token: string,
  { configId, name, arguments: args }: { configId: string; name: string; arguments: Record<string, unknown> },
): Promise<string | null> {
  const mutation = 'mutation ($input: CallMcpToolInput!) { callMcpTool(input: $input) { result { code } } }';
  const variables = { input: { configId, tool: name, arguments: args } };
  const { data, errors } = await gateway.graphql(mutation, { token, variables });
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data.callMcpTool.result.code;
}

/** A value for each argument, by its type. */
function toArguments(schema: unknown): Record<string, unknown> {
  const { properties = {} } = (schema ?? {}) as { properties?: Record<string, { type?: string }> };
  return Object.fromEntries(Object.entries(properties).map(([name, { type }]) => [name, VALUES[type ?? ''] ?? 'text']));
}

const VALUES: Readonly<Record<string, unknown>> = { number: 2, integer: 2, boolean: true, object: {}, array: [] };

/** Creates the config; with the client that the scenario registered before, if any. */
async function createServer(
  gateway: TestGateway,
  { serverUrl, scenario, context }: Scenario,
  auth: { auth_type: string },
): Promise<string> {
  const slug = `${scenario.replaceAll(/[^a-z0-9]+/g, '-')}-${new URL(serverUrl).port}`;
  const fields = { display_name: slug, slug, url: serverUrl, enabled: true, ...auth };
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
