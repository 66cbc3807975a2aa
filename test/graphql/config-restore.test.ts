import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createId, issuesOf, type LooseInput, update } from './config-operations.ts';
import { uniqueSlug } from './root-fields.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway?.close());

const FIELDS = 'version displayName slug description url enabled availability toolDenyList authType hasApiKey';

function restore(
  input: { id: string; version: number; expectedVersion?: number },
  caller: 'admin' | 'member' = 'admin',
) {
  const query = `mutation ($input: RestoreMcpServerConfigVersionInput!) {
    restoreMcpServerConfigVersion(input: $input) { unrestoredSecrets mcpServerConfig { ${FIELDS} } } }`;
  return gateway.graphql(query, { token: gateway.tokens[caller], variables: { input } });
}

async function change(id: string, patch: LooseInput): Promise<void> {
  expect((await update(gateway, id, patch)).errors).toBeUndefined();
}

const restored = async (input: { id: string; version: number; expectedVersion?: number }) => {
  const { data, errors } = await restore(input);
  expect(errors).toBeUndefined();
  return data.restoreMcpServerConfigVersion;
};

describe('restoreMcpServerConfigVersion', () => {
  test('makes a new version with the values of an earlier one, field by field', async () => {
    const slug = uniqueSlug();
    const id = await createId(gateway, { slug, description: 'First.', toolDenyList: ['a'] });
    await change(id, { description: 'Second.', toolDenyList: ['a', 'b'] });
    await change(id, { displayName: 'Third', slug: uniqueSlug(), availability: 'FORCE_ON' });
    expect((await restored({ id, version: 1 })).mcpServerConfig).toMatchObject({
      version: 4,
      displayName: 'Tools',
      slug,
      description: 'First.',
      toolDenyList: ['a'],
      availability: 'DEFAULT_OFF',
    });
    // A restoration is a change like others: it can be undone.
    expect((await restored({ id, version: 3, expectedVersion: 4 })).mcpServerConfig).toMatchObject({
      version: 5,
      displayName: 'Third',
      description: 'Second.',
      toolDenyList: ['a', 'b'],
      availability: 'FORCE_ON',
    });
    expect((await restored({ id, version: 2 })).mcpServerConfig).toMatchObject({
      version: 6,
      displayName: 'Tools',
      description: 'Second.',
    });
  });

  test('is recorded with the version and each field', async () => {
    const id = await createId(gateway, { description: 'First.' });
    await change(id, { description: 'Second.' });
    await restored({ id, version: 1 });
    const query = `{ mcpServerConfigHistory(id: "${id}", first: 1) { nodes { action reason changes { field before after } } } }`;
    const { data } = await gateway.graphql(query, { token: gateway.tokens.auditor });
    expect(data.mcpServerConfigHistory.nodes).toEqual([
      {
        action: 'MCP_SERVER_CONFIG_UPDATE',
        reason: 'Restored version 1.',
        changes: [{ field: 'description', before: '"Second."', after: '"First."' }],
      },
    ]);
  });

  test('switches nothing on, and names the secrets that it leaves as they are', async () => {
    const key = { authType: 'API_KEY', apiKeyHeader: 'X-Key', apiKeyValue: 'one' };
    const id = await createId(gateway, { ...key, enabled: true, description: 'First.' });
    await change(id, { enabled: false, apiKeyValue: 'two', description: 'Second.' });
    const { unrestoredSecrets, mcpServerConfig } = await restored({ id, version: 1 });
    expect(unrestoredSecrets).toEqual(['apiKeyValue']);
    expect(mcpServerConfig).toMatchObject({ description: 'First.', enabled: false, hasApiKey: true });
  });

  test('sends a stored secret to no other origin, and makes up none', async () => {
    const key = { authType: 'API_KEY', apiKeyHeader: 'X-Key', apiKeyValue: 'one' };
    const moved = await createId(gateway, { ...key, url: 'https://first.example.com/mcp' });
    await change(moved, { url: 'https://second.example.com/mcp', apiKeyValue: 'two' });
    expect(issuesOf(await restore({ id: moved, version: 1 }))).toEqual(['apiKeyValue: SECRET_NOT_RESENT']);
    const opened = await createId(gateway, key);
    await change(opened, { authType: 'NONE' });
    expect(issuesOf(await restore({ id: opened, version: 1 }))).toEqual(['apiKeyValue: REQUIRED']);
  });

  test('does not take a version that is not an earlier one, or that the audit log no longer has', async () => {
    const id = await createId(gateway, { description: 'First.' });
    for (const version of [-1, 0, 1, 2, 2_000_000_000]) {
      expect(issuesOf(await restore({ id, version })), String(version)).toEqual(['version: OUT_OF_RANGE']);
    }
    await change(id, { description: 'Second.' });
    const stale = await restore({ id, version: 1, expectedVersion: 1 });
    expect(stale.errors?.[0].extensions).toMatchObject({ code: 'VERSION_MISMATCH', currentVersion: 2 });
    // As if the entries before were removed by age.
    await gateway.database.query('UPDATE mcp_server_configs SET version = 5 WHERE id = $1::uuid', [id]);
    expect(issuesOf(await restore({ id, version: 1 }))).toEqual(['version: OUT_OF_RANGE']);
    expect((await restored({ id, version: 4 })).mcpServerConfig).toMatchObject({ version: 6, description: 'First.' });
    await gateway.database.query('UPDATE mcp_server_configs SET version = 5000 WHERE id = $1::uuid', [id]);
    expect(issuesOf(await restore({ id, version: 1 }))).toEqual(['version: OUT_OF_RANGE']);
  });

  test('is for admins', async () => {
    const id = await createId(gateway, { enabled: true });
    await change(id, { description: 'Second.' });
    expect((await restore({ id, version: 1 }, 'member')).errors?.[0].extensions.code).toBe('FORBIDDEN');
    const missing = await restore({ id: crypto.randomUUID(), version: 1 });
    expect(missing.errors?.[0].extensions.code).toBe('NOT_FOUND');
  });
});

describe('User.can', () => {
  const readOwn = async (caller: 'admin' | 'auditor' | 'service' | 'member'): Promise<string[]> =>
    (await gateway.graphql('{ viewer { can } }', { token: gateway.tokens[caller] })).data.viewer.can;

  test('tells each role what it may do, and nothing that only the gateway does', async () => {
    const [admin, auditor, service, member] = await Promise.all(
      (['admin', 'auditor', 'service', 'member'] as const).map(readOwn),
    );
    expect(admin).toEqual([...(admin ?? [])].sort());
    expect(admin).toContain('mcpServerConfig.update');
    expect(auditor).toContain('auditLog.read');
    expect(member).toEqual(expect.arrayContaining(['chat.create', 'mcpServerConnection.connect', 'viewer.read']));
    for (const others of [auditor, service, member]) expect(others).not.toContain('mcpServerConfig.update');
    for (const role of [service, member]) expect(role).not.toContain('auditLog.read');
    for (const role of [admin, auditor, service, member]) expect(role).not.toContain('auditLog.append');
  });

  test('tells what another user may do by their role, and that a suspended one may do nothing', async () => {
    const { member, suspended } = gateway.userIds;
    const query = `{ one: user(id: "${member}") { can } none: user(id: "${suspended}") { can } }`;
    const { data } = await gateway.graphql(query, { token: gateway.tokens.admin });
    expect(data.one.can).toEqual(await readOwn('member'));
    expect(data.none.can).toEqual([]);
  });
});
