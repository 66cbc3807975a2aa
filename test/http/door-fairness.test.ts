import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MCP_LIMITS } from '../../src/limits/mcp-limits.ts';
import { type HostileUpstream, sendJson, startHostileUpstream } from '../setup/hostile-upstream.ts';
import { callMessage, readResult } from './door-messages.ts';
import { type DoorWorld, openDoorWorld } from './door-world.ts';

let world: DoorWorld;
let upstream: HostileUpstream;
/** The calls that the server got, and has not answered until it is released. */
const held: { id: unknown; response: ServerResponse }[] = [];
let isReleased = false;

const release = ({ id, response }: (typeof held)[number]): void =>
  sendJson(response, { id, result: { content: [{ type: 'text', text: 'at last' }] } });

beforeAll(async () => {
  upstream = await startHostileUpstream();
  upstream.onMethod('/held', {
    'tools/call': ({ id }, response) => {
      if (isReleased) release({ id, response });
      else held.push({ id, response });
    },
  });
  world = await openDoorWorld();
  await world.define({ slug: 'held', url: upstream.urlOf('/held') });
});
afterAll(async () => {
  await world?.close();
  await upstream?.close();
});

const code = async (role: 'admin' | 'auditor' | 'member'): Promise<unknown> => {
  const message = callMessage('held__fine');
  const result = await readResult(await world.post('/mcp', message, { token: world.gateway.tokens[role] }));
  return result.isError === true ? result._meta['gatehouse/code'] : 'done';
};
const calls = (count: number, role: Parameters<typeof code>[0]) => Array.from({ length: count }, () => code(role));

test('whose calls to a server take long takes no place of others, also where all share its credentials', async () => {
  const running = MCP_LIMITS.running.value;
  const most = running + MCP_LIMITS.waiting.value;
  const mine = calls(most + 1, 'member');
  // One more than may wait.
  expect(await Promise.race(mine)).toBe('BUSY');
  await expect.poll(() => held.length).toBe(running);
  const others = [...calls(running, 'auditor'), ...calls(running, 'admin')];
  await expect.poll(() => held.length).toBe(3 * running);
  isReleased = true;
  for (const each of held) release(each);
  expect((await Promise.all(mine)).filter((each) => each === 'done')).toHaveLength(most);
  expect(new Set(await Promise.all(others))).toEqual(new Set(['done']));
});
