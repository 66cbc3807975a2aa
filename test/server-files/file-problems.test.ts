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
    ['{"github": {"link": "https://mcp.example.com"}}', 'UNKNOWN_FORMAT'],
    ['{"mcpServers": 1}', 'WRONG_TYPE'],
    ['[mcp_servers.docs]\nurl = ', 'INVALID_TOML'],
    ['mcpServers:\n  docs: {url: "x', 'INVALID_YAML'],
    ['{"mcpServers": {}, "servers": {}}', 'AMBIGUOUS'],
    [`{"mcpServers": {}, "x": "${'x'.repeat(1_048_576)}"}`, 'TOO_LONG'],
    [`{"mcpServers": {}, "x": "${'ä'.repeat(600_000)}"}`, 'TOO_LONG'],
  ])('is refused: %.40s', (text, code) => {
    expect(issuesOf(text)).toMatchObject([{ code, message: expect.any(String) }]);
  });

  test('has at most a thousand servers', () => {
    const servers = (count: number) => ({
      mcpServers: Object.fromEntries(Array.from({ length: count }, (_, index) => [`s${index}`, { command: 'x' }])),
    });
    expect(parseServerFile(JSON.stringify(servers(MAX_SERVERS))).skipped).toHaveLength(MAX_SERVERS);
    expect(issuesOf(servers(MAX_SERVERS + 1))).toMatchObject([{ code: 'TOO_MANY' }]);
  });

  test('has another version of our own format', () => {
    expect(issuesOf({ gatehouse: 2, servers: {} })).toMatchObject([{ path: ['gatehouse'], code: 'NOT_SUPPORTED' }]);
  });
});

describe('an entry that cannot be read', () => {
  const good = { url: 'https://good.example.com/mcp' };
  const reasonsOf = (file: unknown) => {
    const { servers, skipped } = parseServerFile(JSON.stringify(file));
    expect(servers.map(({ name }) => name)).toEqual(['good']);
    return Object.fromEntries(skipped.map(({ name, reason }) => [name, reason]));
  };

  test('costs this one entry, and all its problems are told', () => {
    const reasons = reasonsOf({
      mcpServers: {
        github: { url: 5, headers: { 'X-Key': [7], 'X-Other': 'fine' }, includeTools: [1] },
        linear: { type: [] },
        notion: 'https://mcp.example.com',
        sentry: { url: null },
        nothing: null,
        good,
      },
    });
    expect(reasons).toEqual({
      github:
        'It cannot be read. url: Must be text. headers.X-Key: Must be text. includeTools: Must be a list of the names of tools.',
      linear: 'It cannot be read. type: Must be text. url: Add the URL of the server.',
      notion: 'It is not an object with the settings of a server.',
      nothing: 'It is not an object with the settings of a server.',
      sentry: 'It cannot be read. url: Add the URL of the server.',
    });
  });

  test('has at most a few problems told, in a line of its own', () => {
    const headers = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`X-${'y'.repeat(99)}${index}`, []]));
    const { bad } = reasonsOf({ mcpServers: { bad: { ...good, headers }, good } });
    expect(bad).toContain('And 95 more.');
    expect(bad?.length).toBeLessThan(1_000);
  });

  test('does not cost the others because of inputs that are wrong', () => {
    expect(reasonsOf({ servers: { good }, inputs: [7, { id: 'a', description: 'A' }] })).toEqual({});
  });

  test('in our own format is checked field by field', () => {
    const github = {
      url: 'https://mcp.example.com',
      transport: 'WEBSOCKET',
      enabled: 'yes',
      toolAllowList: 'search',
      customHeaders: 'X-Key: hunter2',
    };
    const linear = { customHeaders: [{ name: 'X' }, 1] };
    const misspelled = { ...good, toolDenylist: ['delete'] };
    expect(reasonsOf({ gatehouse: 1, servers: { github, linear, misspelled, good } })).toEqual({
      github:
        'It cannot be read. transport: Must be one of STREAMABLE_HTTP, SSE. enabled: Must be true or false. ' +
        'toolAllowList: Must be a list of texts. customHeaders: Must be an object of header names and values.',
      linear:
        'It cannot be read. url: Add the URL of the server. customHeaders[1]: Must be an object. ' +
        'customHeaders[0].value: Add its value, or a placeholder for it.',
      misspelled: 'It cannot be read. toolDenylist: Is not a known field. The nearest known one is "toolDenyList".',
    });
  });
});
