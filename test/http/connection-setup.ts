import type { Database } from '../../src/data/database/database.ts';
import type { EntryLimits } from '../../src/domain/audit/entry-rates.ts';
import { startAuthorizationServer, type TestAuthorizationServer } from '../setup/authorization-server.ts';
import { createTestGateway, TEST_PUBLIC_URL, type TestGateway } from '../setup/gateway.ts';
import { type ProtectedMcpServer, startProtectedMcpServer } from '../setup/protected-mcp-server.ts';
import { createUserAgent, type UserAgent } from '../setup/user-agent.ts';
import { SERVERS } from './rest-client.ts';

/** A gateway with real peers: a certified authorization server, and a real MCP server that trusts it. */
export interface ConnectedWorld {
  gateway: TestGateway;
  as: TestAuthorizationServer;
  mcp: ProtectedMcpServer;
  /** Creates the server; its settings are discovered unless given. @returns its id */
  define(fields?: Record<string, unknown>): Promise<string>;
  /** A signed-in browser. */
  signIn(token: string): Promise<UserAgent>;
  close(): Promise<void>;
}

/** The environment that allows a gateway to reach a test's peers. */
export const LOOPBACK_ALLOWED = { GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8' };

let slugs = 0;

export async function openConnectedWorld(
  options: Parameters<typeof startAuthorizationServer>[0] & {
    scopes?: readonly string[];
    entryLimits?: EntryLimits;
    database?: Database;
  } = {},
): Promise<ConnectedWorld> {
  const { scopes, entryLimits, database, ...asOptions } = options;
  const as = await startAuthorizationServer(asOptions);
  const mcp = await startProtectedMcpServer({ authorizationServer: as, ...(scopes !== undefined && { scopes }) });
  const gateway = await createTestGateway({
    env: LOOPBACK_ALLOWED,
    ...(entryLimits !== undefined && { entryLimits }),
    ...(database !== undefined && { database }),
  });
  return {
    gateway,
    as,
    mcp,
    async define(fields = {}) {
      slugs += 1;
      const slug = `s${slugs}`;
      const response = await gateway.fetch(SERVERS, {
        method: 'POST',
        headers: { authorization: `Bearer ${gateway.tokens.admin}`, 'content-type': 'application/json' },
        body: JSON.stringify({ display_name: slug, slug, url: mcp.url, auth_type: 'oauth2', enabled: true, ...fields }),
      });
      const body = (await response.json()) as { id: string };
      if (response.status !== 201) throw new Error(`not defined: ${JSON.stringify(body)}`);
      return body.id;
    },
    signIn: (token) => signInBrowser(gateway, token),
    async close() {
      await gateway.close();
      await mcp.close();
      await as.close();
    },
  };
}

/** A browser whose requests to the gateway stay in memory, signed in with its session cookie. */
export async function signInBrowser(gateway: TestGateway, token: string): Promise<UserAgent> {
  const agent = createUserAgent({
    routes: {
      [TEST_PUBLIC_URL]: (request) => gateway.fetch(request.url, request),
    },
    now: () => gateway.clock.now,
  });
  const response = await agent.fetch(`${TEST_PUBLIC_URL}/auth/session`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  if (response.status !== 201) throw new Error(`no session: ${response.status}`);
  return agent;
}

/** Where a browser starts to connect. */
export function connectUrl(configId: string): string {
  return `${TEST_PUBLIC_URL}${SERVERS}/${configId}/oauth2/connect`;
}

/** Where the authorization server redirects it back to. */
export function callbackUrl(configId: string): string {
  return `${TEST_PUBLIC_URL}${SERVERS}/${configId}/oauth2/callback`;
}
