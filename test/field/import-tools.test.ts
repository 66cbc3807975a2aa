import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Imports, openImports } from './import-client.ts';

// Lists of tools in files from public bug reports and repositories: a dropped list allows what the file does not.

let imports: Imports;
beforeAll(async () => {
  imports = await openImports();
});
beforeEach(() => imports.clear());
afterAll(() => imports?.gateway.close());

const file = (mcpServers: Record<string, unknown>) => ({ mcpServers });
const one = (entry: object) => file({ it: { url: 'https://it.example/mcp', ...entry } });

// I5. A dropped allow list allows everything.
describe('the tools of a file', () => {
  test.each<[object, { toolAllowList?: string[]; toolDenyList?: string[]; enabled?: boolean }]>([
    [{ type: 'http', tools: ['a', 'b'] }, { toolAllowList: ['a', 'b'] }],
    [{ tools: ['*'] }, { toolAllowList: [] }],
    [{ tools: [] }, { toolAllowList: [], enabled: false }],
    [
      { includeTools: ['a'], excludeTools: ['b'] },
      { toolAllowList: ['a'], toolDenyList: ['b'] },
    ],
    [
      { enabled_tools: ['a'], disabled_tools: ['b'] },
      { toolAllowList: ['a'], toolDenyList: ['b'] },
    ],
    [
      { enabledTools: ['a'], disabledTools: ['b'] },
      { toolAllowList: ['a'], toolDenyList: ['b'] },
    ],
    [
      { allowed_tools: ['a'], disallowed_tools: ['b'] },
      { toolAllowList: ['a'], toolDenyList: ['b'] },
    ],
    [
      { allowedTools: ['a'], disallowedTools: ['b'] },
      { toolAllowList: ['a'], toolDenyList: ['b'] },
    ],
    [
      { 'allowed-tools': ['a'], 'blocked-tools': ['b'] },
      { toolAllowList: ['a'], toolDenyList: ['b'] },
    ],
    [
      { toolAllowList: ['a'], toolDenyList: ['b'] },
      { toolAllowList: ['a'], toolDenyList: ['b'] },
    ],
    [
      { tool_allow_list: ['a'], tool_deny_list: ['b'] },
      { toolAllowList: ['a'], toolDenyList: ['b'] },
    ],
    [{ available_tools: ['a'] }, { toolAllowList: ['a'] }],
    [{ tools: { include: ['a'], exclude: ['b'] } }, { toolAllowList: ['a'], toolDenyList: ['b'] }],
    [{ tools: { allowed: 'a, b' } }, { toolAllowList: ['a', 'b'] }],
    [{ tools: { a: true, b: false } }, { toolDenyList: ['b'] }],
    [{ tools: { '*': false, a: true } }, { toolAllowList: ['a'] }],
    [{ tools: { '*': { enabled: false }, a: { enabled: true } } }, { toolAllowList: ['a'] }],
    [{ tools: [{ name: 'a' }, { name: 'b', enabled: false }] }, { toolAllowList: ['a'] }],
    [{ toolFilter: { mode: 'allow', list: ['a'] } }, { toolAllowList: ['a'] }],
    [{ toolFilter: { mode: 'block', list: ['b'] } }, { toolDenyList: ['b'] }],
    [
      { tool_filter: { allowed_tool_names: ['a'], blocked_tool_names: ['b'] } },
      { toolAllowList: ['a'], toolDenyList: ['b'] },
    ],
    [{ tool_configuration: { enabled: true, allowed_tools: ['a'] } }, { toolAllowList: ['a'] }],
    [{ tool_configuration: { enabled: false } }, { enabled: false }],
    [{ includeTools: ['a', 'b'], allowedTools: ['b', 'c'] }, { toolAllowList: ['b'] }],
    [{ excludeTools: ['a'], disabledTools: ['b'] }, { toolDenyList: ['a', 'b'] }],
    [{ excludeTools: ['*'] }, { toolDenyList: [], enabled: false }],
    [
      { tools: null, excludeTools: [] },
      { toolAllowList: [], toolDenyList: [] },
    ],
  ])('are kept: %j', async (entry, expected) => {
    const { servers } = await imports.apply(one(entry));
    expect(servers[0]).toMatchObject({ applied: true, config: expected });
  });

  test('that are none disable a server that was enabled', async () => {
    await imports.apply({ gatehouse: 1, servers: { it: { url: 'https://it.example/mcp', enabled: true } } });
    const { servers } = await imports.apply(one({ includeTools: [] }));
    expect(servers[0]).toMatchObject({ kind: 'UPDATE', config: { enabled: false } });
    expect(servers[0]?.notes.join()).toContain('It allows no tool');
  });

  test.each([
    [{ excludeTools: ['delete_*'] }, /pattern/],
    [{ tools: { 'delete_*': false } }, /pattern/],
    [{ includeTools: 5 }, /includeTools: Must be a list of the names of tools/],
    [{ excludeTools: [5] }, /excludeTools: Must be a list of the names of tools/],
    [{ tools: { exclude: { a: 1 } } }, /tools: Must be a list/],
  ])('cost the entry when they cannot be kept: %j', async (entry, reason) => {
    const { servers } = await imports.apply(one(entry));
    expect(servers).toMatchObject([{ kind: 'SKIP', applied: false }]);
    expect(servers[0]?.notes[0]).toMatch(reason);
  });

  test.each([{ alwaysAllow: ['a'], autoApprove: ['b'] }, { trust: true }, { toolTimeout: 5 }])(
    'are not limited by what says something else: %j',
    async (entry) => {
      const { servers } = await imports.apply(one(entry));
      expect(servers[0]?.config).toMatchObject({ toolAllowList: [], toolDenyList: [] });
      expect(servers[0]?.notes.join()).toContain(`"${Object.keys(entry)[0]}"`);
    },
  );

  test('are pointed to when an unknown field may be about them', async () => {
    const { servers } = await imports.dryRun(one({ toolsets: ['repos'], includeTols: ['a'] }));
    expect(servers[0]?.notes).toContain('Check "toolsets": if it limits the tools, add the limits yourself.');
    expect(servers[0]?.notes.join()).toContain('"includeTols" (did you mean "includeTools"?)');
  });
});
