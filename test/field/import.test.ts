import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readAllRows } from '../graphql/database-rows.ts';
import { type Imports, openImports } from './import-client.ts';

// Files from public bug reports and repositories, reduced to what fails: I1 to I18 of the list of cases from the field.

let imports: Imports;
beforeAll(async () => {
  imports = await openImports();
});
beforeEach(() => imports.clear());
afterAll(() => imports?.gateway.close());

const file = (mcpServers: Record<string, unknown>) => ({ mcpServers });
const one = (entry: object) => file({ it: { url: 'https://it.example/mcp', ...entry } });

// I1. Files carry the headers of the transport, which an admin cannot set.
test('headers of the transport are left out with a note, and the server is created', async () => {
  const headers = {
    Authorization: 'Bearer abc',
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    Connection: 'keep-alive',
    'MCP-Protocol-Version': '2025-06-18',
    'mcp-session-id': 'x',
    Host: 'it.example',
  };
  const { servers } = await imports.apply(one({ headers }));
  expect(servers[0]).toMatchObject({
    applied: true,
    error: null,
    config: { authType: 'API_KEY', apiKeyHeader: 'Authorization', hasApiKey: true, hasCustomHeaders: false },
  });
  expect(servers[0]?.notes[0]).toBe(
    'Left out, because the gateway sets it itself: "Content-Type", "Accept", "Connection", "MCP-Protocol-Version", "mcp-session-id", "Host".',
  );
  expect(await imports.headersOf('it')).toEqual({ Authorization: 'Bearer abc' });
});

// I2. The dry run said "4 to create", and then each failed.
describe('a dry run', () => {
  const BROKEN = file({
    st: { url: 'http://mcp.st.example/mcp' },
    ui: { url: 'https://u:p@x.example/mcp' },
    d: { url: 'https://x.example/mcp', headers: { A: '1', a: '2' } },
    b: { url: 'not a url' },
    h: { url: 'https://h.example/mcp', headers: { 'two words': 'x', 'X-Other': 'y' } },
    long: { url: `https://h.example/${'x'.repeat(3_000)}` },
    tools: { url: 'https://t.example/mcp', includeTools: ['x'.repeat(200)] },
    oauth: { url: 'https://o.example/mcp', oauth: { clientId: 'c', authorizationUrl: 'https://o.example/a' } },
    missing: { url: 'http://m.example/mcp', headers: { 'X-Key': `\u0024{KEY}` } },
    found: { url: 'https://nobody.invalid/mcp', oauth: {} },
    good: { url: 'https://good.example/mcp' },
  });

  test('tells the same errors as the import itself, and changes nothing', async () => {
    await imports.gateway.graphql('{ viewer { id } }', { token: imports.gateway.tokens.admin });
    const before = await readAllRows(imports.gateway.database);
    const dry = await imports.dryRun(BROKEN);
    expect(await readAllRows(imports.gateway.database)).toEqual(before);
    const errorOf = ({ slug, error }: { slug: string | null; error: string | null }) => [slug, error?.split('. ')[0]];
    expect(dry.servers.map(errorOf)).toEqual([
      ['st', 'VALIDATION_FAILED: url: Must start with https://'],
      ['ui', 'VALIDATION_FAILED: url: Must not contain a user name or password; use the credential fields.'],
      ['d', expect.stringContaining('customHeaders[1].name: This header is already in the list')],
      ['b', expect.stringContaining('url: Is not an absolute URL')],
      ['h', expect.stringContaining('customHeaders[0].name: Is not a valid header name')],
      ['long', 'VALIDATION_FAILED: url: Is longer than 2,048 characters.'],
      ['tools', expect.stringContaining('toolAllowList[0]: Is longer than 128 characters')],
      ['oauth', expect.stringContaining('oauth2TokenUrl: The token URL is required too')],
      ['missing', 'VALIDATION_FAILED: url: Must start with https://'],
      ['found', expect.stringMatching(/^UPSTREAM_FAILED: /)],
      ['good', undefined],
    ]);
    expect(dry.diff).toContain('11 to create, 0 to update, 0 unchanged, 0 skipped. 10 with errors.');
    expect(dry.diff).toContain('    error: VALIDATION_FAILED: url: Must start with https://.');
    expect(`${dry.diff}${JSON.stringify(dry)}`).not.toContain('u:p@');

    const applied = await imports.apply(BROKEN);
    expect(applied.servers.map(({ error }) => error)).toEqual(dry.servers.map(({ error }) => error));
    expect(applied.diff).toBe(dry.diff);
    expect(Object.keys(await imports.urls())).toEqual(['good']);
  });

  test('tells the errors of an update as well', async () => {
    await imports.apply(one({ headers: { 'X-Key': 'secret' } }));
    const moved = file({ it: { url: 'http://it.example/mcp', headers: { 'X-Key': 'secret' } } });
    const dry = await imports.dryRun(moved);
    expect(dry.servers[0]).toMatchObject({
      kind: 'UPDATE',
      error: expect.stringContaining('Must start with https://'),
    });
    expect((await imports.apply(moved)).servers[0]?.error).toBe(dry.servers[0]?.error);
    expect(await imports.urls()).toEqual({ it: 'https://it.example/mcp' });
  });

  test('does not take a missing secret for an error', async () => {
    const { servers } = await imports.dryRun(one({ headers: { A: `\u0024{A}`, B: `\u0024{B}` } }));
    expect(servers[0]).toMatchObject({ error: null, missingSecrets: [{ placeholder: 'A' }, { placeholder: 'B' }] });
  });
});

// I3. Names without Latin letters all became "server": the second file changed the first server.
describe('a name without Latin letters', () => {
  test('gets a slug of its own, which it keeps', async () => {
    const first = await imports.apply(file({ 高德地图: { url: 'https://a.example/mcp' } }));
    const second = await imports.apply(file({ 名刺管理: { url: 'https://z.example/mcp' } }));
    const slugs = [first, second].map(({ servers }) => servers[0]?.slug ?? '');
    expect(new Set(slugs).size).toBe(2);
    for (const slug of slugs) expect(slug).toMatch(/^server-[0-9a-f]{8}$/);
    expect(second.servers[0]).toMatchObject({ kind: 'CREATE', applied: true });
    expect(Object.values(await imports.urls()).sort()).toEqual(['https://a.example/mcp', 'https://z.example/mcp']);
    const again = await imports.apply(file({ 名刺管理: { url: 'https://z.example/mcp' } }));
    expect(again.servers[0]).toMatchObject({ kind: 'UNCHANGED', slug: slugs[1] });
  });

  test.each(['Сервер', '서버', 'خادم', 'ह', '🙂', '...'])('%s never meets another', async (name) => {
    await imports.apply(file({ 高德地图: { url: 'https://a.example/mcp' }, server: { url: 'https://s.example/mcp' } }));
    const { servers } = await imports.apply(file({ [name]: { url: 'https://b.example/mcp' } }));
    expect(servers[0]).toMatchObject({ kind: 'CREATE', applied: true });
  });
});

// I3, its kind: a slug says less than a name, so it may point to another server.
describe('a server with another name and another origin than the config with its slug', () => {
  const MAPS = file({ '高德 maps': { url: 'https://a.example/mcp' } });
  const OTHER = file({ '百度 maps': { url: 'https://b.example/mcp' } });

  test('is a question, and nothing happens', async () => {
    await imports.apply(MAPS);
    for (const report of [await imports.dryRun(OTHER), await imports.apply(OTHER)]) {
      expect(report.servers[0]).toMatchObject({ kind: 'QUESTION', slug: 'maps', applied: false, error: null });
      expect(report.servers[0]?.notes[0]).toBe(
        'This slug belongs to "高德 maps" at https://a.example, which has another name and another origin. ' +
          'Answer UPDATE to change that server, or CREATE to add this one as "maps-2".',
      );
      expect(report.diff).toContain('? maps');
      expect(report.diff).toContain('0 to create, 0 to update, 0 unchanged, 1 to decide, 0 skipped.');
    }
    expect(await imports.urls()).toEqual({ maps: 'https://a.example/mcp' });
  });

  test('is created with a free slug on request, and found again there', async () => {
    await imports.apply(MAPS);
    const { servers } = await imports.apply(OTHER, { answers: { maps: 'CREATE' } });
    expect(servers[0]).toMatchObject({ kind: 'CREATE', slug: 'maps-2', applied: true });
    expect(await imports.urls()).toEqual({ maps: 'https://a.example/mcp', 'maps-2': 'https://b.example/mcp' });
    expect((await imports.apply(OTHER)).servers[0]).toMatchObject({ kind: 'UNCHANGED', slug: 'maps-2' });
  });

  test('updates the other one on request', async () => {
    await imports.apply(MAPS);
    const { servers } = await imports.apply(OTHER, { answers: { maps: 'UPDATE' } });
    expect(servers[0]).toMatchObject({ kind: 'UPDATE', slug: 'maps', applied: true });
    expect(await imports.urls()).toEqual({ maps: 'https://b.example/mcp' });
  });

  test.each([
    ['another name', file({ '百度 maps': { url: 'https://a.example/other' } })],
    ['another origin', file({ '高德 maps': { url: 'https://b.example/mcp' } })],
    ['a title and another origin', file({ maps: { url: 'https://b.example/mcp', title: '高德 Maps' } })],
  ])('with only %s is an update', async (_what, changed) => {
    await imports.apply(MAPS);
    expect((await imports.apply(changed)).servers[0]).toMatchObject({ kind: 'UPDATE', slug: 'maps', applied: true });
  });

  test('is a question in our own format, too', async () => {
    await imports.apply(MAPS);
    const own = { gatehouse: 1, servers: { maps: { displayName: 'Other', url: 'https://b.example/mcp' } } };
    expect((await imports.apply(own)).servers[0]).toMatchObject({ kind: 'QUESTION', applied: false });
  });

  test('needs answers for servers of the file', async () => {
    const { notes } = await imports.dryRun(MAPS, { answers: { mops: 'UPDATE' } });
    expect(notes).toEqual(['An answer is for "mops", which the file does not have. The nearest known one is "maps".']);
  });
});

// I11. One wrong value refused the whole file.
test('one bad entry costs one entry', async () => {
  const { servers } = await imports.apply(
    file({
      bad: { url: 'https://b.example/mcp', headers: { 'X-Timeout': 30 } },
      n: null,
      s: 'text',
      list: [],
      wrong: { url: 5 },
      good: { url: 'https://g.example/mcp' },
    }),
  );
  expect(servers.map(({ name, kind, applied }) => [name, kind, applied])).toEqual([
    ['bad', 'CREATE', true],
    ['good', 'CREATE', true],
    ['n', 'SKIP', false],
    ['s', 'SKIP', false],
    ['list', 'SKIP', false],
    ['wrong', 'SKIP', false],
  ]);
  for (const { notes, kind } of servers) if (kind === 'SKIP') expect(notes[0]).toMatch(/\w/);
  expect(await imports.headersOf('bad')).toEqual({ 'X-Timeout': '30' });
});

// I15. OAuth 2 and headers: the headers were dropped. What is sent then: oauth-with-headers.test.ts.
test('headers beside OAuth 2 are stored with it', async () => {
  const oauth = {
    clientId: 'c',
    authorizationUrl: 'https://g.example/a',
    tokenUrl: 'https://g.example/t',
    scopes: ['s'],
  };
  const entry = { httpUrl: 'https://logging.g.example/mcp', oauth, headers: { 'x-goog-user-project': 'P' } };
  const { servers } = await imports.apply(file({ g: entry }));
  expect(servers[0]).toMatchObject({
    applied: true,
    config: { authType: 'OAUTH2', oauth2Scopes: ['s'], hasCustomHeaders: true },
  });
});

// Clients keep servers in their files that are switched off.
describe('a server that is switched off in the file', () => {
  test.each([{ disabled: true }, { enabled: false }, { isActive: false }])('%j stays off', async (entry) => {
    await imports.apply({ gatehouse: 1, servers: { it: { url: 'https://it.example/mcp', enabled: true } } });
    const { servers } = await imports.apply(one(entry));
    expect(servers[0]).toMatchObject({ kind: 'UPDATE', config: { enabled: false } });
    expect(servers[0]?.notes).toContain('It is disabled in the file, so it is imported disabled.');
  });

  test.each([{ disabled: false }, { enabled: true }, { isActive: true }])('%j switches nothing on', async (entry) => {
    expect((await imports.apply(one(entry))).servers[0]?.config).toMatchObject({ enabled: false });
  });
});

// I18. The only secret of some servers is a long part of the path.
test.each([
  ['https://mcp.z.example/api/mcp/s/LONGRANDOMPART/mcp', true],
  ['https://mcp.z.example/s/3f0c0c52-7c6b-4e8c-9a39-0d9b3a1f5d11/mcp', true],
  ['https://mcp.z.example/a8Zk29dLpQ7xY1/sse', true],
  ['https://mcp.z.example/mcp?k=9f86d081884c7d659a2feaa0c55ad015', true],
  ['https://mcp.z.example/mcp?api_key=x', true],
  ['https://mcp.z.example/api/v2/streamable-http/mcp', false],
  ['https://mcp.z.example/organizations/documentation/mcp', false],
  ['https://mcp.z.example/2025-06-18/mcp?region=eu', false],
])('a note about secrets in the URL %s: %s', async (url, isNoted) => {
  const { servers } = await imports.dryRun(file({ it: { url } }));
  expect(servers[0]?.notes.some((note) => note.startsWith('The URL seems to contain a secret'))).toBe(isNoted);
});

test('an unknown field of our own format costs the entry, and names the nearest', async () => {
  const servers = { it: { url: 'https://it.example/mcp', toolDenylist: ['delete'] } };
  const { servers: result, notes } = await imports.apply({ gatehouse: 1, servers, server: {} });
  expect(result).toMatchObject([{ kind: 'SKIP', applied: false }]);
  expect(result[0]?.notes[0]).toContain('toolDenylist: Is not a known field. The nearest known one is "toolDenyList".');
  expect(notes.join()).toContain('"server"');
});

test('what is beside the servers in a file is told', async () => {
  const { notes } = await imports.dryRun({ mcpServers: {}, mcpServer: {}, globalShortcut: '' });
  expect(notes.join()).toContain('Beside "mcpServers": Ignored');
  expect(notes.join()).toContain('"mcpServer" (did you mean "mcpServers"?)');
});
