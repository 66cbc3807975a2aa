import { execFile } from 'node:child_process';
import { access, constants, readdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where Debian and its derivatives install each version, which is not on the PATH. */
const VERSIONS_FOLDER = '/usr/lib/postgresql';

/**
 * The folder of this machine's PostgreSQL server: from the PATH, else from `pg_config`, else the newest of Debian's.
 * Undefined if there is none.
 */
export async function findPostgresBinaries(): Promise<string | undefined> {
  const onPath = (process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  for (const folder of [...onPath, await askPgConfig(), ...(await listVersions())]) {
    const found = folder && (await findServerIn(folder));
    if (found !== undefined && found !== '') return found;
  }
  return undefined;
}

/** The user and group to run a server as: PostgreSQL refuses to run as root. Undefined if no other user is needed. */
export async function findServerUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = await Promise.all([askId('-u', name), askId('-g', name)]);
    if (uid !== undefined && gid !== undefined) return { uid, gid };
  }
  throw new Error('PostgreSQL does not run as root, and there is neither a user "postgres" nor "nobody"');
}

/** `initdb` looks for `postgres` next to itself after resolving links. */
async function findServerIn(folder: string): Promise<string | undefined> {
  try {
    const initdb = await realpath(path.join(folder, 'initdb'));
    const found = path.dirname(initdb);
    await access(initdb, constants.X_OK);
    await access(path.join(found, 'postgres'), constants.X_OK);
    return found;
  } catch {
    return undefined;
  }
}

async function askPgConfig(): Promise<string | undefined> {
  try {
    return (await run('pg_config', ['--bindir'])).stdout.trim();
  } catch {
    return undefined;
  }
}

async function listVersions(): Promise<string[]> {
  try {
    const versions = await readdir(VERSIONS_FOLDER);
    versions.sort((a, b) => Number.parseFloat(b) - Number.parseFloat(a));
    return versions.map((version) => path.join(VERSIONS_FOLDER, version, 'bin'));
  } catch {
    return [];
  }
}

async function askId(flag: string, name: string): Promise<number | undefined> {
  try {
    return Number((await run('id', [flag, name])).stdout.trim());
  } catch {
    return undefined;
  }
}
