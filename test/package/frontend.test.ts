import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { launchBrowser, skipsBrowser, startVisit } from '../setup/browser.ts';
import { findFreePort } from '../setup/free-port.ts';
import { makePlace, type Place } from '../setup/place.ts';
import { runProgram } from './npm.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const nodeFolder = path.dirname(process.execPath);

async function run(cwd: string, env: Record<string, string>, ...command: string[]): Promise<void> {
  const { code, output } = await runProgram('env', [...toSettings(env), ...command], { cwd, nodeFolder });
  expect(code, output).toBe(0);
}

const toSettings = (env: Record<string, string>): string[] =>
  Object.entries(env).map(([name, value]) => `${name}=${value}`);

describe.skipIf(skipsBrowser)('the frontend in examples/', () => {
  let folder: string;
  let browser: Browser;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-'));
    browser = await launchBrowser();
    await run(ROOT, {}, 'npm', 'run', '--silent', 'build');
    await run(path.join(ROOT, 'packages/client'), {}, 'npm', 'pack', '--pack-destination', folder);
    const app = path.join(folder, 'app');
    const filter = (source: string) => !/node_modules|generated|dist/.test(path.relative(ROOT, source));
    await cp(path.join(ROOT, 'examples/frontend'), app, { recursive: true, filter });
    const packageJson = JSON.parse(await readFile(path.join(app, 'package.json'), 'utf8'));
    const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
    packageJson.devDependencies['mcp-gatehouse-client'] = `file:../${tarball}`;
    await writeFile(path.join(app, 'package.json'), JSON.stringify(packageJson));
    await run(app, {}, 'npm', 'install', '--ignore-scripts', '--no-audit', '--no-fund');
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Builds the page for a gateway, and serves it. @returns its origin */
  async function serveFrontend(place: Place, port: number): Promise<string> {
    const app = path.join(folder, 'app');
    const server = place.startProcess(
      process.execPath,
      path.join(app, 'node_modules/vite/bin/vite.js'),
      ...['preview', app, '--host', '127.0.0.1', '--port', String(port), '--strictPort'],
    );
    await server.waitFor('127.0.0.1');
    return `http://localhost:${port}`;
  }

  async function visit(origin: string) {
    const started = await startVisit(browser, origin);
    onTestFinished(() => started.context.close());
    await started.page.goto(origin);
    return started;
  }

  test('signs in by cookie from an allowed origin, follows changes and writes; another origin gets nothing', async () => {
    const port = await findFreePort();
    const place = await makePlace({ isNew: true, env: { GATEHOUSE_CORS_ORIGINS: `http://localhost:${port}` } });
    await place.serve();
    await run(
      path.join(folder, 'app'),
      { VITE_GATEHOUSE_URL: `http://localhost:${place.port}` },
      'npm',
      'run',
      'build',
    );
    const origin = await serveFrontend(place, port);
    const define = async (name: string): Promise<string> => {
      const input = `{ displayName: "${name}", slug: "${name}", url: "https://mcp.example.com/mcp", availability: DEFAULT_ON, enabled: true }`;
      return (await place.ask(`mutation { createMcpServerConfig(input: ${input}) { id } }`)).createMcpServerConfig.id;
    };
    const id = await define('first');
    const { createUser } = await place.ask('mutation { createUser(input: { email: "ada@example.com" }) { id } }');
    const { createApiToken } = await place.ask(
      `mutation { createApiToken(input: { userId: "${createUser.id}", name: "browser" }) { token } }`,
    );

    const { page, context } = await visit(origin);
    await page.getByLabel('API token').fill(createApiToken.token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Signed in as ada@example.com.').waitFor();
    const servers = page.getByRole('list', { name: 'Servers' });
    await servers.getByText('first: ready.').waitFor();
    await define('second');
    await servers.getByText('second: ready.').waitFor();
    await page.getByLabel('Title of a new chat').fill('Notes');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByText('“Notes” uses: first, second').waitFor();
    await place.ask(`mutation { updateMcpServerConfig(id: "${id}", patch: { enabled: false }) { id } }`);
    await servers.getByText('first: ready.').waitFor({ state: 'detached' });

    // The session is a cookie that the page cannot read.
    const cookies = await context.cookies(`http://localhost:${place.port}`);
    expect(cookies.map(({ httpOnly }) => httpOnly)).toEqual([true]);
    expect(await page.evaluate('document.cookie')).toBe('');

    // The same page from another origin: the browser has the cookie, and the gateway does not let it be used.
    const elsewhere = await serveFrontend(place, await findFreePort());
    const other = await context.newPage();
    await other.goto(elsewhere);
    await other.getByRole('alert').getByText('Failed to fetch').waitFor();

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API token').waitFor();
    expect(await context.cookies(`http://localhost:${place.port}`)).toEqual([]);
  });
});
