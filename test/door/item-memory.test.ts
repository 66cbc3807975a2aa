import { beforeEach, describe, expect, test } from 'vitest';
import { createCaches } from '../../src/cache/caches.ts';
import type { McpServerConfigRecord } from '../../src/data/records.ts';
import { createItemMemory } from '../../src/domain/door/item-memory.ts';
import { MCP_LIMITS } from '../../src/limits/mcp-limits.ts';
import type { ItemKind, UpstreamItem } from '../../src/mcp/list-items.ts';

const AGE_MS = MCP_LIMITS.itemMemory.value;

let now: number;
let memory: ReturnType<typeof createItemMemory>;
/** How often a list was made. */
let made: number;

beforeEach(() => {
  now = 1_000;
  made = 0;
  memory = createItemMemory({ caches: createCaches(), clock: () => now });
});

const list = async (): Promise<readonly UpstreamItem[]> => {
  made += 1;
  return [{ key: `list ${made}`, definition: {} }];
};

interface Of {
  id?: string;
  version?: number;
  authType?: 'none' | 'oauth2';
  userId?: string;
  kind?: ItemKind;
}

const get = async (of: Of = {}, make: typeof list = list): Promise<string | undefined> => {
  const { id = 'a', version = 1, authType = 'none', userId = 'ada', kind = 'resources' } = of;
  const config = { id, version, authType } as McpServerConfigRecord;
  return (await memory.get({ config, userId, kind }, make))[0]?.key;
};

describe('a list is used again', () => {
  test('for a moment, and then made anew', async () => {
    expect([await get(), await get()]).toEqual(['list 1', 'list 1']);
    now += AGE_MS - 1;
    expect(await get()).toBe('list 1');
    now += 1;
    expect([await get(), await get()]).toEqual(['list 2', 'list 2']);
  });

  test('by all users, where the server does not know them', async () => {
    expect([await get({ userId: 'ada' }), await get({ userId: 'bob' })]).toEqual(['list 1', 'list 1']);
  });

  test('by those who ask while it is made', async () => {
    let finish: (items: readonly UpstreamItem[]) => void = () => undefined;
    const slow = (): Promise<readonly UpstreamItem[]> =>
      new Promise((resolve) => {
        made += 1;
        finish = resolve;
      });
    const [first, second] = [get({}, slow), get({}, slow)];
    await expect.poll(() => made).toBe(1);
    finish([{ key: 'shared', definition: {} }]);
    expect([await first, await second, made]).toEqual(['shared', 'shared', 1]);
  });

  test('also an empty one, so that a server that fails is left alone', async () => {
    const none = async (): Promise<readonly UpstreamItem[]> => {
      made += 1;
      return [];
    };
    expect([await get({}, none), await get({}, none), made]).toEqual([undefined, undefined, 1]);
  });

  test('and not after an error, which all who wait get', async () => {
    const fail = (): Promise<never> => Promise.reject(new Error('no'));
    await expect(get({}, fail)).rejects.toThrow('no');
    expect(await get()).toBe('list 1');
  });
});

describe('a list is not that of', () => {
  test.each<[string, Of]>([
    ['another server', { id: 'b' }],
    ['another kind', { kind: 'prompts' }],
    ['another version of the server', { version: 2 }],
    ['another user, where the server knows its users', { authType: 'oauth2', userId: 'bob' }],
  ])('%s', async (_what, other) => {
    const mine: Of = { authType: other.authType ?? 'none' };
    expect([await get(mine), await get({ ...mine, ...other })]).toEqual(['list 1', 'list 2']);
  });
});

describe('a list is forgotten', () => {
  const ADA: Of = { authType: 'oauth2', userId: 'ada' };
  const BOB: Of = { authType: 'oauth2', userId: 'bob' };

  test.each<ItemKind>(['resources', 'resourceTemplates', 'prompts'])('when its server changed: %s', async (kind) => {
    await get({ kind });
    memory.onChanges([{ configId: 'b', userId: null }]);
    expect(await get({ kind })).toBe('list 1');
    memory.onChanges([{ configId: 'a', userId: null }]);
    expect(await get({ kind })).toBe('list 2');
  });

  test('when its user connected or disconnected, and no other', async () => {
    expect([await get(ADA), await get(BOB)]).toEqual(['list 1', 'list 2']);
    memory.onChanges([{ configId: 'a', userId: 'ada' }]);
    expect([await get(ADA), await get(BOB)]).toEqual(['list 3', 'list 2']);
  });
});
