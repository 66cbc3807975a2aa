import { hash, randomUUID } from 'node:crypto';
import { link, mkdir, realpath, rename, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Longer paths do not fit into a Unix socket address on every system. */
const MAX_SOCKET_PATH = 100;

/** Another process is using the data folder. */
export class FolderInUseError extends Error {
  override readonly name = 'FolderInUseError';
}

/** A lock on a folder. It is released by `release` or when the process ends. */
export interface FolderLock {
  release(): Promise<void>;
}

/**
 * Locks a folder for this process. The lock is a listening socket: it disappears however the process ends, and it works
 * across containers. A file with a process id does neither.
 *
 * @throws FolderInUseError with a message for the operator
 */
export async function acquireFolderLock(folder: string): Promise<FolderLock> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lockPath = toSocketPath(await realpath(folder));
  if (process.platform === 'win32') return toLock(await listen(lockPath, folder), undefined);

  const ownPath = `${lockPath}.${randomUUID().slice(0, 8)}`;
  const server = await listen(ownPath, folder);
  try {
    await claim(ownPath, lockPath, folder);
  } catch (error) {
    server.close();
    throw error;
  } finally {
    await rm(ownPath, { force: true });
  }
  return toLock(server, lockPath);
}

/** Puts this process's socket in the lock's place and moves a dead socket away. Creating a hard link is atomic. */
async function claim(ownPath: string, lockPath: string, folder: string): Promise<void> {
  if (await tryLink(ownPath, lockPath)) return;
  if (await isAlive(lockPath)) throw inUse(folder);
  const stalePath = `${ownPath}.stale`;
  await rename(lockPath, stalePath).catch(() => undefined);
  // Between the check and the move, another process may have put its own live socket there. Put it back.
  if (await isAlive(stalePath)) {
    await tryLink(stalePath, lockPath);
    await rm(stalePath, { force: true });
    throw inUse(folder);
  }
  await rm(stalePath, { force: true });
  if (!(await tryLink(ownPath, lockPath))) throw inUse(folder);
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function isAlive(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function listen(socketPath: string, folder: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? inUse(folder) : error);
    });
    server.listen(socketPath, () => {
      server.unref();
      resolve(server);
    });
  });
}

function toLock(server: Server, lockPath: string | undefined): FolderLock {
  return {
    async release() {
      if (lockPath !== undefined) await rm(lockPath, { force: true });
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function inUse(folder: string): FolderInUseError {
  return new FolderInUseError(
    `Another gateway is using ${folder}; only one process can use an embedded database. ` +
      'Stop it, or set GATEHOUSE_DATA_DIR to another folder, or DATABASE_URL to a PostgreSQL server.',
  );
}

function toSocketPath(folder: string): string {
  const name = hash('sha256', folder, 'hex').slice(0, 16);
  if (process.platform === 'win32') return `\\\\.\\pipe\\gatehouse-${name}`;
  const inFolder = path.join(folder, 'lock');
  const longest = `${inFolder}.${'x'.repeat(8)}.stale`;
  return longest.length <= MAX_SOCKET_PATH ? inFolder : path.join(tmpdir(), `gatehouse-${name}`);
}
