import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Imports, openImports } from './import-client.ts';

// YAML and TOML come with I16: their parsers must not cost more than a file is worth, nor quote it.

let imports: Imports;
beforeAll(async () => {
  imports = await openImports();
});
afterAll(() => imports?.gateway.close());

describe('a hostile file', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefghij'.split('').map((name, index) => {
      const before = 'abcdefghi'[index];
      return `${name}: &${name} [${Array(9).fill(`*${before}`).join(',')}]`;
    }),
    'mcpServers: {}',
  ].join('\n');

  test.each<[string, string]>([
    ['YAML that repeats itself', bomb],
    ['YAML that is nested too deeply', `mcpServers: ${'['.repeat(50_000)}`],
    ['YAML with a loop', 'mcpServers: &a\n  x: *a\n  url: 1\n'],
    ['YAML with a duplicate name', 'mcpServers:\n  a: {url: x}\n  a: {url: y}\n'],
    ['YAML with an unknown tag', 'mcpServers: !!js/function "function () {}"\n'],
    ['YAML of two documents', 'mcpServers: {}\n---\nmcpServers: {}\n'],
    ['TOML that is nested too deeply', `x = ${'['.repeat(50_000)}`],
    ['TOML with a duplicate name', '[mcp_servers.a]\nurl = "x"\n[mcp_servers.a]\nurl = "y"\n'],
    ['TOML with the canary', '[mcp_servers.a]\nurl = canary-secret\n'],
    ['YAML with the canary', 'mcpServers:\n  a: {url: "canary-secret}\n'],
    ['JSON that is nested too deeply', `{"mcpServers": ${'['.repeat(5_000)}`],
    ['JSON with the canary', '{"mcpServers": {"a": {"url": canary-secret}}}'],
  ])('%s is refused or harmless, and not quoted', async (_what, text) => {
    const { errors, servers } = await imports.dryRun(text);
    for (const { extensions } of errors ?? []) expect(extensions.code).toBe('VALIDATION_FAILED');
    for (const { kind, error } of servers) expect(kind === 'SKIP' || error !== null).toBe(true);
    expect(JSON.stringify([errors, servers])).not.toContain('canary');
    expect(imports.gateway.logs()).not.toContain('canary');
  });

  test.each([
    'mcpServers:\n  __proto__: {url: "https://p.example/mcp"}\n  constructor: {url: "https://c.example/mcp"}\n',
    '[mcp_servers.__proto__]\nurl = "https://p.example/mcp"\n[mcp_servers.constructor]\nurl = "https://c.example/mcp"\n',
    '{"__proto__": {"url": "https://p.example/mcp"}, "constructor": {"url": "https://c.example/mcp"}}',
  ])('with names of prototypes has ordinary names', async (text) => {
    const { servers } = await imports.dryRun(text);
    expect(servers.map(({ slug }) => slug)).toEqual(['proto', 'constructor']);
    expect(({} as Record<string, unknown>)['url']).toBeUndefined();
  });
});
