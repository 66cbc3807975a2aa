import { describe, expect, test } from 'vitest';
import { createCaches } from '../../src/cache/caches.ts';
import type { AuditAction } from '../../src/data/records.ts';
import { createEntryRates } from '../../src/domain/audit/entry-rates.ts';
import { ROLES, type Role, SYSTEM, type Viewer } from '../../src/policy/viewer.ts';

const user = (role: Role, userId = `a ${role}`): Viewer => ({
  kind: 'user',
  userId,
  role,
  credential: { kind: 'bootstrap' },
});

function createWorld() {
  let at = Date.UTC(2026, 0, 1);
  const { admit } = createEntryRates({ caches: createCaches(), now: () => new Date(at) });
  /** How many of these entries are accepted before one is refused. */
  const countUntilRefused = (actor: Viewer, action: AuditAction = 'chat.update'): number => {
    for (let count = 0; count < 20_000; count += 1) {
      try {
        admit({ actor, action });
      } catch (error) {
        expect(error).toMatchObject({ code: 'RATE_LIMITED' });
        return count;
      }
    }
    return Number.POSITIVE_INFINITY;
  };
  return {
    countUntilRefused,
    pass(ms: number) {
      at += ms;
    },
  };
}

test.each([
  ['member', 600, 2],
  ['auditor', 600, 2],
  ['admin', 10_000, 20],
  ['service', 10_000, 20],
] as const)("of a user's entries who is %s, %i are accepted at once, then %i a second", (role, burst, perSecond) => {
  const { countUntilRefused, pass } = createWorld();
  expect(countUntilRefused(user(role))).toBe(burst);
  pass(1_000);
  expect(countUntilRefused(user(role))).toBe(perSecond);
  pass(86_400_000);
  expect(countUntilRefused(user(role))).toBe(burst);
});

test('one user has nothing to do with another', () => {
  const { countUntilRefused } = createWorld();
  expect(countUntilRefused(user('member', 'a'))).toBe(600);
  expect(countUntilRefused(user('member', 'b'))).toBe(600);
});

test('a user whose role changes has the limit of the new role, and the old one as they left it', () => {
  const { countUntilRefused } = createWorld();
  expect(countUntilRefused(user('member', 'a'))).toBe(600);
  expect(countUntilRefused(user('admin', 'a'))).toBe(10_000);
  expect(countUntilRefused(user('member', 'a'))).toBe(0);
});

describe('without a limit are', () => {
  test('the entries of the gateway itself', () => {
    expect(createWorld().countUntilRefused(SYSTEM, 'mcpServerConnection.refresh')).toBe(Number.POSITIVE_INFINITY);
  });

  test.each(ROLES)('refusals and tool calls of a caller who is %s: they have limits of their own', (role) => {
    const { countUntilRefused } = createWorld();
    for (const action of ['access.denied', 'mcpTool.call'] as const) {
      expect(countUntilRefused(user(role), action)).toBe(Number.POSITIVE_INFINITY);
    }
    expect(countUntilRefused(user(role))).toBeLessThanOrEqual(10_000);
  });

  test('what takes access away, though it counts', () => {
    const { countUntilRefused } = createWorld();
    for (const action of ['session.end', 'apiToken.revoke', 'mcpServerConnection.disconnect'] as const) {
      expect(countUntilRefused(user('member'), action)).toBe(Number.POSITIVE_INFINITY);
    }
    expect(countUntilRefused(user('member'))).toBe(0);
  });
});
