import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { generateMasterKey } from '../src/crypto/master-key.ts';
import { askAsAdmin, setEnabled } from './admin.ts';
import { openBenchDatabase } from './bench-database.ts';
import { buildGateway, startBuilt } from './built-gateway.ts';
import type { Contestant } from './contestant.ts';

// The kill switch, thrown at one replica while tools are called through another. `npm run bench -- kill-switch`

const ROUNDS = 100;
const CALLS_PER_SECOND = 100;
/** How long a call takes at the server: some run when the switch is thrown. */
const CALL_MS = 25;
/** Calls that must have come before the switch is thrown. */
const WARM_CALLS = 20;
/** How long calls go on after it. */
const AFTER_MS = 400;
const GOAL_MS = 100;
const MAX_ROUND_MS = 20_000;

/** An MCP server with one tool, which notes when each call came. */
async function startUpstream() {
  const arrivals: number[] = [];
  const results: Record<string, unknown> = {
    initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'b', version: '1' } },
    'tools/list': { tools: [{ name: 'work', inputSchema: { type: 'object' } }] },
    'tools/call': { content: [] },
  };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const { id, method } = JSON.parse(body) as { id?: unknown; method: string };
    if (id === undefined) return void response.writeHead(202).end();
    if (method === 'tools/call') {
      arrivals.push(performance.now());
      await delay(CALL_MS);
    }
    const result = results[method];
    const part = result === undefined ? { error: { code: -32_601, message: 'unknown' } } : { result };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id, ...part }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, arrivals };
}

/** Calls the tool through a replica, evenly. @returns what stops it, when the last answer has come */
function keepCalling({ url }: Contestant, token: string): () => Promise<void> {
  const door = new URL('/mcp', url);
  const running = new Set<Promise<unknown>>();
  const params = { name: 'kill-switch__work', arguments: {} };
  const init = {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
  };
  const timer = setInterval(() => {
    const call: Promise<unknown> = fetch(door, init)
      .then((response) => response.text())
      .catch(() => undefined)
      .finally(() => running.delete(call));
    running.add(call);
  }, 1_000 / CALLS_PER_SECOND);
  return async () => {
    clearInterval(timer);
    await Promise.all(running);
  };
}

/** @returns how long after the admin's answer the last call came, in each round: 0 if none came after it */
async function measure(
  written: Contestant,
  other: Contestant,
  token: string,
  upstream: { url: string; arrivals: number[] },
) {
  const create = `mutation ($input: CreateMcpServerConfigInput!) {
    createMcpServerConfig(input: $input) { mcpServerConfig { id } } }`;
  const input = { displayName: 'K', slug: 'kill-switch', url: upstream.url, enabled: true, availability: 'FORCE_ON' };
  type Created = { createMcpServerConfig: { mcpServerConfig: { id: string } } };
  const { createMcpServerConfig } = await askAsAdmin<Created>(written.url, token, create, { input });
  const { id } = createMcpServerConfig.mcpServerConfig;
  await askAsAdmin(written.url, token, `mutation { refreshMcpServerTools(input: { id: "${id}" }) { problem } }`);
  const stop = keepCalling(other, token);
  const delays: number[] = [];
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      await setEnabled(written.url, token, id, true);
      const { length } = upstream.arrivals;
      for (let waited = 0; upstream.arrivals.length < length + WARM_CALLS; waited += 10) {
        if (waited > MAX_ROUND_MS) throw new Error('no calls reach the server');
        await delay(10);
      }
      await setEnabled(written.url, token, id, false);
      const answeredAt = performance.now();
      await delay(AFTER_MS);
      delays.push(Math.max((upstream.arrivals.at(-1) ?? 0) - answeredAt, 0));
    }
  } finally {
    await stop();
  }
  return delays.sort((a, b) => a - b);
}

/** Measures and prints it. @throws if calls reach the server for longer than the goal allows */
export async function benchDoorKillSwitch(): Promise<void> {
  const database = await openBenchDatabase();
  const upstream = await startUpstream();
  const token = randomBytes(24).toString('base64url');
  const replicas: Contestant[] = [];
  try {
    buildGateway();
    if (database.url === undefined) throw new Error('it needs two replicas, and so PostgreSQL');
    const env = {
      GATEHOUSE_ADMIN_TOKEN: token,
      GATEHOUSE_ENCRYPTION_KEYS: generateMasterKey(),
      GATEHOUSE_DATA_DIR: database.folder,
      GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8',
      GATEHOUSE_MAX_TOOL_CALLS_PER_MINUTE: '1000000',
      DATABASE_URL: database.url,
    };
    for (let count = 0; count < 2; count += 1) replicas.push(await startBuilt(env));
    const delays = await measure(replicas[0] as Contestant, replicas[1] as Contestant, token, upstream);
    const at = (share: number) => delays[Math.ceil(share * delays.length) - 1] ?? Number.NaN;
    const [median, p99, longest] = [0.5, 0.99, 1].map((share) => `${at(share).toFixed(1)} ms`);
    console.log(`${cpus().length} cores, Node ${process.versions.node}, ${database.label}`);
    console.log(
      `${CALLS_PER_SECOND} calls a second through one replica, switched off ${ROUNDS} times at another. The last call reached the server ${median} (median), ${p99} (p99), ${longest} (longest) after the admin's answer.`,
    );
    if (at(0.99) > GOAL_MS) throw new Error(`calls reach the server for more than ${GOAL_MS} ms`);
  } finally {
    for (const replica of replicas) await replica.stop();
    upstream.server.closeAllConnections();
    upstream.server.close();
    await database.remove();
  }
}
