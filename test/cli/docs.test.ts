import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { makePlace } from '../setup/place.ts';
import { GATEHOUSE_COMMAND } from '../setup/process.ts';

/** The shell blocks of a document. */
function shellBlocks(file: string): string[] {
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');
}

function hasTools(): boolean {
  try {
    execFileSync('jq', ['--version']);
    if (execFileSync('curl', ['--help', 'all'], { encoding: 'utf8' }).includes('--json')) return true;
  } catch {
    // Told below.
  }
  console.log('Skipped: the walks in the docs (they need curl 7.82 or newer, and jq).');
  return false;
}

/** Runs a document's shell blocks in order against a new gateway. @returns their output */
async function walk(
  file: string,
  { anyDatabase = false, prepare }: { anyDatabase?: boolean; prepare?: (folder: string) => void } = {},
) {
  const { cwd, port, serve, startProcess } = await makePlace({ anyDatabase });
  prepare?.(cwd);
  const gateway = await serve();
  const blocks = shellBlocks(file);
  const script = blocks
    .join('\necho\n')
    .replaceAll('localhost:4000', `localhost:${port}`)
    .replaceAll('node bin/gatehouse.js', GATEHOUSE_COMMAND.map((part) => `"${part}"`).join(' '));
  const walked = startProcess('bash', '-euo', 'pipefail', '-c', script);
  expect(await walked.exit, walked.output()).toBe(0);
  return { blocks, stdout: walked.output(), log: gateway.output() };
}

const canWalk = hasTools();

test.runIf(canWalk)('the first walk of the README works as documented', async () => {
  const { blocks, stdout, log } = await walk('README.md');
  expect(blocks).toHaveLength(2);
  const asMember = JSON.parse(stdout.slice(stdout.lastIndexOf('{"data"')));
  expect(asMember.data.mcpServerConfigs.nodes).toEqual([
    { slug: 'context7', displayName: 'Context7', url: null, viewerState: 'READY', hasApiKey: true },
    { slug: 'deepwiki', displayName: 'DeepWiki', url: null, viewerState: 'READY', hasApiKey: false },
    { slug: 'github', displayName: 'GitHub', url: null, viewerState: 'NEEDS_CONNECT', hasApiKey: false },
  ]);
  expect(stdout).toContain('https://mcp.deepwiki.com/mcp');
  for (const secret of ['your-key', 'your-client-secret']) {
    expect(stdout).not.toContain(secret);
    expect(log).not.toContain(secret);
  }
});

test.runIf(canWalk)('the walk through governance works as documented', async () => {
  const { stdout } = await walk('docs/walkthrough.md', {
    anyDatabase: true,
    // Skips the servers whose authorization servers would be contacted: a test sends nothing to third parties.
    prepare(folder) {
      const text = readFileSync(new URL('../../examples/servers.json', import.meta.url), 'utf8');
      const file = JSON.parse(text) as { servers: Record<string, { authType?: string }> };
      file.servers = Object.fromEntries(
        Object.entries(file.servers).filter(([, server]) => server.authType !== 'OAUTH2'),
      );
      mkdirSync(path.join(folder, 'examples'));
      writeFileSync(path.join(folder, 'examples/servers.json'), JSON.stringify(file));
    },
  });
  expect(stdout).toContain('Nothing was changed. Repeat the command with --yes to apply the changes.');
  expect(stdout).toContain('Created deepwiki.');
  expect(stdout).toContain('Some were left out, see above.');
  const answers = stdout.split('\n').filter((line) => line.startsWith('{"data"'));
  const find = (field: string) => answers.map((line) => JSON.parse(line).data[field]).find(Boolean);
  expect(find('chat').mcpServers).toMatchObject([{ source: 'FORCED', state: 'READY', config: { slug: 'deepwiki' } }]);
  expect(find('explainMcpServer')).toMatchObject({
    available: false,
    summary: expect.stringContaining('not selected'),
  });
  expect(find('mcpServerConfigImpact')).toMatchObject({ effectiveChatCount: 1 });
  expect(find('auditLog').nodes[0].action).toBe('CHAT_MESSAGE_CREATE');
  expect(stdout).toMatch(/entries verified: none was changed/);
});
