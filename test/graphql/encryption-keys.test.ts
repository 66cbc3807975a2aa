import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { CreateConfig } from '../setup/operations.ts';
import { SERVER_URL } from '../setup/sealed-text.ts';
import { breakCustomHeaders, loseKeyOfApiKey, registerRevokedKey } from './encryption-key-rows.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway?.close());
beforeEach(() => gateway.database.query('DELETE FROM mcp_server_configs'));

const ask = (query: string, variables?: unknown) => gateway.graphql(query, { token: gateway.tokens.admin, variables });

/** An enabled config with an API key and custom headers. @returns its id */
async function createConfig(): Promise<string> {
  const slug = `s-${randomUUID()}`;
  const input = {
    displayName: slug,
    slug,
    url: 'https://mcp.example.com/',
    enabled: true,
    apiKeyHeader: 'X-Key',
    apiKeyValue: 'key',
    customHeaders: [{ name: 'X-Custom', value: 'header' }],
  };
  const { data } = await gateway.execute(CreateConfig, { token: gateway.tokens.admin, variables: { input } });
  return data.createMcpServerConfig.id;
}

const KEYS = '{ encryptionKeys { number digest status configured sealedValueCount uses { table column count } } }';
const ROTATE = `mutation ($dryRun: Boolean, $first: Int) { rotateEncryptionKeys(dryRun: $dryRun, first: $first) {
  total resealed remaining failureCount failures { table column id reason } } }`;
const REVOKE = 'mutation ($number: Int!) { revokeEncryptionKey(number: $number) { number status revokedAt } }';

/** The active key. */
async function findActive(): Promise<{ number: number; digest: string; sealedValueCount: number }> {
  const { data } = await ask(KEYS);
  return data.encryptionKeys.find((key: { status: string }) => key.status === 'ACTIVE');
}

describe('a key', () => {
  test('is replaced step by step: new key, re-encryption, revocation of the old key', async () => {
    await createConfig();
    const former = await findActive();
    expect(former.sealedValueCount).toBe(2);
    const added = await ask('mutation { addEncryptionKey { number status sealedValueCount } }');
    expect(added.data.addEncryptionKey).toEqual({
      number: expect.any(Number),
      status: 'ACTIVE',
      sealedValueCount: 0,
    });
    await createConfig();

    const refused = await ask(REVOKE, { number: former.number });
    expect(refused.errors).toMatchObject([{ extensions: { code: 'CONFLICT', field: 'number' } }]);
    expect(refused.errors?.[0].message).toContain('2 values');
    expect(refused.errors?.[0].message).toContain('mcp_server_configs.api_key_value: 1');

    const counts = { total: 2, failureCount: 0, failures: [] };
    const dryRun = await ask(ROTATE, { dryRun: true });
    expect(dryRun.data.rotateEncryptionKeys).toEqual({ ...counts, resealed: 0, remaining: 2 });
    const rotation = await ask(ROTATE);
    expect(rotation.data.rotateEncryptionKeys).toEqual({ ...counts, resealed: 2, remaining: 0 });

    const revoked = await ask(REVOKE, { number: former.number });
    expect(revoked.data.revokeEncryptionKey).toMatchObject({ status: 'REVOKED', revokedAt: expect.any(String) });
    expect((await findActive()).sealedValueCount).toBe(4);
    const verified = await ask('mutation { verifyEncryptedValues { checked failureCount } }');
    expect(verified.data.verifyEncryptedValues).toEqual({ checked: 5, failureCount: 0 });
  });

  test('that is active or does not exist is not revoked', async () => {
    const { number } = await findActive();
    expect((await ask(REVOKE, { number })).errors).toMatchObject([{ extensions: { code: 'CONFLICT' } }]);
    expect((await ask(REVOKE, { number: 9_999 })).errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }]);
  });

  test('revoked by another replica is dropped, and the gateway stays ready', async () => {
    const number = await registerRevokedKey(gateway);
    const { data } = await ask(KEYS);
    expect(data.encryptionKeys.find((key: { number: number }) => key.number === number)).toMatchObject({
      status: 'REVOKED',
      configured: false,
    });
    expect((await gateway.fetch('/readyz')).status).toBe(200);
  });

  test.each([0, -1, 50_001])('is not rotated for %d values a call', async (first) => {
    const { errors } = await ask(ROTATE, { first });
    expect(errors).toMatchObject([{ extensions: { code: 'VALIDATION_FAILED', issues: [{ path: ['first'] }] } }]);
  });
});

describe('a stored secret that cannot be decrypted', () => {
  const STATES = '{ mcpServerConfigs { nodes { id viewerState hasApiKey hasCustomHeaders } } }';

  async function readStates(token: string): Promise<Record<string, string>> {
    const { data, errors } = await gateway.graphql(STATES, { token });
    expect(errors).toBeUndefined();
    const nodes: { id: string; viewerState: string }[] = data.mcpServerConfigs.nodes;
    return Object.fromEntries(nodes.map(({ id, viewerState }) => [id, viewerState]));
  }

  test('fails only where it is needed, and is logged and counted', async () => {
    const [broken, sound] = [await createConfig(), await createConfig()];
    await breakCustomHeaders(gateway, broken);
    const failure = { code: 'DECRYPTION_FAILED', details: { column: 'custom_headers', id: broken } };
    await expect(gateway.secrets.open(broken, 'customHeaders', [SERVER_URL])).rejects.toMatchObject(failure);
    expect((await gateway.secrets.open(broken, 'apiKeyValue', [SERVER_URL]))?.expose()).toBe('key');
    expect((await gateway.secrets.open(sound, 'customHeaders', [SERVER_URL]))?.expose()).toContain('header');
    expect(await gateway.secrets.open(sound, 'oauth2ClientSecret', [SERVER_URL])).toBeNull();

    for (const role of ['admin', 'member'] as const) {
      expect(await readStates(gateway.tokens[role])).toEqual({ [broken]: 'UNAVAILABLE', [sound]: 'READY' });
    }
    expect((await gateway.fetch('/readyz')).status).toBe(200);
    expect(await (await gateway.fetch('/metrics')).text()).toContain(
      'gatehouse_sealed_value_open_failures_total{table="mcp_server_configs",column="custom_headers"} 1',
    );
    const line = gateway
      .logs()
      .split('\n')
      .find((each) => each.includes('a sealed value does not open'));
    expect(JSON.parse(line ?? '{}')).toMatchObject({ rowId: broken, column: 'custom_headers', reason: 'tag' });
  });

  test('is available again when it is set again', async () => {
    const id = await createConfig();
    await breakCustomHeaders(gateway, id);
    await expect(gateway.secrets.open(id, 'customHeaders', [SERVER_URL])).rejects.toMatchObject({
      code: 'DECRYPTION_FAILED',
    });
    await ask(
      `mutation { updateMcpServerConfig(id: "${id}", patch: { customHeaders: [{ name: "X-New", value: "new" }] }) { id } }`,
    );
    expect(await readStates(gateway.tokens.admin)).toEqual({ [id]: 'READY' });
    expect((await gateway.secrets.open(id, 'customHeaders', [SERVER_URL]))?.expose()).toContain('X-New');
  });

  test('with a missing key is shown without an attempt to decrypt it', async () => {
    const [lost, sound] = [await createConfig(), await createConfig()];
    const digest = await loseKeyOfApiKey(gateway, lost);
    expect(await readStates(gateway.tokens.member)).toEqual({ [lost]: 'UNAVAILABLE', [sound]: 'READY' });
    const { data } = await ask(KEYS);
    expect(data.encryptionKeys.find((key: { digest: string }) => key.digest === digest)).toMatchObject({
      configured: false,
      sealedValueCount: 1,
    });
    const verified = await ask('mutation { verifyEncryptedValues { failures { table column id reason } } }');
    expect(verified.data.verifyEncryptedValues.failures).toEqual([
      { table: 'mcp_server_configs', column: 'api_key_value', id: lost, reason: 'UNKNOWN_KEY' },
    ]);
    const rotation = await ask(ROTATE);
    expect(rotation.data.rotateEncryptionKeys).toMatchObject({ remaining: 1, failureCount: 1 });

    // No key can be added before that is fixed, and the attempt leaves none behind.
    const keysBefore = gateway.keyring.keys.length;
    const added = await ask('mutation { addEncryptionKey { number } }');
    expect(added.errors).toMatchObject([{ extensions: { code: 'CONFLICT' } }]);
    expect(added.errors?.[0].message).toContain('is not configured and still seals 1 value');
    expect(gateway.keyring.keys).toHaveLength(keysBefore);
    expect((await ask(KEYS)).data.encryptionKeys).toHaveLength(data.encryptionKeys.length);
  });

  test('of a missing config is not found', async () => {
    await expect(gateway.secrets.open(randomUUID(), 'apiKeyValue', [SERVER_URL])).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});
