import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { EXPECTED_FAILURES } from './expected-failures.ts';
import { runScenario, type Scenario } from './gateway-client.ts';

// The official suite for clients (@modelcontextprotocol/conformance): all scenarios that each revision requires. It starts an MCP
// server, and with OAuth an authorization server, for each scenario and checks what they receive. The client is a gateway,
// through its public door: definitions of servers, the connection in a browser, and `callMcpTool`.

/** The revisions, with the number of scenarios that the suite has for each. */
const REVISIONS = [
  ['2025-11-25', 18],
  ['2026-07-28', 32],
] as const;

const require = createRequire(import.meta.url);
const SUITE = path.dirname(require.resolve('@modelcontextprotocol/conformance/package.json'));
const HERE = fileURLToPath(new URL('.', import.meta.url));

let gateway: TestGateway;
let door: Server;
let folder: string;
/** The scenarios that count. The suite also runs others of a revision, which end at once. */
let required: readonly string[] = [];

/**
 * Runs one after the other. The suite starts all scenarios at once, and its servers share one process: beside each other
 * they answer so late on a busy machine that the gateway's limits on time are reached.
 */
let last: Promise<unknown> = Promise.resolve();
function inTurn(work: () => Promise<void>): Promise<void> {
  const turn = last.then(work);
  last = turn.catch(() => undefined);
  return turn;
}

beforeAll(async () => {
  gateway = await createTestGateway({
    env: { GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8,::1/128' },
    listsInBackground: true,
  });
  folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-conformance-'));
  door = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    try {
      const scenario = JSON.parse(body) as Scenario;
      if (required.includes(scenario.scenario)) await inTurn(() => runScenario(gateway, scenario));
      response.writeHead(200).end('done');
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');
});
afterAll(async () => {
  door?.closeAllConnections();
  door?.close();
  await gateway?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

/** Runs the suite. @returns its summary: a line for each scenario */
async function runSuite(revision: string): Promise<string> {
  const { port } = door.address() as AddressInfo;
  const client = `${process.execPath} ${path.join(HERE, 'forward.js')} http://127.0.0.1:${port}/`;
  const child = spawn(
    process.execPath,
    [
      ...['--import', path.join(HERE, 'node-20.js'), path.join(SUITE, 'dist/index.js')],
      ...['client', '--requirements', revision, '--command', client],
      ...['--timeout', '540000', '--output-dir', folder, '--verbose'],
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

interface Result {
  scenario: string;
  result: 'passed' | 'failed';
  /** In the suite's words. */
  details: string;
}

function readSummary(said: string): Result[] {
  return [...said.matchAll(/^([✓✗]) ([\w/-]+): (.*(?:\n {4}- .*)*)$/gm)].map(
    ([, mark, scenario = '', details = '']) => ({ scenario, result: mark === '✓' ? 'passed' : 'failed', details }),
  );
}

test.each(REVISIONS)(
  'the gateway passes the scenarios of revision %s',
  async (revision, count) => {
    const { client } = parse(await readFile(path.join(SUITE, 'requirements', `${revision}.yaml`), 'utf8'));
    required = client;
    const said = await runSuite(revision);
    const results = readSummary(said).filter(({ scenario }) => required.includes(scenario));
    console.log(`Client conformance, revision ${revision}`);
    for (const { scenario, result, details } of results) {
      const reason = EXPECTED_FAILURES[scenario];
      console.log(
        `  ${result.padEnd(6)}  ${scenario}  (${details})${reason === undefined ? '' : `\n          expected to fail: ${reason}`}`,
      );
    }
    expect(required).toHaveLength(count);
    expect(results.map(({ scenario }) => scenario).sort(), said).toEqual([...required].sort());
    const failed = results.filter(({ result }) => result === 'failed').map(({ scenario }) => scenario);
    expect(failed, 'scenarios that fail, against those that are expected to').toEqual(
      results.map(({ scenario }) => scenario).filter((scenario) => scenario in EXPECTED_FAILURES),
    );
  },
  600_000,
);

test('each expected failure has a reason', () => {
  for (const [scenario, reason] of Object.entries(EXPECTED_FAILURES)) {
    expect([scenario, reason]).toEqual([expect.stringMatching(/^[\w/-]+$/), expect.stringMatching(/^.{40,}\.$/)]);
  }
});
