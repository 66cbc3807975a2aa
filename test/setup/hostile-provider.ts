import { createHash, randomBytes } from 'node:crypto';
import type { RequestListener, ServerResponse } from 'node:http';
import { expect } from 'vitest';
import { createPrisma } from '../../src/data/database/prisma.ts';
import { countUserTokens } from '../graphql/user-tokens.ts';
import { openSession } from '../http/browser-session.ts';
import { createRestClient, type RestClient, SERVERS } from '../http/rest-client.ts';
import { createTestGateway, type TestGateway } from './gateway.ts';
import { type HandmadeRequest, type HandmadeServer, startHandmadeServer } from './handmade-server.ts';
import { CreateApiToken, CreateUser } from './operations.ts';

/** Placed wherever a provider may put arbitrary text: it must never be shown or logged. */
export const CANARY = 'canary-of-the-provider';

/** The token endpoint's default answer. */
export const GIVEN = { accessToken: 'access-canary-7f3a', refreshToken: 'refresh-canary-91bd' } as const;

/** The gateway as a client with settings from an admin. */
export const CLIENT = { id: 'client-1', secret: 'client-secret-canary-55e0' } as const;

/** Where the provider answers. Its issuer has a path, so that path handling can go wrong. */
const PATHS = {
  mcp: '/mcp',
  resource: '/.well-known/oauth-protected-resource/mcp',
  metadata: '/.well-known/oauth-authorization-server/as',
  token: '/token',
  revocation: '/revoke',
  registration: '/register',
} as const;

/** One of its endpoints. */
export type Place = keyof typeof PATHS;

/** An authorization server and an MCP server that trusts it, on one loopback port: honest until a test changes them. */
export interface HostileProvider extends Pick<HandmadeServer, 'port' | 'close'> {
  origin: string;
  /** `<origin>/as` */
  issuer: string;
  /** URL of the MCP server. */
  serverUrl: string;
  /** Settings for a config by REST, without the issuer: nothing has to be discovered. */
  settings(fields?: Record<string, unknown>): Record<string, unknown>;
  /** Sets the answer of an endpoint to this text, or to the listener's. */
  answer(
    place: Place,
    answer: RequestListener | { status?: number; headers?: Record<string, string>; body: string },
  ): void;
  /** Honest documents with changes; undefined removes a field. */
  spoilMetadata(change: Record<string, unknown>): void;
  spoilResource(change: Record<string, unknown>): void;
  /** An honest token answer with changes. */
  spoilToken(change: Record<string, unknown>): void;
  /** Answers 401 at the MCP server with this `WWW-Authenticate`. */
  challenge(header: string): void;
  /** Holds the answer to the next token request; the tokens are issued by then. */
  holdToken(): { arrived: Promise<void>; release(): void };
  /** Requests to an endpoint since the last `reset`. */
  requestsTo(place: Place): HandmadeRequest[];
  /** The same as forms. */
  formsTo(place: Place): URLSearchParams[];
  /** All requests, e.g. `POST /token`. */
  log(): string[];
  /** Makes the provider honest again and forgets its requests. */
  reset(): void;
}

export async function startHostileProvider(): Promise<HostileProvider> {
  const server = await startHandmadeServer();
  const { url: origin, port } = server;
  const issuer = `${origin}/as`;
  const serverUrl = `${origin}${PATHS.mcp}`;
  const token = { access_token: GIVEN.accessToken, refresh_token: GIVEN.refreshToken, token_type: 'Bearer' };
  const resource = { resource: serverUrl, authorization_servers: [issuer], resource_name: CANARY };
  const metadata = {
    issuer,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}${PATHS.token}`,
    revocation_endpoint: `${origin}${PATHS.revocation}`,
    registration_endpoint: `${origin}${PATHS.registration}`,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    service_documentation: `https://${CANARY}.example.com/`,
  };
  const registration = { client_id: 'registered-1', client_secret: CLIENT.secret, client_secret_expires_at: 0 };
  const onJson = (place: Place, body: object, status = 200) => server.onJson(PATHS[place], body, status);
  const requestsTo = (place: Place) => server.requests.filter(({ path }) => path === PATHS[place]);

  const provider: HostileProvider = {
    origin,
    port,
    issuer,
    serverUrl,
    settings: (fields = {}) => ({
      url: serverUrl,
      auth_type: 'oauth2',
      enabled: true,
      oauth2_client_id: CLIENT.id,
      oauth2_client_secret: CLIENT.secret,
      oauth2_auth_url: metadata.authorization_endpoint,
      oauth2_token_url: metadata.token_endpoint,
      oauth2_revocation_url: metadata.revocation_endpoint,
      ...fields,
    }),
    answer(place, answer) {
      if (typeof answer === 'function') server.on(PATHS[place], answer);
      else server.onText(PATHS[place], answer.body, answer.status, answer.headers);
    },
    spoilMetadata: (change) => onJson('metadata', { ...metadata, ...change }),
    spoilResource: (change) => onJson('resource', { ...resource, ...change }),
    spoilToken: (change) => onJson('token', { ...token, ...change }),
    challenge(header) {
      // Node reads a header byte by byte.
      const bytes = Buffer.from(header).toString('latin1');
      server.on(PATHS.mcp, (_request, response) => response.writeHead(401, { 'www-authenticate': bytes }).end(CANARY));
    },
    holdToken() {
      let held: ServerResponse | undefined;
      const arrived = new Promise<void>((resolve) => {
        server.on(PATHS.token, (_request, response) => {
          held = response;
          resolve();
        });
      });
      const headers = { 'content-type': 'application/json' };
      return { arrived, release: () => void held?.writeHead(200, headers).end(JSON.stringify(token)) };
    },
    requestsTo,
    formsTo: (place) => requestsTo(place).map(({ body }) => new URLSearchParams(body)),
    log: () => [...server.log],
    reset() {
      server.requests.length = 0;
      provider.challenge(`Bearer error_description="${CANARY}"`);
      provider.spoilResource({});
      provider.spoilMetadata({});
      provider.spoilToken({});
      onJson('revocation', {});
      onJson('registration', registration, 201);
    },
    close: server.close,
  };
  provider.reset();
  return provider;
}

/** A connection that a browser started, in parts, so that a test can reassemble it wrongly. */
export interface BegunConnection {
  configId: string;
  state: string;
  /** The address that the browser was redirected to. */
  authorizationUrl: URL;
  /** The cookie as in the answer. */
  setCookie: string;
  /** `name=value`, as the browser sends it back. */
  cookie: string;
  /** What an honest provider would send, with a code of its own. */
  answer: Record<string, string>;
  /** The parts of it that must not be shown to anybody. */
  secrets: string[];
  /** Length of the log at that time. */
  logLength: number;
}

/** How an answer is brought: like an honest browser except for the cookies, unless a test says otherwise. */
export interface Bringing {
  cookies: readonly string[];
  answer?: Record<string, string> | URLSearchParams;
  /** The callback of another config. */
  configId?: string;
  method?: string;
  headers?: Record<string, string>;
}

/** The result of an answer. */
export interface ConnectionAnswer {
  status: number;
  headers: Headers;
  text: string;
}

/** A gateway that may reach the provider and nothing else that is private. */
export interface HostileWorld {
  provider: HostileProvider;
  gateway: TestGateway;
  rest: RestClient;
  /** Creates a server, by REST and with given settings unless the fields say otherwise. @returns its id */
  define(fields?: Record<string, unknown>): Promise<string>;
  change(configId: string, fields: Record<string, unknown>): Promise<void>;
  remove(configId: string): Promise<void>;
  /** Creates a separate member, whom a test may suspend or delete. */
  enlist(): Promise<{ id: string; session: string }>;
  setStatus(userId: string, status: 'ACTIVE' | 'SUSPENDED'): Promise<void>;
  removeUser(userId: string): Promise<void>;
  /** Starts to connect. @param session the `Cookie` header of a signed-in browser */
  begin(configId: string, session: string): Promise<BegunConnection>;
  /** Brings an answer of the provider to the gateway, as a redirected browser would. */
  bring(begun: BegunConnection, how: Bringing): Promise<ConnectionAnswer>;
  /** Whether the flow can still be used. */
  isKept(begun: BegunConnection): Promise<boolean>;
  /** Expects no secret in the answer and the log, nor other hidden text. */
  expectNoTrace(begun: BegunConnection, answer: ConnectionAnswer, hidden?: readonly string[]): void;
  /** Expects no effect: in addition, no token was requested, and none is stored. */
  expectNothing(begun: BegunConnection, answer: ConnectionAnswer, hidden?: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

let names = 0;

/**
 * @param env in addition to what allows the provider's host and port
 * @param ports of other servers on loopback that the gateway may call
 */
export async function openHostileWorld(env: Record<string, string> = {}, ports: number[] = []): Promise<HostileWorld> {
  const provider = await startHostileProvider();
  const gateway = await createTestGateway({
    env: {
      GATEHOUSE_ALLOWED_PRIVATE_CIDRS: [provider.port, ...ports].map((port) => `127.0.0.1:${port}`).join(', '),
      ...env,
    },
  });
  const prisma = createPrisma(gateway.database, gateway.keyring);
  const rest = createRestClient(gateway);
  const nextName = () => {
    names += 1;
    return `hostile-${names}`;
  };
  const findFlow = (state: string) =>
    prisma.mcpOAuthFlow.findUnique({ where: { stateHash: createHash('sha256').update(state).digest('hex') } });
  const mutate = async (mutation: string): Promise<void> => {
    const { errors } = await gateway.graphql(`mutation { ${mutation} }`, { token: gateway.tokens.admin });
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
  };

  const world: HostileWorld = {
    provider,
    gateway,
    rest,
    async define(fields) {
      const slug = nextName();
      return (await rest.define({ display_name: slug, slug, ...provider.settings(fields) })).id;
    },
    async change(configId, fields) {
      const { status, text } = await rest.call('admin', 'PATCH', `${SERVERS}/${configId}`, fields);
      if (status !== 200) throw new Error(`not changed: ${status} ${text}`);
    },
    remove: (configId) => mutate(`deleteMcpServerConfig(id: "${configId}") { deletedId }`),
    async enlist() {
      const token = gateway.tokens.admin;
      const input = { email: `${nextName()}@example.com`, role: 'MEMBER' as const };
      const { data } = await gateway.execute(CreateUser, { token, variables: { input } });
      const { id } = data.createUser;
      const own = await gateway.execute(CreateApiToken, { token, variables: { input: { userId: id, name: 'own' } } });
      return { id, session: await openSession(gateway, own.data.createApiToken.token) };
    },
    setStatus: (userId, status) => mutate(`updateUser(id: "${userId}", patch: { status: ${status} }) { id }`),
    removeUser: (userId) => mutate(`deleteUser(id: "${userId}") { deletedId }`),
    async begin(configId, session) {
      const logLength = gateway.logs().length;
      const response = await gateway.fetch(`${SERVERS}/${configId}/oauth2/connect`, {
        headers: { cookie: session, 'sec-fetch-site': 'same-origin' },
      });
      if (response.status !== 307) throw new Error(`not begun: ${response.status} ${await response.text()}`);
      const authorizationUrl = new URL(response.headers.get('location') ?? '');
      const state = authorizationUrl.searchParams.get('state') ?? '';
      const [setCookie = ''] = response.headers.getSetCookie();
      const [cookie = ''] = setCookie.split(';');
      const code = `code-canary-${randomBytes(8).toString('hex')}`;
      const flow = await findFlow(state);
      const verifier = flow?.codeVerifier.openFor(flow.tokenUrl).expose() ?? '';
      const secrets = [state, cookie.split('=')[1] ?? '', code, verifier, ...Object.values(GIVEN), CLIENT.secret];
      if (secrets.some((secret) => secret.length < 12)) throw new Error('a secret is missing');
      return { configId, state, authorizationUrl, setCookie, cookie, answer: { code, state }, secrets, logLength };
    },
    async bring(begun, { cookies, answer = begun.answer, configId = begun.configId, method = 'GET', headers = {} }) {
      const query = new URLSearchParams(answer);
      const response = await gateway.fetch(`${SERVERS}/${configId}/oauth2/callback?${query}`, {
        method,
        headers: { accept: 'text/html', cookie: cookies.join('; '), ...headers },
      });
      return { status: response.status, headers: response.headers, text: await response.text() };
    },
    isKept: async ({ state }) => (await findFlow(state)) !== null,
    expectNoTrace({ secrets, logLength }, { headers, text }, hidden = []) {
      const shown = `${JSON.stringify([...headers])}\n${text}`;
      const logged = gateway.logs().slice(logLength);
      expect([...secrets, ...hidden].filter((secret) => shown.includes(secret))).toEqual([]);
      expect([...secrets, CANARY].filter((secret) => logged.includes(secret))).toEqual([]);
    },
    async expectNothing(begun, answer, hidden) {
      world.expectNoTrace(begun, answer, hidden);
      expect(provider.log().filter((line) => line.startsWith('POST'))).toEqual([]);
      expect(await countUserTokens(gateway, begun.configId)).toBe(0);
    },
    async close() {
      await prisma.$disconnect();
      await gateway.close();
      await provider.close();
    },
  };
  return world;
}
