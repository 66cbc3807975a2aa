import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { UpstreamListing } from '../../src/domain/catalogue/upstream-tools.ts';
import { type ConnectedWorld, openConnectedWorld } from '../http/connection-setup.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { readEntries } from './audit-entries.ts';
import { HEADER, KEY, SECRET, secretsWith, TRACES } from './canaries.ts';
import { createId } from './config-operations.ts';
import { readAllRows } from './database-rows.ts';

interface GivenSecret {
  slug: string;
  placeholder: string;
  value: string;
}

const FIELDS = `diff servers { name slug kind applied notes error
  missingSecrets { placeholder field header description } config { id slug url hasApiKey hasCustomHeaders } }`;

async function importFile(
  gateway: TestGateway,
  file: unknown,
  options: { dryRun?: boolean; secrets?: GivenSecret[] } = {},
) {
  const content = typeof file === 'string' ? file : JSON.stringify(file);
  const query = `mutation ($input: ImportMcpServersInput!) { importMcpServers(input: $input) { ${FIELDS} } }`;
  const variables = { input: { content, ...options } };
  const answer = await gateway.graphql(query, { token: gateway.tokens.admin, variables });
  return { ...answer, report: answer.data?.importMcpServers };
}

async function exportFile(gateway: TestGateway): Promise<string> {
  const { data } = await gateway.graphql('{ exportMcpServers }', { token: gateway.tokens.auditor });
  return data.exportMcpServers;
}

const kindsOf = (report: any) => report.servers.map(({ name, kind }: any) => `${name}: ${kind}`);

function expectNoTraces(text: string): void {
  for (const trace of TRACES) expect(text).not.toContain(trace);
}

describe('a file of servers', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await createTestGateway();
  });
  afterAll(() => gateway?.close());

  test('is compared first without changes, and applied on request', async () => {
    const file = {
      mcpServers: { one: { url: 'https://one.example.com/mcp' }, local: { command: 'npx', args: ['-y', 'x'] } },
    };
    // The first use of a token is recorded.
    await gateway.graphql('{ viewer { id } }', { token: gateway.tokens.admin });
    const before = await readAllRows(gateway.database);
    const dry = await importFile(gateway, file);
    expect(kindsOf(dry.report)).toEqual(['one: CREATE', 'local: SKIP']);
    expect(dry.report.servers[0]).toMatchObject({ applied: false, config: null, error: null });
    expect(dry.report.diff).toContain('1 to create, 0 to update, 0 unchanged, 1 skipped.');
    expect(await readAllRows(gateway.database)).toEqual(before);

    const applied = await importFile(gateway, file, { dryRun: false });
    expect(applied.report.diff).toBe(dry.report.diff);
    expect(applied.report.servers[0]).toMatchObject({ applied: true, config: { slug: 'one' } });
    expect(applied.report.servers[1]).toMatchObject({ applied: false, slug: null, config: null });
    const again = await importFile(gateway, file, { dryRun: false });
    expect(again.report.servers[0]).toMatchObject({ kind: 'UNCHANGED', applied: false });
  });

  test('that lacks secrets is imported without those servers until they are given', async () => {
    const file = {
      mcpServers: {
        complete: { url: 'https://complete.example.com/mcp' },
        keyed: { url: 'https://keyed.example.com/mcp', headers: { Authorization: 'Bearer ${KEY}' } },
      },
    };
    const first = await importFile(gateway, file, { dryRun: false });
    const keyed = first.report.servers[1];
    expect(keyed).toMatchObject({ kind: 'CREATE', applied: false, error: null, config: null });
    expect(first.report.servers[0]).toMatchObject({ applied: true });
    const [missing] = keyed.missingSecrets;
    const secrets = [{ slug: keyed.slug, placeholder: missing.placeholder, value: KEY }];
    const second = await importFile(gateway, file, { dryRun: false, secrets });
    expect(second.errors).toBeUndefined();
    expect(second.report.servers[1]).toMatchObject({ applied: true, missingSecrets: [] });
    const { hasApiKey, hasCustomHeaders } = second.report.servers[1].config;
    expect(hasApiKey || hasCustomHeaders).toBe(true);
    expectNoTraces(JSON.stringify(second));
  });

  test('with an invalid server is imported with the others', async () => {
    const file = {
      mcpServers: {
        good: { url: 'https://good.example.com/mcp' },
        bad: { url: 'http://bad.example.com/mcp' },
        better: { url: 'https://better.example.com/mcp' },
      },
    };
    const { report } = await importFile(gateway, file, { dryRun: false });
    expect(report.servers.map(({ applied }: any) => applied)).toEqual([true, false, true]);
    expect(report.servers[1].error).toMatch(/^VALIDATION_FAILED: /);
  });

  test('that is unreadable is refused as a whole', async () => {
    for (const content of ['', 'no JSON', '[]', '{}', '{"mcpServers": 1}']) {
      const { errors } = await importFile(gateway, content, { dryRun: false });
      expect(
        errors?.map(({ extensions }) => extensions.code),
        content,
      ).toEqual(['VALIDATION_FAILED']);
    }
  });

  test('an export has everything but the secrets, and re-importing it changes nothing', async () => {
    await createId(gateway, {
      ...secretsWith((canary) => canary),
      authType: 'API_KEY',
      apiKeyHeader: 'X-Key',
      availability: 'FORCE_ON',
      enabled: true,
      toolAllowList: ['a', 'b'],
      toolDenyList: ['c'],
      description: 'Says "much".',
    });
    const file = await exportFile(gateway);
    expectNoTraces(file);
    expect(file).toContain('${secret:apiKeyValue}');
    const before = await readAllRows(gateway.database);
    const { report } = await importFile(gateway, file, { dryRun: false });
    expect(report.servers.length).toBeGreaterThan(3);
    for (const server of report.servers) {
      expect(server).toMatchObject({ kind: 'UNCHANGED', applied: false, error: null, missingSecrets: [] });
    }
    expect(await readAllRows(gateway.database)).toEqual(before);
    expect(await exportFile(gateway)).toBe(file);
  });

  test('an export imported into another gateway with its secrets exports the same file', async () => {
    const file = await exportFile(gateway);
    const other = await createTestGateway();
    try {
      const dry = await importFile(other, file);
      const values: Record<string, string> = { customHeaders: JSON.stringify({ 'X-Canary': HEADER }) };
      const secrets = dry.report.servers.flatMap(({ slug, missingSecrets }: any) =>
        missingSecrets.map(({ placeholder, field }: any) => ({ slug, placeholder, value: values[field] ?? SECRET })),
      );
      expect(secrets.length).toBeGreaterThan(2);
      const { report } = await importFile(other, file, { dryRun: false, secrets });
      for (const { applied, error } of report.servers) expect([applied, error]).toEqual([true, null]);
      expect(await exportFile(other)).toBe(file);
      const everything = [JSON.stringify(report), other.logs(), JSON.stringify(await readEntries(other))];
      expectNoTraces([...everything, await exportFile(other)].join('\n'));
    } finally {
      await other.close();
    }
  });

  test('a secret in a file is never in an answer, a log or the audit log', async () => {
    const headers = { Authorization: `Bearer ${KEY}`, 'X-Team': HEADER };
    const file = { mcpServers: { leaky: { url: 'https://leaky.example.com/mcp', headers } } };
    const broken = { mcpServers: { leaky2: { url: `ftp://x/${'y'.repeat(9)}`, headers } } };
    const answers = [
      await importFile(gateway, file),
      await importFile(gateway, file, { dryRun: false }),
      await importFile(gateway, broken, { dryRun: false }),
      await importFile(gateway, `${JSON.stringify(file)}}`, { dryRun: false }),
      await importFile(gateway, file, {
        dryRun: false,
        secrets: [{ slug: 'leaky', placeholder: 'none', value: SECRET }],
      }),
    ];
    expect(answers[1]?.report.servers[0]).toMatchObject({ applied: true });
    const everything = [JSON.stringify(answers), gateway.logs(), JSON.stringify(await readEntries(gateway))];
    expectNoTraces([...everything, await exportFile(gateway)].join('\n'));
  });

  test.each(['member', 'service', 'auditor'] as const)('a %s cannot import', async (caller) => {
    const query = 'mutation { importMcpServers(input: { content: "{}" }) { diff } }';
    const { errors } = await gateway.graphql(query, { token: gateway.tokens[caller] });
    expect(errors?.[0].extensions.code).toBe('FORBIDDEN');
  });
});

describe('a server with discovered OAuth settings', () => {
  let world: ConnectedWorld;
  beforeAll(async () => {
    world = await openConnectedWorld();
  });
  afterAll(() => world?.close());

  test('is exported without them and unchanged by re-import, registration included', async () => {
    const { gateway, as } = world;
    await world.define({ description: 'Discovered.' });
    const file = await exportFile(gateway);
    expect(file).not.toContain(as.issuer);
    const before = await readAllRows(gateway.database);
    const { report } = await importFile(gateway, file, { dryRun: false });
    expect(kindsOf(report)).toEqual([expect.stringMatching(/: UNCHANGED$/)]);
    expect(await readAllRows(gateway.database)).toEqual(before);
  });

  test('takes changes from an import and stays discovered', async () => {
    const { gateway, as } = world;
    const file = (await exportFile(gateway)).replace('Discovered.', 'Still discovered.');
    const count = async () => (await readAllRows(gateway.database))['mcp_server_oauth_discoveries'];
    const before = await count();
    const { report } = await importFile(gateway, file, { dryRun: false });
    expect(report.servers).toMatchObject([{ kind: 'UPDATE', applied: true, error: null }]);
    expect(await count()).toEqual(before);
    expect(await exportFile(gateway)).toBe(file);
    const { data } = await gateway.graphql('{ mcpServerConfigs { nodes { oauth2Issuer description } } }', {
      token: gateway.tokens.admin,
    });
    expect(data.mcpServerConfigs.nodes).toEqual([{ oauth2Issuer: as.issuer, description: 'Still discovered.' }]);
  });
});

describe('approvals of tools', () => {
  const descriptions = new Map<string, string>();
  const listTools = async (): Promise<UpstreamListing> => {
    const tools = [...descriptions].map(([name, description]) => ({
      name,
      description,
      inputSchema: { type: 'object' },
    }));
    return { kind: 'listed', tools, latencyMs: 1, server: null };
  };
  const PINNED = { slug: 'pinned', displayName: 'Pinned', url: 'https://pinned.example.com/mcp', enabled: true };
  let source: TestGateway;
  let target: TestGateway;
  let file: any;

  beforeAll(async () => {
    source = await createTestGateway({ upstreamTools: { listTools } });
    target = await createTestGateway({ upstreamTools: { listTools } });
    descriptions.set('read', 'Reads.').set('write', 'Writes.');
    await createId(source, { ...PINNED, toolApproval: 'PIN' });
    expect(await refresh(source)).toEqual({ problem: null, approvedCount: 2 });
    file = JSON.parse(await exportFile(source));
  });
  afterAll(async () => {
    await source?.close();
    await target?.close();
  });

  const find = async (gateway: TestGateway): Promise<any> => {
    const query = '{ mcpServerConfig(by: { slug: "pinned" }) { id tools { nodes { name digest decision } } } }';
    return (await gateway.graphql(query, { token: gateway.tokens.admin })).data.mcpServerConfig;
  };
  const refresh = async (gateway: TestGateway): Promise<any> => {
    const { id } = await find(gateway);
    const query = `mutation { refreshMcpServerTools(input: { id: "${id}" }) { problem approvedCount } }`;
    return (await gateway.graphql(query, { token: gateway.tokens.admin })).data.refreshMcpServerTools;
  };
  const decisionsOf = async (gateway: TestGateway): Promise<Record<string, string>> =>
    Object.fromEntries((await find(gateway)).tools.nodes.map(({ name, decision }: any) => [name, decision]));

  test('are in the export, with names and digests, and nothing else', async () => {
    const { tools } = await find(source);
    const approvedTools = tools.nodes.map(({ name, digest }: any) => ({ name, digest }));
    expect(file.servers.pinned.approvedTools).toEqual(approvedTools);
  });

  test('of a new server are told by a dry run, and count when the server lists the tools like that, and no other', async () => {
    const dry = await importFile(target, file);
    expect(dry.report.diff).toContain('approvedTools: 2 when listed like this ["read","write"]');
    expect(dry.report.servers[0].notes).toContainEqual(expect.stringContaining('the same digest'));
    expect(await find(target)).toBeNull();
    const applied = await importFile(target, file, { dryRun: false });
    expect(applied.report.servers[0]).toMatchObject({ kind: 'CREATE', applied: true, error: null });
    descriptions.set('write', 'Writes, and sends it elsewhere.').set('new', 'Is new.');
    // The first list of an admin approves nothing that the import did not: it was decided elsewhere.
    expect(await refresh(target)).toEqual({ problem: null, approvedCount: 0 });
    expect(await decisionsOf(target)).toEqual({ new: 'PENDING', read: 'ALLOWED', write: 'PENDING' });
    descriptions.set('write', 'Writes.');
    await refresh(target);
    expect(await decisionsOf(target)).toEqual({ new: 'PENDING', read: 'ALLOWED', write: 'ALLOWED' });
    const again = await importFile(target, file, { dryRun: false });
    expect(again.report.servers[0]).toMatchObject({ kind: 'UNCHANGED', applied: false });
    const entries = (await readEntries(target)).filter(({ action }) => action === 'mcpServerTools.approve');
    const fieldsOf = (changes: string) => (JSON.parse(changes) as { field: string }[]).map(({ field }) => field);
    expect(entries.map(({ changes }) => fieldsOf(changes))).toEqual([['read', 'write'], ['read'], ['write']]);
  });

  test('of a listed tool count at once', async () => {
    const { tools } = await find(target);
    const { digest } = tools.nodes.find(({ name }: any) => name === 'new');
    const approvedTools = [{ name: 'new', digest }];
    const more = { ...file, servers: { pinned: { ...file.servers.pinned, approvedTools } } };
    expect((await importFile(target, more)).report.diff).toContain('approvedTools: (none) -> 1 now ["new"]');
    expect(await decisionsOf(target)).toMatchObject({ new: 'PENDING' });
    const applied = await importFile(target, more, { dryRun: false });
    expect(applied.report.servers[0]).toMatchObject({ kind: 'UPDATE', applied: true });
    expect(await decisionsOf(target)).toMatchObject({ new: 'ALLOWED' });
  });

  test('that an admin overtook do not approve what comes back', async () => {
    const former = (await find(target)).tools.nodes.find(({ name }: any) => name === 'read').digest;
    descriptions.set('read', 'Reads more.');
    await refresh(target);
    const { id, tools } = await find(target);
    // Imported for the former definition, while another one is pending.
    const imported = { ...file, servers: { pinned: { ...file.servers.pinned, approvedTools: [] } } };
    imported.servers.pinned.approvedTools.push({ name: 'read', digest: 'ab'.repeat(32) });
    await importFile(target, imported, { dryRun: false });
    expect(await decisionsOf(target)).toMatchObject({ read: 'PENDING' });
    const { digest } = tools.nodes.find(({ name }: any) => name === 'read');
    const approve = `mutation { approveMcpTools(input: { id: "${id}", tools: [{ name: "read", digest: "${digest}" }] }) { config { id } } }`;
    await target.graphql(approve, { token: target.tokens.admin });
    expect(await decisionsOf(target)).toMatchObject({ read: 'ALLOWED' });
    expect(JSON.parse(await exportFile(target)).servers.pinned.approvedTools).not.toContainEqual({
      name: 'read',
      digest: 'ab'.repeat(32),
    });
    descriptions.set('read', 'Reads.');
    await refresh(target);
    expect(former).not.toBe(digest);
    expect(await decisionsOf(target)).toMatchObject({ read: 'PENDING' });
  });

  test('cannot be imported by somebody who may not approve', async () => {
    const query = 'mutation ($input: ImportMcpServersInput!) { importMcpServers(input: $input) { diff } }';
    for (const role of ['auditor', 'service', 'member'] as const) {
      const variables = { input: { content: JSON.stringify(file), dryRun: false } };
      const { errors } = await target.graphql(query, { token: target.tokens[role], variables });
      expect(errors?.[0]?.extensions.code, role).toBe('FORBIDDEN');
    }
    expect(await decisionsOf(target)).toMatchObject({ read: 'PENDING' });
  });

  test.each<[string, unknown]>([
    ['no list', 'read'],
    ['no digest', [{ name: 'read' }]],
    ['a digest of another kind', [{ name: 'read', digest: 'AB'.repeat(32) }]],
    ['no name', [{ name: '', digest: 'ab'.repeat(32) }]],
    ['a name that no tool may have', [{ name: 'x'.repeat(129), digest: 'ab'.repeat(32) }]],
    ['too many', Array.from({ length: 1_001 }, (_, index) => ({ name: `t${index}`, digest: 'ab'.repeat(32) }))],
  ])('that are %s are refused', async (_name, approvedTools) => {
    const broken = { ...file, servers: { pinned: { ...file.servers.pinned, approvedTools } } };
    const { report } = await importFile(target, broken, { dryRun: false });
    expect(report.servers).toMatchObject([{ kind: 'SKIP', applied: false }]);
    expect(report.servers[0].notes.join()).toContain('approvedTools');
  });
});
