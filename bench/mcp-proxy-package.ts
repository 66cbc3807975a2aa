import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const VERSION = '6.7.19';

/** The name for the table. */
export const MCP_PROXY = `mcp-proxy ${VERSION}`;

/**
 * Installs the npm package mcp-proxy into a folder, without running any code of it. It is no dependency of the project: it
 * brings 100 packages, for tunnels and more.
 *
 * @returns why it cannot be installed, such as without a network; undefined if it was
 */
export async function installMcpProxy(folder: string): Promise<string | undefined> {
  const dependencies = { 'mcp-proxy': VERSION };
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }));
  try {
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'];
    await promisify(execFile)('npm', ['install', ...options], { cwd: folder, timeout: 120_000 });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split('\n')[0] : String(error);
  }
}
