import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import path from 'node:path';
import { Agent } from 'undici';
import { connectInspector } from '../test/attacks/inspector.ts';
import { openBenchDatabase } from './bench-database.ts';
import { type Contestant, startContestant } from './contestant.ts';
import { compareLoads, type Rival } from './door-table.ts';
import { type DoorBench, startDoorBench } from './door-world.ts';
import { at, load, type McpTarget, send, toRequest } from './mcp-load.ts';
import { installMcpProxy, MCP_PROXY } from './mcp-proxy-package.ts';

// Tool calls through a door, beside the same calls to the server itself. `npm run bench -- door`

const SERVERS = 100;
const LISTED_SERVERS = 20;
const CALLERS = 1_000;
const WARM_CALLS = 2_000;
/** How often the memory is looked at. */
const LOOKS = 10;
const CONNECTIONS = 16;
const DONE = 'It is done.';
const MEGABYTE = 1_000_000;

const SERVER = new URL('./contestants/mcp-server.ts', import.meta.url);
const PROXY = new URL('./contestants/mcp-proxy.ts', import.meta.url);
const FIXED_BYTES = new URL('./contestants/fixed-bytes.ts', import.meta.url);

const toCall = (name: string, revision?: string) =>
  toRequest('tools/call', { name, arguments: { path: '/' } }, revision);
const originOf = ({ url }: Contestant): string => new URL(url).origin;

/** Calls of one tool: of the server itself, through doors, and through mcp-proxy. */
async function compareCalls(
  { upstream, world, proxy }: { upstream: Contestant; world: DoorBench; proxy: Contestant | undefined },
  seconds: number,
): Promise<string> {
  const { gateway } = world;
  const direct: Rival = {
    name: 'the server itself',
    server: upstream,
    target: { url: `${originOf(upstream)}/` },
    request: toCall('tool_0'),
  };
  const request = toCall('server-0__tool_0');
  const rivals: Rival[] = [
    direct,
    { name: 'a door, 1 server', server: gateway, target: await world.door(1), request },
    { name: `a door, ${SERVERS} servers`, server: gateway, target: await world.door(SERVERS), request },
    {
      name: 'a door, 1 server, 2025-11-25',
      server: gateway,
      target: await world.door(1),
      request: toCall('server-0__tool_0', '2025-11-25'),
    },
  ];
  if (proxy !== undefined) {
    const target = { url: `${originOf(proxy)}/mcp` };
    rivals.push({ name: MCP_PROXY, server: proxy, target, request: toCall('tool_0') });
    const old = toCall('tool_0', '2025-11-25');
    rivals.push({ name: `${MCP_PROXY}, 2025-11-25`, server: proxy, target, request: old });
  }
  return compareLoads(rivals, { seconds, expected: DONE });
}

/** A list through a door, beside the same bytes of node:http. */
async function compareLists(world: DoorBench, folder: string, seconds: number): Promise<string> {
  const request = toRequest('tools/list', {});
  const target = await world.door(LISTED_SERVERS);
  const agent = new Agent();
  const answer = await send(target, request, agent, '"tools":[').finally(() => agent.destroy());
  const bytes = path.join(folder, 'list.json');
  await writeFile(bytes, answer);
  const fixed = await startContestant({ script: FIXED_BYTES, args: ['--bytes', bytes] });
  try {
    const rivals: Rival[] = [
      { name: 'node:http, the same bytes', server: fixed, target: { url: `${originOf(fixed)}/` }, request },
      { name: 'a door', server: world.gateway, target, request },
    ];
    const { tools } = (JSON.parse(answer) as { result: { tools: unknown[] } }).result;
    const title = `tools/list of ${LISTED_SERVERS} servers: ${tools.length} tools, ${Math.round(answer.length / 1_000)} kB`;
    return `${title}\n\n${await compareLoads(rivals, { seconds, expected: '"tools":[' })}`;
  } finally {
    await fixed.stop();
  }
}

/** Each of many users calls at the same moment, over a connection of their own. @throws if one has no result */
async function callAtOnce(callers: readonly McpTarget[]): Promise<string> {
  const agent = new Agent({ connections: callers.length, pipelining: 1, headersTimeout: 300_000 });
  const request = toCall('tool_0');
  let startedAt = performance.now();
  const call = async (target: McpTarget): Promise<number> => {
    await send(target, request, agent, DONE);
    return performance.now() - startedAt;
  };
  try {
    // Tokens that a gateway has not seen yet count as guesses until they are verified: 300 at once from one network.
    for (let index = 0; index < callers.length; index += CONNECTIONS) {
      await Promise.all(callers.slice(index, index + CONNECTIONS).map(call));
    }
    startedAt = performance.now();
    const sortedMs = (await Promise.all(callers.map(call))).sort((a, b) => a - b);
    const [median, last] = [0.5, 1].map((share) => `${Math.round(at({ sortedMs }, share))} ms`);
    return `${callers.length} users call at once: all of them have their result, half of them after ${median}, the last one after ${last}.`;
  } finally {
    await agent.destroy();
  }
}

/** Tells the memory of a gateway while it passes many calls on. */
async function measureMemory(upstream: string, calls: number): Promise<void> {
  const database = await openBenchDatabase();
  let gateway: Contestant | undefined;
  try {
    const env = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };
    const world = await startDoorBench(database, { upstream, servers: 1, env });
    gateway = world.gateway;
    const url = /Debugger listening on (ws:\S+)/.exec(gateway.complaints())?.[1];
    if (url === undefined) throw new Error('the gateway has no inspector');
    const inspector = await connectInspector(url);
    const target = await world.door(1);
    const call = (count: number) =>
      load(target, toCall('server-0__tool_0'), { connections: CONNECTIONS, until: { calls: count }, expected: DONE });
    let made = 0;
    const tell = async (count: number): Promise<void> => {
      await call(count);
      made += count;
      const { live, resident } = await inspector.readMemory();
      const megabytes = `${(live / MEGABYTE).toFixed(1)} MB live, ${Math.round(resident / MEGABYTE)} MB resident`;
      console.log(`After ${made.toLocaleString('en')} calls, with everything collected: ${megabytes}`);
    };
    await tell(WARM_CALLS);
    for (let look = 0; look < LOOKS; look += 1) await tell(calls / LOOKS);
    inspector.close();
  } finally {
    await gateway?.stop();
    await database.remove();
  }
}

/**
 * Measures doors and prints what it found.
 *
 * @param calls how many the memory is watched for
 * @throws if any call has no result
 */
export async function benchDoor(seconds: number, calls: number): Promise<void> {
  const database = await openBenchDatabase();
  const running: Contestant[] = [];
  try {
    const upstream = await startContestant({ script: SERVER, args: [] });
    running.push(upstream);
    const url = originOf(upstream);
    const missing = await installMcpProxy(database.folder);
    if (missing !== undefined) console.log(`Without mcp-proxy, which could not be installed: ${missing}`);
    const args = ['--folder', database.folder, '--upstream', `${url}/`];
    const proxy = missing === undefined ? await startContestant({ script: PROXY, args }) : undefined;
    if (proxy !== undefined) running.push(proxy);
    const world = await startDoorBench(database, { upstream: url, servers: SERVERS });
    running.push(world.gateway);
    const cpu = cpus();
    console.log(`${cpu.length} cores, ${cpu[0]?.model.trim()}, Node ${process.versions.node}, ${database.label}\n`);
    console.log(`${await compareCalls({ upstream, world, proxy }, seconds)}\n`);
    console.log(`${await compareLists(world, database.folder, seconds)}\n`);
    console.log(await callAtOnce(await world.callers(CALLERS)));
    await world.gateway.stop();
    await measureMemory(url, calls);
  } finally {
    for (const each of running) await each.stop();
    await database.remove();
  }
}
