import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { generateMasterKey } from '../../src/crypto/master-key.ts';
import { findTestServer } from '../setup/find-server.ts';
import { createOwnDatabase } from '../setup/own-database.ts';
import { makePlace, type Place, stop } from '../setup/place.ts';

const serverUrl = await findTestServer();
const CANARY = `canary-${randomBytes(8).toString('hex')}`;
/** Runs `gatehouse keys …` to its end. */
async function keys(place: Place, ...args: string[]): Promise<{ code: number | null; output: string }> {
  const result = await place.run('keys', ...args);
  expect(result.output).not.toContain(CANARY);
  return result;
}

async function createSecret({ ask }: Place, slug: string): Promise<void> {
  const query = 'mutation ($input: CreateMcpServerConfigInput!) { createMcpServerConfig(input: $input) { hasApiKey } }';
  const input = { displayName: slug, slug, url: 'https://mcp.example.com/', apiKeyValue: CANARY };
  expect(await ask(query, { variables: { input } })).toEqual({ createMcpServerConfig: { hasApiKey: true } });
}

// Both at the same time: each waits for one process after the other.

test.concurrent('with the embedded database, a key is replaced through the running gateway and survives a restart', async ({
  expect,
  onTestFinished,
}) => {
  const place = await makePlace({ atEnd: onTestFinished });
  const keyFile = path.join(place.dataDir, 'encryption-keys');
  const readKeys = async () => (await readFile(keyFile, 'utf8')).trim().split('\n');
  const gateway = await place.serve();
  await createSecret(place, 'first');
  const [formerKey = ''] = await readKeys();

  const list = await keys(place, 'list');
  expect(list.output).toContain('A gateway is using');
  expect(list.output).toMatch(/^1 {2}[0-9a-f]{12}… {2}active {2}1 value \(mcp_server_configs.api_key_value: 1\)$/m);
  expect((await keys(place, 'rotate')).output).toContain('0 values re-encrypted; other keys still seal 0.');

  const inUse = await keys(place, 'revoke', '1');
  expect(inUse).toMatchObject({ code: 1, output: expect.stringContaining('Key 1 seals new values') });

  const rotation = await keys(place, 'rotate', '--new-key');
  expect(rotation).toMatchObject({
    code: 0,
    output: expect.stringContaining('Key 2 was created and now seals new values.'),
  });
  expect(rotation.output).toContain('1 value re-encrypted; other keys still seal 0.');
  expect(rotation.output).toContain('Revoke it with `gatehouse keys revoke 1`.');
  expect(await readKeys()).toEqual([expect.any(String), formerKey]);
  await createSecret(place, 'second');
  expect(await keys(place, 'verify')).toMatchObject({
    code: 0,
    output: expect.stringContaining('4 values checked, 0'),
  });

  expect(await keys(place, 'revoke', '1')).toMatchObject({ code: 0 });
  const [newKey] = await readKeys();
  expect(await readKeys()).toEqual([newKey]);
  expect(newKey).not.toBe(formerKey);
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  await stop(gateway);
  for (const key of [formerKey, newKey]) expect(gateway.output()).not.toContain(key);
  expect(gateway.output()).not.toContain(CANARY);

  // As after a crash between the revocation and the change of the file.
  await writeFile(keyFile, `${newKey}\n${formerKey}\n`);
  await stop(await place.serve());
  expect(await readKeys()).toEqual([newKey]);

  // No gateway holds the folder now: the commands open it themselves.
  const alone = await keys(place, 'verify');
  expect(alone).toMatchObject({ code: 0, output: expect.stringContaining('3 values checked, 0 failed to open.') });
  expect(alone.output).not.toContain('A gateway is using');
  expect((await keys(place, 'list')).output).toMatch(/^1 .* revoked {2}0 values$/m);
});

test
  .runIf(serverUrl !== undefined)
  .concurrent('with a server keys are replaced step by step while replicas run', async ({ expect, onTestFinished }) => {
    const [formerKey, newKey] = [generateMasterKey(), generateMasterKey()];
    const database = await createOwnDatabase(serverUrl ?? '');
    onTestFinished(database.drop);
    const env = {
      DATABASE_URL: database.url,
      GATEHOUSE_ENCRYPTION_KEYS: formerKey,
      // No load balancer has to notice.
      GATEHOUSE_SHUTDOWN_DELAY_SECONDS: '0',
    };
    const place = await makePlace({ env, atEnd: onTestFinished });
    const withKeys = (...list: string[]) => place.with({ GATEHOUSE_ENCRYPTION_KEYS: list.join(',') });
    const first = await place.serve();
    await createSecret(place, 'first');
    await stop(first);

    // 1. Add the new key last, so that every replica can decrypt with it. 2. Then move it to the front.
    await stop(await withKeys(formerKey, newKey).serve());
    const promoted = withKeys(newKey, formerKey);
    const gateway = await promoted.serve();
    const noNewKey = await keys(promoted, 'rotate', '--new-key');
    expect(noNewKey).toMatchObject({ code: 1, output: expect.stringContaining('GATEHOUSE_ENCRYPTION_KEYS') });
    const dryRun = await keys(promoted, 'rotate', '--dry-run');
    expect(dryRun).toMatchObject({ code: 0, output: expect.stringContaining('1 value to re-encrypt') });
    const tooEarly = await keys(promoted, 'revoke', '1');
    expect(tooEarly.code).toBe(1);
    expect(tooEarly.output).toContain('Key 1 still seals 1 value (mcp_server_configs.api_key_value: 1)');

    // 3. While a gateway runs.
    expect(await keys(promoted, 'rotate')).toMatchObject({
      code: 0,
      output: expect.stringContaining('1 value re-encrypted'),
    });
    expect((await keys(promoted, 'list')).output).toMatch(/^2 .* active {2}1 value/m);

    // 4. and 5.
    expect(await keys(withKeys(newKey), 'revoke', '1')).toMatchObject({ code: 0 });
    const readiness = await fetch(`http://localhost:${place.port}/readyz`);
    expect([readiness.status, await readiness.json()]).toMatchObject([200, { status: 'ok' }]);
    await stop(gateway);
    await stop(await withKeys(newKey).serve());
    const refused = await promoted.run('serve');
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('key 1');
    expect(refused.output).toContain('is revoked');

    // A lost key: each value encrypted with it is listed on its own line.
    const lost = await keys(withKeys(generateMasterKey()), 'verify');
    expect(lost.code).toBe(1);
    expect(lost.output).toMatch(/^failed to open: mcp_server_configs\.api_key_value [0-9a-f-]{36} \(unknown_key\)$/m);
  });

test('an invalid number is refused before the database is opened', async () => {
  const place = await makePlace({ isNew: true });
  const { code, output } = await keys(place, 'revoke', 'x');
  expect(code).toBe(1);
  expect(output).toContain('Must be the number of a key');
});
