import type { Tool } from '@modelcontextprotocol/server';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { startAuthorizationServer } from '../setup/authorization-server.ts';
import { launchBrowser, startVisit, type Visit } from '../setup/browser.ts';
import { findFreePort } from '../setup/free-port.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { ECHO, type SmallMcpServer, startModernServer, WHO } from '../setup/mcp-servers.ts';
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
  /** Opens a browser profile. Close its context. */
  visit(): Promise<Visit>;
  /** The same, in which a user is signed in. */
  signIn(token: string): Promise<Visit>;
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
    const gateway = await createTestGateway({ env: { ...LOOPBACK_ALLOWED, GATEHOUSE_PUBLIC_URL: origin } });
    closers.push(() => gateway.close());
    const app = await openApp(gateway, options, closers);
    const server: RunningServer = await listen(app, { host: '127.0.0.1', port });
    closers.push(() => server.close(0));
    const browser: Browser = await launchBrowser(['127.0.0.1']);
    closers.push(() => browser.close());
    const rest = createRestClient(gateway);
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
      visit: () => startVisit(browser, origin),
      async signIn(token) {
        const visit = await startVisit(browser, origin);
        const [name = '', value = ''] = (await openSession(gateway, token)).split('=');
        await visit.context.addCookies([{ name, value, url: origin, httpOnly: true, sameSite: 'Lax' }]);
        return visit;
      },
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
    const all = visits.splice(0);
    for (const { context } of all) await context.close();
    expect(all.flatMap(({ problems }) => problems)).toEqual([]);
  });
  afterAll(() => world?.close());
  /** Opens a profile in which the user is signed in, or nobody. */
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

/** Presses a key until the element with this name has the focus, as who has no mouse does. */
export async function tabTo(page: Page, name: string, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  const target = page.getByRole('button', { name, exact: true }).or(page.getByRole('link', { name, exact: true }));
  const all = target.or(page.getByLabel(name, { exact: true }));
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press(key);
    if (await hasFocus(all)) return;
  }
  throw new Error(`The keyboard does not reach: ${name}`);
}

/** Whether what is typed goes there, or to one of them. */
export async function hasFocus(elements: Locator): Promise<boolean> {
  return (await elements.and(elements.page().locator(':focus')).count()) > 0;
}
