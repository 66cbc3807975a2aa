import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DoorWorld, openDoorWorld } from '../http/door-world.ts';
import { type SmallMcpServer, startModernServer } from '../setup/mcp-servers.ts';
import { runProgram } from './npm.ts';

// The MCP Inspector's command line. It is too large for a dependency: 120 packages and 110 MB.
const INSPECTOR = '@modelcontextprotocol/inspector@2.12.0';
const nodeFolder = path.dirname(process.execPath);

let folder: string;
let server: SmallMcpServer;
let world: DoorWorld;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-inspector-'));
  await writeFile(path.join(folder, 'package.json'), '{ "private": true }');
  const options = ['--ignore-scripts', '--no-audit', '--no-fund'];
  const { code, output } = await runProgram('npm', ['install', ...options, INSPECTOR], { cwd: folder, nodeFolder });
  expect(code, output).toBe(0);
  await mkdir(path.join(folder, 'home'));
  server = await startModernServer();
  world = await openDoorWorld();
  await world.define({ slug: 'modern', url: server.url });
});
afterAll(async () => {
  await world?.close();
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs it at a door, with the options of docs/tools.md. @returns what it prints */
async function inspect(token: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const door = [`${world.url}/mcp`, '--transport', 'http', '--header', `Authorization: Bearer ${token}`];
  const bin = path.join('node_modules', '.bin', 'mcp-inspector');
  // It keeps a file in the home folder.
  const command = [`HOME=${path.join(folder, 'home')}`, process.execPath, bin, '--cli', ...door, ...args];
  return runProgram('env', command, { cwd: folder, nodeFolder });
}

describe.each(['legacy', 'auto', 'modern'])('the Inspector, in the revisions that it calls %s', (era) => {
  test('lists the tools of a door', async () => {
    const args = ['--protocol-era', era, '--method', 'tools/list'];
    const { code, output } = await inspect(world.gateway.tokens.member, ...args);
    expect(code, output).toBe(0);
    for (const name of ['modern__echo', 'modern__who', 'gatehouse__status']) expect(output).toContain(`"${name}"`);
  });

  test('calls a tool', async () => {
    const call = ['--method', 'tools/call', '--tool-name', 'modern__echo', '--tool-arg', 'text=hello'];
    const { code, output } = await inspect(world.gateway.tokens.member, '--protocol-era', era, ...call);
    expect(code, output).toBe(0);
    expect(output).toContain(JSON.stringify(JSON.stringify({ text: 'hello' })));
  });
});

test('the Inspector is refused without a token that is right', async () => {
  const { code, output } = await inspect('gh_nonsense', '--method', 'tools/list');
  expect(code).not.toBe(0);
  expect(output).not.toContain('modern__echo');
});
