import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { App } from '../../src/http/app.ts';
import { listen, type RunningServer } from '../../src/http/node-server.ts';
import { createId } from '../graphql/config-operations.ts';
import { refresh } from '../http/door-world.ts';
import { findFreePort } from '../setup/free-port.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { NOT_A_DOORS, NOT_WITH_PREFIX } from './not-a-doors.ts';
import { startToolServer } from './tool-server.ts';

// The official suite for MCP servers (@modelcontextprotocol/conformance), against the door of one server and that of all of them. It knows no tokens, so what is in front of the gateway adds one, and nothing else.

const require = createRequire(import.meta.url);
const SUITE = path.dirname(require.resolve('@modelcontextprotocol/conformance/package.json'));
const HERE = fileURLToPath(new URL('.', import.meta.url));

let gateway: TestGateway;
let running: RunningServer;
let tools: Awaited<ReturnType<typeof startToolServer>>;
let folder: string;
let url: string;

beforeAll(async () => {
  tools = await startToolServer();
  const port = await findFreePort();
  url = `http://127.0.0.1:${port}`;
  gateway = await createTestGateway({
    env: { GATEHOUSE_PUBLIC_URL: url, GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8' },
  });
  await refresh(
    gateway,
    await createId(gateway, {
      slug: 'tools',
      url: tools.url,
      enabled: true,
      availability: 'FORCE_ON',
      exposeResources: true,
      exposePrompts: true,
    }),
  );
  const withToken: App['fetch'] = (request, env) => {
    const headers = new Headers(request.headers);
    headers.set('authorization', `Bearer ${gateway.tokens.member}`);
    const { method, signal } = request;
    return gateway.app.fetch(new Request(request.url, { method, headers, signal }), env);
  };
  running = await listen({ fetch: withToken } as App, { host: '127.0.0.1', port });
  folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-conformance-'));
});
afterAll(async () => {
  await running?.close(0);
  await gateway?.close();
  tools?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

/** Runs the suite at a door. @returns its summary: a line for each scenario */
async function runSuite(door: string, revision: string): Promise<string> {
  const child = spawn(
    process.execPath,
    [
      ...['--import', path.join(HERE, 'node-20.js'), path.join(SUITE, 'dist/index.js')],
      ...['server', '--url', `${url}${door}`, '--requirements', revision, '--output-dir', folder],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
    });
  }
  try {
    await once(child, 'close');
  } finally {
    child.kill();
  }
  return said;
}

const DOORS = {
  // Tools without the prefix are what the suite calls.
  '/mcp/servers/tools': NOT_A_DOORS,
  '/mcp': { ...NOT_A_DOORS, ...NOT_WITH_PREFIX },
} as const satisfies Record<string, Readonly<Record<string, string>>>;

test.each([
  ['/mcp/servers/tools', '2025-11-25', 30],
  ['/mcp/servers/tools', '2026-07-28', 37],
  ['/mcp', '2025-11-25', 30],
  ['/mcp', '2026-07-28', 37],
] as const)(
  'the door %s passes the scenarios of revision %s that a door can',
  async (door, revision, count) => {
    const reasons: Readonly<Record<string, string>> = DOORS[door];
    const said = await runSuite(door, revision);
    const { server } = parse(await readFile(path.join(SUITE, 'requirements', `${revision}.yaml`), 'utf8'));
    // The suite also runs scenarios of extensions, which no revision requires.
    const results = [...said.matchAll(/^([✓✗]) ([\w-]+): (.*)$/gm)]
      .map(([, mark, scenario = '', details = '']) => ({ scenario, isPassed: mark === '✓', details }))
      .filter(({ scenario }) => server.includes(scenario));
    console.log(`Server conformance at ${door}, revision ${revision}`);
    for (const { scenario, isPassed, details } of results) {
      const reason = reasons[scenario];
      console.log(
        `  ${isPassed ? 'passed' : 'failed'}  ${scenario}  (${details})${reason === undefined ? '' : `\n          ${reason}`}`,
      );
    }
    expect(results, said).toHaveLength(count);
    const failed = results.filter(({ isPassed }) => !isPassed).map(({ scenario }) => scenario);
    const expected = results.map(({ scenario }) => scenario).filter((scenario) => scenario in reasons);
    expect(failed, 'scenarios that fail, against those that are expected to').toEqual(expected);
  },
  600_000,
);
