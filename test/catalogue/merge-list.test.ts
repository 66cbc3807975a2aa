import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { McpToolRecord } from '../../src/data/records.ts';
import { mergeSharedList, mergeUserList } from '../../src/domain/catalogue/merge-list.ts';
import { decideTools } from '../../src/domain/catalogue/tool-decision.ts';
import type { ListedTool } from '../../src/domain/catalogue/tool-definition.ts';
import { applyMerge, approved, listedTool } from './tool-rows.ts';

const NOW = new Date('2026-11-28T12:00:00Z');
const AUTO = { toolAllowList: [], toolDenyList: [], toolApproval: 'auto' } as const;
const PIN = { ...AUTO, toolApproval: 'pin' } as const;

const tools = fc.uniqueArray(
  fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), version: fc.integer({ min: 1, max: 3 }) }),
  { selector: ({ name }) => name },
);
const list = tools.map((all) => all.map(({ name, version }) => listedTool(name, { description: `${version}` })));

const all = (tools: readonly ListedTool[]) => ({ tools, isCut: false });

function share(rows: readonly McpToolRecord[], listed: readonly ListedTool[]): McpToolRecord[] {
  return applyMerge(rows, mergeSharedList(rows, all(listed), NOW), null);
}

const toNames = (listed: readonly ListedTool[]) => listed.map(({ name, digest }) => `${name} ${digest}`).sort();
const allowed = (decided: ReturnType<typeof decideTools>) =>
  decided.filter(({ decision }) => decision === 'allowed').map(({ tool }) => `${tool.name} ${tool.digest}`);

describe('the shared list', () => {
  test('is what the server listed last, after any lists before', () => {
    fc.assert(
      fc.property(fc.array(list, { minLength: 1, maxLength: 5 }), (lists) => {
        const rows = lists.reduce<McpToolRecord[]>(share, []);
        expect(allowed(decideTools(AUTO, rows))).toEqual(toNames(lists.at(-1) ?? []));
        expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
      }),
    );
  });

  test('does not change when it is listed again', () => {
    const rows = share([], [listedTool('a'), listedTool('b')]);
    expect(mergeSharedList(rows, all([listedTool('b'), listedTool('a')]), NOW)).toEqual({
      inserts: [],
      updates: [],
      deletes: [],
    });
  });

  test('keeps a tool that is gone, with the date, until it is back', () => {
    const gone = share(share([], [listedTool('a')]), []);
    expect(gone).toMatchObject([{ name: 'a', status: 'gone', goneAt: NOW }]);
    expect(share(gone, [listedTool('a')])).toMatchObject([{ name: 'a', status: 'listed', goneAt: null }]);
  });

  test('that was cut takes no tool away', () => {
    const rows = share([], [listedTool('a'), listedTool('b')]);
    const cut = { tools: [listedTool('c')], isCut: true };
    expect(mergeSharedList(rows, cut, NOW)).toMatchObject({ inserts: [{ name: 'c' }], updates: [], deletes: [] });
    expect(mergeUserList([], { tools: [listedTool('a')], isCut: true }, rows, NOW).inserts).toEqual([]);
  });

  test('forgets the oldest tools that are gone: a server cannot make it grow', () => {
    let rows: McpToolRecord[] = [];
    const sizes = [1, 2, 3, 4].map((round) => {
      const listed = Array.from({ length: 1_000 }, (_, index) => listedTool(`t${round}-${index}`));
      rows = applyMerge(rows, mergeSharedList(rows, all(listed), new Date(round)), null);
      return rows.length;
    });
    expect(sizes).toEqual([1_000, 2_000, 2_000, 2_000]);
    expect(rows.filter(({ status }) => status === 'gone').every(({ name }) => name.startsWith('t3-'))).toBe(true);
  });

  test('does not grow either when each list is cut', () => {
    let rows: McpToolRecord[] = [];
    for (let round = 1; round <= 6; round += 1) {
      const tools = Array.from({ length: 1_000 }, (_, index) => listedTool(`t${round}-${index}`));
      rows = applyMerge(rows, mergeSharedList(rows, { tools, isCut: true }, new Date(round)), null);
    }
    expect(rows).toHaveLength(3_000);
  });

  test('stores a changed `_meta` without a change of the tool', () => {
    const rows = share([], [listedTool('a')]).map(approved);
    const again = share(rows, [listedTool('a', { _meta: { x: 1 } })]);
    expect(again[0]?.definition).toContain('_meta');
    expect(again).toMatchObject([{ changedAt: null, approvedDefinition: null }]);
    expect(decideTools(PIN, again)).toMatchObject([{ decision: 'allowed' }]);
  });
});

describe('approvals', () => {
  test('hold for the approved definition only, which is kept for a comparison', () => {
    const first = share([], [listedTool('a')]).map(approved);
    const changed = share(first, [listedTool('a', { description: 'Does a\u200b.' })]);
    expect(decideTools(PIN, changed)).toMatchObject([{ decision: 'pending' }]);
    expect(changed).toMatchObject([{ approvedDefinition: first[0]?.definition, changedAt: NOW }]);
    const changedTwice = share(changed, [listedTool('a', { description: 'Does b.' })]);
    expect(changedTwice).toMatchObject([{ approvedDefinition: first[0]?.definition }]);
    const back = share(changedTwice, [listedTool('a')]);
    expect(decideTools(PIN, back)).toMatchObject([{ decision: 'allowed' }]);
    expect(back).toMatchObject([{ approvedDefinition: null }]);
  });

  test('are not needed unless the config pins its tools', () => {
    expect(decideTools(AUTO, share([], [listedTool('a')]))).toMatchObject([{ decision: 'allowed' }]);
    expect(decideTools(PIN, share([], [listedTool('a')]))).toMatchObject([{ decision: 'pending' }]);
  });

  test('do not come before the lists', () => {
    const rows = share([], [listedTool('a'), listedTool('b'), listedTool('c')]).map(approved);
    const rules = { toolAllowList: ['a', 'b'], toolDenyList: ['b'], toolApproval: 'pin' } as const;
    const decisions = decideTools(rules, rows).map(({ decision }) => decision);
    expect(decisions).toEqual(['allowed', 'denied', 'not_allowed']);
  });

  test('of the shared tool hold for a user who still gets that definition', () => {
    const shared = share(share([], [listedTool('a')]).map(approved), [listedTool('a', { description: 'New.' })]);
    const own = applyMerge([], mergeUserList([], all([listedTool('a')]), shared, NOW), 'user');
    expect(decideTools(PIN, shared, own)).toMatchObject([{ decision: 'allowed' }]);
    const other = applyMerge(
      [],
      mergeUserList([], all([listedTool('a', { description: 'Evil.' })]), shared, NOW),
      'user',
    );
    expect(decideTools(PIN, shared, other)).toMatchObject([{ decision: 'pending' }]);
  });
});

describe("a user's list", () => {
  test('is what the server listed for them, whatever the shared list is', () => {
    fc.assert(
      fc.property(list, fc.array(list, { minLength: 1, maxLength: 4 }), (sharedList, lists) => {
        const shared = share([], sharedList);
        const merge = (rows: McpToolRecord[], listed: ListedTool[]) =>
          applyMerge(rows, mergeUserList(rows, all(listed), shared, NOW), 'user');
        const own = lists.reduce(merge, []);
        expect(allowed(decideTools(AUTO, shared, own))).toEqual(toNames(lists.at(-1) ?? []));
      }),
    );
  });

  test('has rows only where it differs', () => {
    const shared = share([], [listedTool('a'), listedTool('b')]);
    const { inserts } = mergeUserList([], all([listedTool('a'), listedTool('c')]), shared, NOW);
    expect(inserts.map(({ name, status }) => [name, status])).toEqual([
      ['c', 'listed'],
      ['b', 'absent'],
    ]);
    expect(mergeUserList([], all([listedTool('b'), listedTool('a')]), shared, NOW).inserts).toEqual([]);
  });
});
