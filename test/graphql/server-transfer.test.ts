import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
