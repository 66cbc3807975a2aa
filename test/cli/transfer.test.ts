import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { makePlace, stop } from '../setup/place.ts';

const CANARY = `canary-${randomBytes(8).toString('hex')}`;
test('a file is compared, imported with secrets from another file, and exported without them', async () => {
  const { cwd, serve, ...place } = await makePlace({
    anyDatabase: true,
    env: { GATEHOUSE_ADMIN_TOKEN: randomBytes(24).toString('base64url') },
  });
  const run = async (...args: string[]) => {
    const result = await place.run(...args);
    expect(result.output).not.toContain(CANARY);
    return result;
  };
  const file = path.join(cwd, 'mcp.json');
  const mcpServers = {
    docs: { url: 'https://docs.example.com/mcp' },
    issues: { url: 'https://issues.example.com/mcp', headers: { Authorization: `Bearer \${KEY}` } },
    local: { command: 'npx' },
  };
  await writeFile(file, JSON.stringify({ mcpServers }));

  expect(await run('import', file)).toMatchObject({ code: 1, output: expect.stringContaining('No gateway responds') });
  expect(await run('export')).toMatchObject({ code: 1, output: expect.stringContaining('No gateway responds') });
  const gateway = await serve();

  const dry = await run('import', file);
  expect(dry.code).toBe(0);
  expect(dry.output).toContain('+ docs');
  expect(dry.output).toContain('- local');
  expect(dry.output).toContain('2 to create, 0 to update, 0 unchanged, 1 skipped.');
  expect(dry.output).toContain('Nothing was changed');
  expect(JSON.parse((await run('export')).output)).toMatchObject({ servers: {} });

  const incomplete = await run('import', file, '--yes');
  expect(incomplete.code).toBe(1);
  expect(incomplete.output).toContain('Created docs.');
  const placeholder = /Skipped issues: add "([^"]+)" to the --secrets file\./.exec(incomplete.output)?.[1] ?? '';
  expect(placeholder).not.toBe('');

  const secrets = path.join(cwd, 'secrets.json');
  await writeFile(secrets, '{"issues": ');
  const broken = await run('import', file, '--yes', '--secrets', secrets);
  expect(broken).toMatchObject({ code: 1, output: expect.stringContaining('is not JSON') });
  await writeFile(secrets, JSON.stringify({ issues: { [placeholder]: CANARY } }));
  const complete = await run('import', file, '--yes', '--secrets', secrets);
  expect(complete).toMatchObject({ code: 0, output: expect.stringContaining('Created issues.') });

  const exported = await run('export');
  expect(exported.code).toBe(0);
  expect(Object.keys(JSON.parse(exported.output).servers)).toEqual(['docs', 'issues']);
  await writeFile(file, exported.output);
  const again = await run('import', file, '--yes');
  expect(again).toMatchObject({ code: 0, output: expect.stringContaining('2 unchanged') });

  await writeFile(file, JSON.stringify({ mcpServers: { 'Docs 文档': { url: 'https://elsewhere.example.com/mcp' } } }));
  const asked = await run('import', file, '--yes');
  expect(asked).toMatchObject({ code: 1, output: expect.stringContaining('--update docs or --create docs') });
  expect((await run('import', file, '--yes', '--create', 'docs')).output).toContain('Created docs-2.');
  await writeFile(file, JSON.stringify({ mcpServers: { bad: { url: 'http://bad.example.com/mcp' } } }));
  const failing = await run('import', file);
  expect(failing).toMatchObject({ code: 1, output: expect.stringContaining('error: VALIDATION_FAILED') });

  expect(await run('import', path.join(cwd, 'none.json'))).toMatchObject({
    code: 1,
    output: expect.stringContaining('ENOENT'),
  });
  await stop(gateway);
  expect(gateway.output()).not.toContain(CANARY);
});
