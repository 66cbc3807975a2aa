import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { findFreePort, GATEHOUSE_COMMAND, makeFolder, startCommand } from '../setup/process.ts';

const run = promisify(execFile);

/** The blocks of a document that a reader can paste into a shell. */
function shellBlocks(file: string): string[] {
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');
}

function hasCurl(): boolean {
  try {
    return execFileSync('curl', ['--help', 'all'], { encoding: 'utf8' }).includes('--json');
  } catch {
    console.log('Skipped: the walks in the docs (they need curl 7.82 or newer).');
    return false;
  }
}

test.runIf(hasCurl())('the first walk of the README does what it says', async () => {
  const { folder, remove } = await makeFolder();
  const port = await findFreePort();
  const env = { PORT: String(port) };
  const gateway = startCommand(['serve'], { cwd: folder, env });
  try {
    await gateway.waitFor('Admin token:');
    const blocks = shellBlocks('README.md');
    expect(blocks).toHaveLength(2);
    const script = blocks
      .join('\necho\n')
      .replaceAll('localhost:4000', `localhost:${port}`)
      .replaceAll('npx gatehouse', GATEHOUSE_COMMAND.map((part) => `"${part}"`).join(' '));
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder, ...env },
    });
    const asMember = JSON.parse(stdout.slice(stdout.lastIndexOf('{"data"')));
    expect(asMember.data.mcpServerConfigs.nodes).toEqual([
      { slug: 'context7', displayName: 'Context7', url: null, viewerState: 'READY', hasApiKey: true },
      { slug: 'deepwiki', displayName: 'DeepWiki', url: null, viewerState: 'READY', hasApiKey: false },
      { slug: 'github', displayName: 'GitHub', url: null, viewerState: 'NEEDS_CONNECT', hasApiKey: false },
    ]);
    expect(stdout).toContain('https://mcp.deepwiki.com/mcp');
    for (const secret of ['your-key', 'your-client-secret']) {
      expect(stdout).not.toContain(secret);
      expect(gateway.output()).not.toContain(secret);
    }
  } finally {
    gateway.child.kill('SIGKILL');
    await gateway.exit;
    await remove();
  }
});
