import { describe, expect, test } from 'vitest';
import { Secret } from '../../src/crypto/secret.ts';
import { formatDiff } from '../../src/domain/server-files/diff-servers.ts';
import { parseServerFile } from '../../src/domain/server-files/parse-server-file.ts';
import { apiKeyRecord, configRecord } from './config-record.ts';
import { diffServers } from './diff-file.ts';

const URL = 'https://mcp.example.com/mcp';
const file = (mcpServers: Record<string, unknown>) => parseServerFile(JSON.stringify({ mcpServers }));
const ASKS = { url: URL, headers: { Authorization: 'Bearer \u0024{input:token}' } };

describe('the differences of a file', () => {
  test('are readable in a terminal', () => {
    const parsed = parseServerFile(
      JSON.stringify({
        inputs: [{ id: 'token', description: 'Token of the\nconsole' }],
        servers: {
          GitHub: { type: 'http', ...ASKS },
          linear: { type: 'http', title: 'Linear', url: 'https://mcp.linear.example/v2' },
          sentry: { type: 'http', url: 'https://mcp.sentry.example/mcp', timeout: 5 },
          files: { command: 'npx' },
        },
      }),
    );
    const existing = [
      configRecord({ slug: 'linear', displayName: 'linear', url: 'https://mcp.linear.example/v1' }),
      configRecord({ slug: 'sentry', url: 'https://mcp.sentry.example/mcp', authType: 'oauth2' }),
    ];
    expect(formatDiff(diffServers(parsed, existing))).toBe(
      `+ github (GitHub)
    displayName: "GitHub"
    url: "https://mcp.example.com/mcp"
    transport: STREAMABLE_HTTP
    enabled: false
    authType: API_KEY
    apiKeyHeader: "Authorization"
    apiKeyValue: asked for
    needs input:token: Token of the\\u{a}console
~ linear
    displayName: "linear" -> "Linear"
    url: "https://mcp.linear.example/v1" -> "https://mcp.linear.example/v2"
    note: The file has no credentials for this server. If the server requires a sign-in (OAuth 2), set authType to OAUTH2.
= sentry
    note: The file has no credentials for this server. If the server requires a sign-in (OAuth 2), set authType to OAUTH2.
    note: Ignored, because the gateway does not support it: "timeout".
- files: It runs a command on the user's computer: the gateway only connects to remote servers.
1 to create, 1 to update, 1 unchanged, 1 skipped.
`,
    );
  });

  test('contain no control sequences for a terminal', () => {
    const evil = 'a\u001b[2J\u009b1m\u202egnp\u2028b';
    const parsed = file({
      [evil]: { url: URL, title: evil, description: 'x'.repeat(500) },
      [`${evil}!`]: { command: evil },
    });
    const text = formatDiff(diffServers(parsed, []));
    expect(text).not.toMatch(/[^\n\P{Cc}]|[\p{Cf}\u2028]/u);
    expect(text).toContain('a\\u{1b}[2J\\u{9b}1m\\u{202e}gnp\\u{2028}b');
    expect(text).not.toContain('x'.repeat(201));
  });

  test('are empty for existing servers', () => {
    expect(diffServers(file({ github: { url: URL } }), [configRecord()])).toMatchObject([
      { kind: 'unchanged', slug: 'github', changes: [], secretsMissing: [] },
    ]);
  });

  test.each([
    ['asked for', {}, configRecord(), { before: '', after: 'asked for' }],
    ['set', { token: 'hunter2' }, configRecord(), { before: '', after: 'set' }],
    ['kept', {}, apiKeyRecord(), undefined],
    ['replaced', { token: 'hunter2' }, apiKeyRecord(), { before: 'set', after: 'will be replaced' }],
    ['asked for again', {}, apiKeyRecord({ url: 'https://old.example.com' }), { before: 'set', after: 'asked for' }],
  ])('say of a secret only that it is %s', (_what, secrets, current, expected) => {
    const given = new Map(Object.entries(secrets).map(([name, text]) => [`input:${name}`, new Secret(text)]));
    const [diff] = diffServers(file({ github: ASKS }), [current], new Map([['github', given]]));
    const change = diff?.changes.find(({ field }) => field === 'apiKeyValue');
    expect(change).toEqual(expected === undefined ? undefined : { field: 'apiKeyValue', ...expected });
    expect(diff?.secretsMissing).toHaveLength(expected?.after === 'asked for' ? 1 : 0);
    expect(JSON.stringify(diff)).not.toContain('hunter2');
    expect(formatDiff(diff === undefined ? [] : [diff])).not.toContain('hunter2');
  });

  test('say which secret goes with its auth type', () => {
    const oauth = file({ github: { url: URL, type: 'http', oauth: {} } });
    const [diff] = diffServers(oauth, [apiKeyRecord()]);
    expect(diff?.changes).toEqual([
      { field: 'authType', before: 'API_KEY', after: 'OAUTH2' },
      { field: 'apiKeyHeader', before: 'Authorization', after: '' },
      { field: 'apiKeyValue', before: 'set', after: 'will be cleared' },
    ]);
  });

  test('say that stored headers stay', () => {
    const parsed = file({ github: { url: URL, headers: { 'X-A': 'a', 'X-B': '\u0024{B}' } } });
    const current = configRecord({ authType: 'custom_headers', hasCustomHeaders: true });
    const [diff] = diffServers(parsed, [current]);
    expect(diff).toMatchObject({ kind: 'unchanged', secretsMissing: [] });
    expect(diff?.notes.join()).toMatch(/stored headers are kept/);
  });

  test('work even with an invalid URL', () => {
    const parsed = file({ github: { ...ASKS, url: 'none' } });
    expect(diffServers(parsed, [apiKeyRecord()])).toMatchObject([{ kind: 'update', secretsMissing: [{}] }]);
  });
});
