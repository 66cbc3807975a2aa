import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createViewerFollowing } from '../../src/domain/credentials/viewer-renewal.ts';
import { NOBODY, type Role, type Viewer } from '../../src/policy/viewer.ts';

const START = Date.UTC(2026, 0, 1);

/** What the database says, and what was asked of it. */
let roles: Record<string, Role | undefined> = {};
let asked: string[] = [];
let version = 0n;
let failure: Error | undefined;

const follow = createViewerFollowing({
  async renewViewer(viewer) {
    if (viewer.kind !== 'user' || viewer.credential.kind !== 'apiToken') return NOBODY;
    const { apiTokenId, expiresAt } = viewer.credential;
    asked.push(apiTokenId);
    if (failure !== undefined) throw failure;
    const role = roles[apiTokenId];
    if (expiresAt !== null && expiresAt.getTime() <= Date.now()) return NOBODY;
    return role === undefined ? NOBODY : { ...viewer, role };
  },
  changes: { fresh: () => undefined, callerVersion: () => version, resets: () => 0 },
  now: () => new Date(),
});

function withToken(apiTokenId: string, expiresAt: Date | null = null): Viewer {
  const grant = { scopes: ['graph'], mcpServerIds: null, expiresAt } as const;
  return { kind: 'user', userId: 'u', role: 'member', credential: { kind: 'apiToken', apiTokenId, expiresAt, grant } };
}

const roleOf = async (followed: ReturnType<typeof follow>) => {
  const viewer = await followed();
  return viewer.kind === 'user' ? viewer.role : viewer.kind;
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'], now: START });
  [roles, asked, failure] = [{ a: 'member', b: 'member' }, [], undefined];
  version += 1n;
});
afterEach(() => vi.useRealTimers());

test('viewers with the same credential share their lookups, until something changes or it is too long ago', async () => {
  const followed = [follow(withToken('a')), follow(withToken('a')), follow(withToken('a'))];
  const all = () => Promise.all(followed.map(roleOf));
  expect(await all()).toEqual(['member', 'member', 'member']);
  expect(await all()).toEqual(['member', 'member', 'member']);
  expect(asked).toEqual(['a']);
  roles['a'] = 'admin';
  version += 1n;
  expect(await all()).toEqual(['admin', 'admin', 'admin']);
  expect(asked).toEqual(['a', 'a']);
  // What no change tells, such as the end of an idle session.
  roles['a'] = undefined;
  vi.advanceTimersByTime(2_999);
  expect(await roleOf(follow(withToken('a')))).toBe('admin');
  expect(asked).toHaveLength(2);
  vi.advanceTimersByTime(1);
  expect(await all()).toEqual(['nobody', 'nobody', 'nobody']);
  expect(asked).toEqual(['a', 'a', 'a']);
});

test('a credential is looked up by itself: another one of the same user may be good', async () => {
  roles['b'] = undefined;
  expect(await roleOf(follow(withToken('a')))).toBe('member');
  expect(await roleOf(follow(withToken('b')))).toBe('nobody');
  expect(asked).toEqual(['a', 'b']);
});

test('a credential that expires ends at once, though it was looked up a moment ago', async () => {
  const followed = follow(withToken('a', new Date(START + 1_000)));
  expect(await roleOf(followed)).toBe('member');
  vi.advanceTimersByTime(1_000);
  expect(await roleOf(followed)).toBe('nobody');
});

test('a lookup that failed is made again', async () => {
  const followed = follow(withToken('a'));
  failure = new Error('no answer');
  await expect(roleOf(followed)).rejects.toThrow('no answer');
  failure = undefined;
  expect(await roleOf(followed)).toBe('member');
});
