import type { Tool } from '@modelcontextprotocol/server';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { startAuthorizationServer } from '../setup/authorization-server.ts';
import { startVisit, useBrowser, type Visit } from '../setup/browser.ts';
import { findFreePort } from '../setup/free-port.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { ECHO, type SmallMcpServer, startModernServer, WHO } from '../setup/mcp-servers.ts';
import { createProfiles } from '../setup/profiles.ts';
import { startProtectedMcpServer } from '../setup/protected-mcp-server.ts';
import { createReplica } from '../setup/replica.ts';
import { startTcpProxy, type TcpProxy } from '../setup/tcp-proxy.ts';
import { openSession } from './browser-session.ts';
import { LOOPBACK_ALLOWED } from './connection-setup.ts';
import { createRestClient } from './rest-client.ts';

/** A gateway that listens, a browser beside it, and servers to define. */
export interface ConsoleWorld {
  gateway: TestGateway;
  origin: string;
  /** An MCP server that anybody may use. */
  open: SmallMcpServer;
  /** Its tools: first `echo` and `who`. */
  tools: Tool[];
  /** URL of an MCP server where each user signs in. */
  protectedUrl: string;
  /** Defines an enabled server. @param fields as in REST */
  define(fields: { slug: string; display_name: string; [name: string]: unknown }): Promise<string>;
  /** Changes a server as an admin does. @param fields as in REST */
  change(id: string, fields: Record<string, unknown>): Promise<void>;
  /** What all browsers reach the gateway through. */
  proxy: TcpProxy;
  /** Opens a browser profile, which may have the gateway's files in its cache. */
  visit(): Promise<Visit>;
  /** The same, in which a user is signed in. */
  signIn(token: string): Promise<Visit>;
  /** The same, in a new profile. Close its context. */
  signInAnew(token: string): Promise<Visit>;
  /** Ends all visits. */
  endVisits(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a world. Close it.
 *
 * @param options.trustedOnly whether browsers reach a gateway that takes only trusted documents
 * @param options.knowsConsole whether it knows the documents of the console. Default: as every gateway does
 */
export async function openConsoleWorld(
  options: { trustedOnly?: boolean; knowsConsole?: boolean } = {},
): Promise<ConsoleWorld> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const each of closers.reverse()) await each();
  };
  try {
    const as = await startAuthorizationServer();
    closers.push(() => as.close());
    const mcp = await startProtectedMcpServer({ authorizationServer: as });
    closers.push(() => mcp.close());
    const tools = [ECHO, WHO];
    const open = await startModernServer({ listTools: () => tools });
    closers.push(() => open.close());
    const port = await findFreePort();
    const proxy = await startTcpProxy(port);
    closers.push(() => proxy.close());
    const origin = `http://localhost:${proxy.port}`;
    const gateway = await createTestGateway({
      env: { ...LOOPBACK_ALLOWED, GATEHOUSE_PUBLIC_URL: origin },
      // A page of a session that has ended learns it after so long.
      streamLimits: { renewMs: 250 },
    });
    closers.push(() => gateway.close());
    const app = await openApp(gateway, options, closers);
    const server: RunningServer = await listen(app, { host: '127.0.0.1', port });
    closers.push(() => server.close(0));
    const browser = await useBrowser();
    const profiles = createProfiles(browser, origin);
    closers.push(() => profiles.close());
    const rest = createRestClient(gateway);
    const addSession = async (visit: Visit, token: string): Promise<Visit> => {
      const [name = '', value = ''] = (await openSession(gateway, token)).split('=');
      await visit.context.addCookies([{ name, value, url: origin, httpOnly: true, sameSite: 'Lax' }]);
      return visit;
    };
    return {
      gateway,
      origin,
      proxy,
      open,
      tools,
      protectedUrl: mcp.url,
      async define(fields) {
        const defined = { enabled: true, url: fields['auth_type'] === 'oauth2' ? mcp.url : open.url, ...fields };
        return String((await rest.define(defined)).id);
      },
      async change(id, fields) {
        expect((await rest.call('admin', 'PATCH', `/api/experimental/mcp/servers/${id}`, fields)).status).toBe(200);
      },
      visit: () => profiles.open(),
      signIn: async (token) => addSession(await profiles.open(), token),
      signInAnew: async (token) => addSession(await startVisit(browser, origin), token),
      endVisits: () => profiles.end(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The app that browsers reach: the gateway's own, or that of a replica that differs. */
async function openApp(
  gateway: TestGateway,
  { trustedOnly = false, knowsConsole = true }: { trustedOnly?: boolean; knowsConsole?: boolean },
  closers: (() => Promise<unknown>)[],
): Promise<TestGateway['app']> {
  if (!trustedOnly && knowsConsole) return gateway.app;
  const replica = await createReplica(gateway, gateway.database, {
    config: { trustedDocumentsOnly: trustedOnly },
    ...(!knowsConsole && { trustedDocuments: { isOnly: false, byHash: new Map(), bytes: 0 } }),
  });
  closers.push(() => replica.close());
  return replica.gateway.app;
}

/**
 * Opens a world for the tests of a file, and closes it after them. A problem in a browser fails the test during which it
 * happened; one that is meant is taken from `problems`.
 */
export function useConsoleWorld(onOpen: (world: ConsoleWorld) => void) {
  let world: ConsoleWorld;
  const visits: Visit[] = [];
  beforeAll(async () => {
    world = await openConsoleWorld();
    onOpen(world);
  });
  afterEach(async () => {
    await world.endVisits();
    const all = visits.splice(0);
    expect(all.flatMap(({ problems }) => problems)).toEqual([]);
  });
  afterAll(() => world?.close());
  /** Opens a page, and the user is signed in, or nobody. */
  const start = async (role?: keyof TestGateway['tokens']): Promise<Visit> => {
    const visit = await (role === undefined ? world.visit() : world.signIn(world.gateway.tokens[role]));
    visits.push(visit);
    return visit;
  };
  /** The same, at a page of the console. */
  const enter = async (path: string, role: keyof TestGateway['tokens']): Promise<Visit> => {
    const visit = await start(role);
    await visit.page.goto(`${world.origin}${path}`);
    return visit;
  };
  return { start, enter };
}
