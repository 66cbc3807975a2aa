import { expect, test } from 'vitest';
import { createCaches } from '../../src/cache/caches.ts';
import type { Store } from '../../src/data/store.ts';
import { createToolListeners } from '../../src/domain/catalogue/tool-listeners.ts';
import { createCallWatch } from '../../src/domain/door/call-watch.ts';
import { MCP_LIMITS } from '../../src/limits/mcp-limits.ts';
import { UpstreamError } from '../../src/mcp/upstream-error.ts';

type Listen = Parameters<typeof createToolListeners>[0]['listen'];

/** Listeners over a store that gives every lease, and with a clock that stands still. */
function createWorld(listen: Listen) {
  const world = {
    time: 0,
    asked: [] as string[],
    changed: [] as string[],
    leases: new Set<string>(),
    status: 'active',
  };
  const watch = createCallWatch({ tickMs: 600_000 });
  const tools = {
    takeListener: async (_viewer: unknown, { configId }: { configId: string }) => {
      world.leases.add(configId);
      return true;
    },
    endListener: async (_viewer: unknown, { configId }: { configId: string }) => void world.leases.delete(configId),
  };
  const sessions = { findUser: async () => ({ status: world.status }) };
  const listeners = createToolListeners({
    store: { tools, sessions } as unknown as Store,
    async listen(caller, how) {
      world.asked.push(caller.configId);
      return listen(caller, how);
    },
    watch,
    caches: createCaches(),
    isOn: true,
    onChanged: ({ configId }) => world.changed.push(configId),
    onError(error) {
      throw error;
    },
    now: () => new Date(world.time),
  });
  const want = async (configId: string, isFresh = false, userId: string | null = null): Promise<void> => {
    listeners.want({ configId, userId }, isFresh);
    // The fake server answers in a few turns.
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { world, watch, listeners, want };
}

/** Tells until it is ended. */
const forEver: Listen = (_caller, { signal, onOpen }) => {
  onOpen();
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new UpstreamError('CANCELLED')), { once: true });
  });
};

test('so many servers are heard, each once, and none after the end', async () => {
  const { world, listeners, want } = createWorld(forEver);
  const max = MCP_LIMITS.listeners.value;
  for (let index = 0; index <= max; index += 1) await want(`config-${index}`);
  for (let index = 0; index <= max; index += 1) await want(`config-${index}`);
  expect(world.asked).toHaveLength(max);
  expect(world.leases.size).toBe(max);
  await listeners.close();
  expect(world.leases.size).toBe(0);
  await want('later');
  expect(world.asked).toHaveLength(max);
});

test.each<[string, Listen, number[]]>([
  ['ends it', async () => ({ state: 'ok', value: 'ended' }), [30, 60, 120, 240]],
  ['cannot be reached', () => Promise.reject(new UpstreamError('CONNECTION_FAILED')), [30, 60, 120, 240]],
  ['does not tell', async () => ({ state: 'ok', value: 'unsupported' }), [3_600, 3_600]],
])('a server that %s is left alone for a while', async (_name, listen, pauses) => {
  const { world, listeners, want } = createWorld(listen);
  await want('config');
  for (const [index, seconds] of pauses.entries()) {
    world.time += seconds * 1_000 - 1;
    await want('config');
    expect(world.asked).toHaveLength(index + 1);
    world.time += 1;
    await want('config');
    expect(world.asked).toHaveLength(index + 2);
  }
  // Another server at the same config says nothing of this one.
  listeners.forget('config');
  await want('config');
  expect(world.asked).toHaveLength(pauses.length + 2);
  await listeners.close();
});

test('a server is listed when it is heard, unless it was just then', async () => {
  const { world, listeners, want } = createWorld(forEver);
  await want('fresh', true);
  await want('stale', false);
  expect(world.changed).toEqual(['stale']);
  await listeners.close();
});

test('a server that nobody uses any more is not heard for longer', async () => {
  const expire: (() => void)[] = [];
  const { world, listeners, want } = createWorld((_caller, { onOpen }) => {
    onOpen();
    return new Promise((resolve) => expire.push(() => resolve({ state: 'ok', value: 'expired' })));
  });
  await want('config', true);
  // Somebody uses it meanwhile.
  await want('config');
  expire.shift()?.();
  await expect.poll(() => world.asked.length).toBe(2);
  expire.shift()?.();
  await expect.poll(() => world.leases.size).toBe(0);
  expect([world.asked.length, world.changed]).toEqual([2, []]);
  await listeners.close();
});

test('the connection of a user who is suspended hears nothing any more', async () => {
  const { world, watch, listeners, want } = createWorld(forEver);
  await want('config', true, 'user');
  expect(world.leases.size).toBe(1);
  world.status = 'suspended';
  watch.onCallers();
  await expect.poll(() => world.leases.size).toBe(0);
  await listeners.close();
});
