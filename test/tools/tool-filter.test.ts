import { expect, test } from 'vitest';
import { decideTool, filterTools } from '../../src/domain/tools/tool-filter.ts';

const LISTS = [[], ['read'], ['write'], ['read', 'write']];

test.each(LISTS.flatMap((allow) => LISTS.map((deny) => [allow, deny] as const)))(
  'with the allow list %j and the deny list %j, deny wins and allow admits its names only',
  (toolAllowList, toolDenyList) => {
    for (const tool of ['read', 'write', 'other', 'Read', 'read ']) {
      const isDenied = toolDenyList.includes(tool);
      const isAdmitted = toolAllowList.length === 0 || toolAllowList.includes(tool);
      const decision = decideTool({ toolAllowList, toolDenyList }, tool);
      expect(decision === 'allowed', tool).toBe(!isDenied && isAdmitted);
      if (isDenied) expect(decision).toBe('denied_by_deny_list');
    }
  },
);

test('the allowed tools of a server remain, in their order', () => {
  const tools = ['c', 'a', 'b'].map((name) => ({ name, title: name.toUpperCase() }));
  const left = filterTools({ toolAllowList: ['a', 'b', 'c'], toolDenyList: ['b'] }, tools);
  expect(left).toEqual([tools[0], tools[1]]);
});
