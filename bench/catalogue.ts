import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import autocannon from 'autocannon';
import { generateMasterKey } from '../src/crypto/master-key.ts';
import { openEmbeddedDatabase } from '../src/data/database/embedded-database.ts';
import { openServerDatabase } from '../src/data/database/server-database.ts';
import { askAsAdmin } from './admin.ts';
import { type BenchDatabase, openBenchDatabase } from './bench-database.ts';
import { buildGateway, startBuilt } from './built-gateway.ts';
import type { Contestant } from './contestant.ts';

// The catalogue of tools: reading it, and filling it. `npm run bench -- catalogue`

const SERVERS = 50;
const TOOLS = 40;
const PAGE = 100;
const CONNECTIONS = 4;
const UPSTREAMS = 100;
const HANGING = 5;
const PATIENCE_MS = 60_000;
const LOOK_MS = 50;
const MAX_PAGE = 500;

interface Upstream {
  url: string;
  server: Server;
  /** How many lists of tools it has sent. */
  sent(): number;
}

/** An MCP server (2025-11-25, without sessions) at each path; at `/hangs…` it never answers. */
async function startUpstream(): Promise<Upstream> {
  const tools = Array.from({ length: TOOLS }, (_, index) => ({
    name: `tool_${index}`,
    description: `Does thing number ${index}, and says in some words what came of it, so that this is as long as real ones.`,
    inputSchema: {
      type: 'object',
      properties: { path: { type: 'string', description: 'Where.' }, limit: { type: 'integer', minimum: 1 } },
      required: ['path'],
    },
  }));
  const results: Record<string, unknown> = {
    initialize: {
      protocolVersion: '2025-11-25',
      capabilities: { tools: {} },
      serverInfo: { name: 'bench', version: '1' },
    },
    'tools/list': { tools },
  };
  let sent = 0;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    if (request.url?.startsWith('/hangs') === true) return;
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const { id, method } = JSON.parse(body) as { id?: unknown; method: string };
    if (id === undefined) return void response.writeHead(202).end();
    const result = results[method];
    if (method === 'tools/list') sent += 1;
    const answer = result === undefined ? { error: { code: -32_601, message: 'unknown' } } : { result };
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, sent: () => sent };
}

interface World {
  gateway: Contestant;
  token: string;
  upstream: Upstream;
}

const ask = <Data>({ gateway, token }: World, query: string, variables: object = {}): Promise<Data> =>
  askAsAdmin(gateway.url, token, query, variables);

async function define(world: World, path: string, enabled: boolean): Promise<void> {
  const slug = path.replaceAll('/', '');
  const input = { displayName: slug, slug, url: `${world.upstream.url}${path}`, enabled, availability: 'FORCE_ON' };
  const create = `mutation ($input: CreateMcpServerConfigInput!) {
    createMcpServerConfig(input: $input) { mcpServerConfig { id } } }`;
  await ask(world, create, { input });
}

/** The slugs of the servers that were listed. */
async function readListed(world: World): Promise<Set<string>> {
  const query = `{ mcpServerConfigs(first: ${MAX_PAGE}) { nodes { slug reachability { state } } } }`;
  const { mcpServerConfigs } = await ask<{
    mcpServerConfigs: { nodes: { slug: string; reachability: { state: string } }[] };
  }>(world, query);
  const listed = mcpServerConfigs.nodes.filter(({ reachability }) => reachability.state === 'REACHABLE');
  return new Set(listed.map(({ slug }) => slug));
}

/** @param sent how many lists the server had sent before. The gateway is not asked before it can have what is waited for */
async function waitForListed(world: World, prefix: string, count: number, sent: number): Promise<void> {
  for (const begun = performance.now(); performance.now() - begun < PATIENCE_MS; await delay(LOOK_MS)) {
    if (world.upstream.sent() < sent + count) continue;
    if ([...(await readListed(world))].filter((slug) => slug.startsWith(prefix)).length >= count) return;
  }
  throw new Error(`fewer than ${count} servers were listed in ${PATIENCE_MS} ms`);
}

/** Creates many servers, of which some hang, and enables them one by one, many at once. @returns how long that took */
async function enableMany(world: World): Promise<number> {
  // The worst order: those that hang come first.
  const paths = Array.from({ length: UPSTREAMS }, (_, index) =>
    index < HANGING ? `/hangs-${index}` : `/many-${index}`,
  );
  for (const path of paths) await define(world, path, false);
  const { mcpServerConfigs } = await ask<{ mcpServerConfigs: { nodes: { id: string; slug: string }[] } }>(
    world,
    `{ mcpServerConfigs(first: ${MAX_PAGE}) { nodes { id slug } } }`,
  );
  const meant = mcpServerConfigs.nodes.filter(({ slug }) => paths.includes(`/${slug}`));
  const enable = `mutation ($id: UUID!) { updateMcpServerConfig(input: { id: $id, enabled: true }) { mcpServerConfig { id } } }`;
  const begun = performance.now();
  await Promise.all(meant.map(({ id }) => ask(world, enable, { id })));
  return performance.now() - begun;
}

/** Forgets what was listed of those many servers. No gateway may run. */
async function forgetLists({ url, folder }: BenchDatabase): Promise<void> {
  const database =
    url === undefined
      ? await openEmbeddedDatabase(path.join(folder, 'database'))
      : await openServerDatabase(url, { poolSize: 1 });
  try {
    for (const table of ['mcp_server_tools', 'mcp_server_tool_lists', 'mcp_server_reachability']) {
      await database.query(`DELETE FROM ${table} WHERE mcp_server_config_id IN (
        SELECT id FROM mcp_server_configs WHERE slug LIKE 'many-%' OR slug LIKE 'hangs-%')`);
    }
  } finally {
    await database.close();
  }
}

/** All lists of a gateway that was just started are needed at once. @returns a line to print */
async function measureListing(world: World, enabledMs: number): Promise<string> {
  const sent = world.upstream.sent();
  const begun = performance.now();
  await ask(world, `{ mcpServerConfigs(first: ${MAX_PAGE}) { nodes { tools(first: 1) { totalCount } } } }`);
  await waitForListed(world, 'many-', UPSTREAMS - HANGING, sent);
  const ms = Math.round(performance.now() - begun);
  return `Listing ${UPSTREAMS} servers × ${TOOLS} tools at once, of which ${HANGING} hang: the other ${UPSTREAMS - HANGING} after ${ms} ms\nEnabling ${UPSTREAMS} servers by as many mutations, while they are listed: ${Math.round(enabledMs)} ms`;
}

/** @returns the token of a member */
async function createMember(world: World): Promise<string> {
  const create = 'mutation { createUser(input: { email: "member@example.com" }) { user { id } } }';
  const { createUser } = await ask<{ createUser: { user: { id: string } } }>(world, create);
  const input = { userId: createUser.user.id, name: 'bench' };
  const mint = 'mutation ($input: CreateApiTokenInput!) { createApiToken(input: $input) { token } }';
  const { createApiToken } = await ask<{ createApiToken: { token: string } }>(world, mint, { input });
  return createApiToken.token;
}

/** Reads the tools of all servers. @returns a line to print */
async function measureReading(world: World, seconds: number): Promise<string> {
  const sent = world.upstream.sent();
  for (let index = 0; index < SERVERS; index += 1) await define(world, `/read-${index}`, true);
  await waitForListed(world, 'read-', SERVERS, sent);
  const one = `{ mcpServerConfig(by: { slug: "read-0" }) { tools(first: ${PAGE}) { nodes { name shownAs description decision digest } } } }`;
  const every = `{ mcpServerConfigs(first: ${SERVERS}) { nodes { slug tools(first: ${PAGE}) { nodes { name shownAs description decision digest } } } } }`;
  const all = '{ effectiveMcpTools { config { slug } tool { name shownAs description decision } } }';
  const lines: string[] = [];
  const member = await createMember(world);
  for (const [name, query] of [
    [`tools(first: ${PAGE}) of one server × ${TOOLS} tools`, one],
    [`tools(first: ${PAGE}) of ${SERVERS} servers × ${TOOLS} tools`, every],
    [`effectiveMcpTools, ${SERVERS} servers × ${TOOLS} tools`, all],
  ] as const) {
    const load = (duration: number) =>
      autocannon({
        url: world.gateway.url,
        method: 'POST',
        headers: { authorization: `Bearer ${member}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
        connections: CONNECTIONS,
        duration,
      });
    await askAsAdmin(world.gateway.url, member, query);
    await load(1);
    const before = await world.gateway.cpuMs();
    const { latency, requests, non2xx, errors } = await load(seconds);
    const after = await world.gateway.cpuMs();
    if (non2xx + errors > 0) throw new Error(`${name}: ${non2xx + errors} requests failed`);
    const cpuMs =
      before === undefined || after === undefined ? 'unknown' : ((after - before) / requests.total).toFixed(1);
    lines.push(
      `${name}: p50 ${latency.p50} ms, p99 ${latency.p99} ms, ${Math.round(requests.average)} requests/s, ${cpuMs} ms of processor time each`,
    );
  }
  return lines.join('\n');
}

/** Measures the catalogue and prints what it found. */
export async function benchCatalogue(seconds: number): Promise<void> {
  const database = await openBenchDatabase();
  const upstream = await startUpstream();
  const token = randomBytes(24).toString('base64url');
  const env = {
    GATEHOUSE_ADMIN_TOKEN: token,
    GATEHOUSE_ENCRYPTION_KEYS: generateMasterKey(),
    GATEHOUSE_DATA_DIR: database.folder,
    GATEHOUSE_ALLOWED_PRIVATE_CIDRS: '127.0.0.0/8',
    ...(database.url !== undefined && { DATABASE_URL: database.url }),
  };
  buildGateway();
  let gateway: Contestant | undefined;
  try {
    gateway = await startBuilt(env);
    const world: World = { gateway, token, upstream };
    console.log(`${cpus().length} cores, Node ${process.versions.node}, ${database.label}; ${CONNECTIONS} connections`);
    console.log(await measureReading(world, seconds));
    const enabledMs = await enableMany(world);
    await gateway.stop();
    await forgetLists(database);
    gateway = await startBuilt(env);
    console.log(await measureListing({ ...world, gateway }, enabledMs));
  } finally {
    await gateway?.stop();
    upstream.server.closeAllConnections();
    upstream.server.close();
    await database.remove();
  }
}
