import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config.ts';
import { findAdminTokenProblem } from '../crypto/admin-token.ts';
import { Secret } from '../crypto/secret.ts';
import { CommandError } from './failure.ts';

/** The file that holds the bootstrap admin's token if GATEHOUSE_ADMIN_TOKEN is not set. */
export function adminTokenFile(config: Config): string {
  return path.join(config.dataDir, 'admin-token');
}

/** Reads the bootstrap admin's token from the environment or the file. If neither has one, generates it into the file. */
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

/** Reads the token that a start would load, and generates none. @throws CommandError if the file cannot be used */
export async function checkAdminToken(config: Config): Promise<void> {
  if (config.adminToken === undefined) await readAdminToken(adminTokenFile(config));
}

/** Reads the token; undefined if the file does not exist. @throws CommandError if other users can read the file */
export async function readAdminToken(file: string): Promise<Secret | undefined> {
  try {
    const { mode } = await stat(file);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new CommandError(`${file} is readable by other users. Run: chmod 600 ${file}`);
    }
    const token = (await readFile(file, 'utf8')).trim();
    const problem = findAdminTokenProblem(token);
    if (problem !== undefined) {
      throw new CommandError(`The token in ${file} ${problem}. Or delete the file to have a new one generated.`);
    }
    return new Secret(token);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
