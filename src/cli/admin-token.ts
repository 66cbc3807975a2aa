import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config.ts';
import { Secret } from '../crypto/secret.ts';
import { CommandError } from './failure.ts';

/** Where the bootstrap admin's token is kept when the environment does not give one. */
export function adminTokenFile(config: Config): string {
  return path.join(config.dataDir, 'admin-token');
}

/** The bootstrap admin's token: of the environment, else of the file, else a new one that is written there. */
export async function loadAdminToken(config: Config): Promise<Secret> {
  if (config.adminToken !== undefined) return config.adminToken;
  const file = adminTokenFile(config);
  const known = await readAdminToken(file);
  if (known !== undefined) return known;
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const token = randomBytes(32).toString('base64url');
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(`${token}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return new Secret(token);
}

/** The token in the file; undefined when there is no file. @throws CommandError when others can read it */
export async function readAdminToken(file: string): Promise<Secret | undefined> {
  try {
    const { mode } = await stat(file);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new CommandError(`${file} can be read by others; run: chmod 600 ${file}`);
    }
    const token = (await readFile(file, 'utf8')).trim();
    if (token.length < 24) throw new CommandError(`${file} holds no token; remove it, and a new one is made.`);
    return new Secret(token);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
