import type { Tool } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toRequest } from '../../bench/mcp-load.ts';
import { update } from '../graphql/config-operations.ts';
import { type SmallMcpServer, startModernServer } from '../setup/mcp-servers.ts';
import { readResult } from './door-messages.ts';
import { type DoorWorld, openDoorWorld, refresh } from './door-world.ts';

// Lists of revision 2026-07-28 are put together from what is kept of each server. Those of 2025 are made each time: after
// every change, both have to say the same.

let world: DoorWorld;
let upstream: SmallMcpServer;
let tools: Tool[] = [
  { name: 'one', description: 'First.', inputSchema: { type: 'object' }, _meta: {} },
  { name: 'two', inputSchema: { type: 'object' }, execution: { taskSupport: 'optional' } },
];
let [id, other] = ['', ''];

beforeAll(async () => {
  upstream = await startModernServer({ listTools: () => tools });
  world = await openDoorWorld();
  id = await world.define({ slug: 'some', url: upstream.url });
  other = await world.define({ slug: 'other', url: upstream.url });
});
afterAll(async () => {
  await world?.close();
  await upstream?.close();
});

async function list(path: string, revision: string): Promise<Record<string, unknown>[]> {
  const { headers, body } = toRequest('tools/list', {}, revision);
  const response = await world.post(path, body, { token: world.gateway.tokens.member, headers });
  return (await readResult(response)).tools;
}

/** @returns the names at the door of all servers */
async function compare(): Promise<unknown[]> {
  for (const path of ['/mcp', '/mcp/servers/some', '/mcp/servers/renamed']) {
    const modern = await list(path, '2026-07-28').catch(() => undefined);
    const old = await list(path, '2025-11-25').catch(() => undefined);
    expect(modern, path).toEqual(old?.map(({ execution: _execution, ...tool }) => tool));
  }
  return (await list('/mcp', '2026-07-28')).map(({ name }) => name);
}

const change = (patch: Parameters<typeof update>[2]) => update(world.gateway, id, patch);
const status = 'gatehouse__status';
const others = ['other__one', 'other__two'];

test('a list is what it would be if nothing were kept, after each change', async () => {
  const steps: [work: () => Promise<unknown>, names: string[]][] = [
    [async () => undefined, [...others, 'some__one', 'some__two', status]],
    [() => change({ toolDenyList: ['one'] }), [...others, 'some__two', status]],
    [() => change({ toolDenyList: [], toolAllowList: ['one'] }), [...others, 'some__one', status]],
    [() => change({ toolAllowList: [], toolApproval: 'PIN' }), [...others, status]],
    [() => change({ toolApproval: 'AUTO' }), [...others, 'some__one', 'some__two', status]],
    [() => change({ enabled: false }), [...others, status]],
    [() => change({ enabled: true, slug: 'renamed' }), [...others, 'renamed__one', 'renamed__two', status]],
    [() => change({ slug: 'gatehouse' }), ['gatehouse__one', 'gatehouse__two', ...others, status]],
    [() => change({ slug: 'some', availability: 'DEFAULT_OFF' }), [...others, status]],
    [() => update(world.gateway, other, { enabled: false }), [status]],
  ];
  for (const [work, names] of steps) {
    await work();
    expect(await compare()).toEqual(names);
  }
});

test('a definition of which only what nobody approves has changed is listed as it is', async () => {
  await change({ enabled: true, availability: 'FORCE_ON' });
  await compare();
  tools = tools.map((tool) => ({ ...tool, _meta: { 'a/b': 'changed' } }));
  await refresh(world.gateway, id);
  await compare();
  expect(await list('/mcp/servers/some', '2026-07-28')).toMatchObject([
    { _meta: { 'a/b': 'changed' } },
    { _meta: { 'a/b': 'changed' } },
    { name: status },
  ]);
});

test('what the gateway calls its own is not listed twice', async () => {
  tools = [{ name: 'status', inputSchema: { type: 'object' } }, ...tools];
  await change({ slug: 'gatehouse' });
  await refresh(world.gateway, id);
  const names = await compare();
  expect(names.filter((name) => name === status)).toHaveLength(1);
});
