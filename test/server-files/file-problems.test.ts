import { describe, expect, test } from 'vitest';
import { MAX_SERVERS, parseServerFile } from '../../src/domain/server-files/parse-server-file.ts';
import { listIssues } from './found-issues.ts';

const issuesOf = (file: unknown) =>
  listIssues(() => parseServerFile(typeof file === 'string' ? file : JSON.stringify(file)));

describe('a file that cannot be read', () => {
  test('is reported by line and column, without quoting it', () => {
    const [issue] = issuesOf('{\n  "mcpServers": {\n    "a": { "token": hunter2 }\n  }\n}');
    expect(issue).toMatchObject({ path: [], code: 'INVALID_JSON' });
    expect(issue?.message).toMatch(/line 3, column 21/);
    expect(issue?.message).not.toContain('hunter2');
  });

  test.each([
    ['[]', 'UNKNOWN_FORMAT'],
    ['"mcpServers"', 'UNKNOWN_FORMAT'],
    ['{}', 'UNKNOWN_FORMAT'],
    ['{"github": {"url": "https://mcp.example.com"}}', 'UNKNOWN_FORMAT'],
    ['{"mcpServers": {}, "servers": {}}', 'AMBIGUOUS'],
    [`{"mcpServers": {}, "x": "${'x'.repeat(1_048_576)}"}`, 'TOO_LONG'],
    [`{"mcpServers": {}, "x": "${'ä'.repeat(600_000)}"}`, 'TOO_LONG'],
  ])('is refused: %.40s', (text, code) => {
    expect(issuesOf(text)).toEqual([{ path: [], code, message: expect.any(String) }]);
  });

  test('has at most a thousand servers', () => {
    const servers = (count: number) => ({
      mcpServers: Object.fromEntries(Array.from({ length: count }, (_, index) => [`s${index}`, { command: 'x' }])),
    });
    expect(parseServerFile(JSON.stringify(servers(MAX_SERVERS))).skipped).toHaveLength(MAX_SERVERS);
    expect(issuesOf(servers(MAX_SERVERS + 1))).toMatchObject([{ code: 'TOO_MANY' }]);
  });

  test('reports all problems at once, with their positions', () => {
    const issues = issuesOf({
      mcpServers: {
        github: { url: 5, headers: { 'X-Key': 7, 'X-Other': 'fine' }, oauth: 3 },
        linear: { type: [] },
        notion: 'https://mcp.example.com',
        sentry: { url: null },
        ['a'.repeat(5_000)]: {},
      },
    });
    expect(issues.map(({ path, code }) => [path.join('.'), code])).toEqual([
      ['mcpServers.github.url', 'WRONG_TYPE'],
      ['mcpServers.github.headers.X-Key', 'WRONG_TYPE'],
      ['mcpServers.github.oauth', 'WRONG_TYPE'],
      ['mcpServers.linear.type', 'WRONG_TYPE'],
      ['mcpServers.linear.url', 'REQUIRED'],
      ['mcpServers.notion', 'WRONG_TYPE'],
      ['mcpServers.sentry.url', 'REQUIRED'],
      [`mcpServers.${'a'.repeat(64)}….url`, 'REQUIRED'],
    ]);
  });

  test('reports wrong headers and OAuth settings', () => {
    const entry = { url: 'https://mcp.example.com', headers: { 'X-Key': 7 }, oauth: 3, includeTools: [1] };
    const issues = issuesOf({ servers: { github: entry }, inputs: [7] });
    expect(issues.map(({ path, code }) => [path.join('.'), code])).toEqual([
      ['inputs.0', 'WRONG_TYPE'],
      ['servers.github.headers.X-Key', 'WRONG_TYPE'],
      ['servers.github.oauth', 'WRONG_TYPE'],
      ['servers.github.includeTools', 'WRONG_TYPE'],
    ]);
  });

  test('in our own format is checked field by field', () => {
    const github = {
      url: 'https://mcp.example.com',
      transport: 'WEBSOCKET',
      enabled: 'yes',
      toolAllowList: 'search',
      apiKeyValue: 5,
      customHeaders: 'X-Key: hunter2',
    };
    const issues = issuesOf({ gatehouse: 2, servers: { github, linear: { customHeaders: [{ name: 'X' }, 1] } } });
    expect(issues.map(({ path, code }) => [path.join('.'), code])).toEqual([
      ['gatehouse', 'NOT_SUPPORTED'],
      ['servers.github.transport', 'NOT_A_CHOICE'],
      ['servers.github.enabled', 'WRONG_TYPE'],
      ['servers.github.toolAllowList', 'WRONG_TYPE'],
      ['servers.github.apiKeyValue', 'WRONG_TYPE'],
      ['servers.github.customHeaders', 'WRONG_TYPE'],
      ['servers.linear.url', 'REQUIRED'],
      ['servers.linear.customHeaders.1', 'WRONG_TYPE'],
      ['servers.linear.customHeaders.0.value', 'REQUIRED'],
    ]);
    expect(JSON.stringify(issues)).not.toContain('hunter2');
  });
});
