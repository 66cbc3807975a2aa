import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { chown, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { findFreePort } from './free-port.ts';
import { findPostgresBinaries, findServerUser } from './postgres-binaries.ts';
import { waitUntil, within } from './wait-until.ts';
import { watchGroup } from './watchdog.ts';

const run = promisify(execFile);

const START_MS = 60_000;
const STOP_MS = 30_000;
const USER = 'gatehouse';

/** Settings for a test database on a small machine: many clients, and no durability. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  max_connections: '300',
  shared_buffers: '128MB',
  max_wal_size: '2GB',
  // Data must survive a killed process, but not a crash of the machine.
  fsync: 'off',
  full_page_writes: 'off',
  log_min_messages: 'fatal',
};

/** A PostgreSQL server for tests only, in a temporary folder. */
export interface OwnPostgres {
  /** URL of its maintenance database; the role is a superuser. */
  url: string;
  /** Ends it like `pg_ctl stop -m immediate`: without a shutdown, so that the next start recovers. */
  crash(): Promise<void>;
  /** Restarts it on the same port. Resolves when it accepts connections. */
  start(): Promise<void>;
  /** Ends and removes it. */
  stop(): Promise<void>;
}

/** Starts one on a free port of 127.0.0.1. Undefined if this machine has no PostgreSQL. */
export async function startOwnPostgres(): Promise<OwnPostgres | undefined> {
  const binaries = await findPostgresBinaries();
  if (binaries === undefined) return undefined;
  const user = await findServerUser();
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-postgres-'));
  const dataFolder = path.join(folder, 'data');
  const port = await findFreePort();
  const url = `postgres://${USER}@127.0.0.1:${port}/postgres`;
  // Without the caller's variables: PGDATA and the like belong to another server.
  const settings = { cwd: folder, env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }, ...user };
  let server: ChildProcess | undefined;
  let exit: Promise<void> = Promise.resolve();

  const readLog = () => readFile(path.join(folder, 'log'), 'utf8').catch(() => '');

  const start = async (): Promise<void> => {
    const options = Object.entries({ ...SETTINGS, port, unix_socket_directories: folder });
    const log = await open(path.join(folder, 'log'), 'a');
    const started = spawn(
      path.join(binaries, 'postgres'),
      ['-D', dataFolder, ...options.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      { ...settings, stdio: ['ignore', log.fd, log.fd], detached: true },
    );
    started.once('exit', watchGroup(started.pid).release);
    server = started;
    let hasEnded = false;
    exit = new Promise((resolve) => {
      const end = (): void => {
        hasEnded = true;
        resolve();
      };
      started.once('exit', end);
      started.once('error', end);
    });
    await log.close();
    const isReady = async (): Promise<boolean> => {
      if (hasEnded) throw new Error(`PostgreSQL ended at its start:\n${await readLog()}`);
      return takesConnections(url);
    };
    await waitUntil('PostgreSQL starts', isReady, START_MS);
  };

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    server?.kill(signal);
    await within('PostgreSQL stops', STOP_MS, exit).catch(async (error: unknown) => {
      server?.kill('SIGKILL');
      throw error;
    });
  };

  // Removes everything even if the run is interrupted.
  const removeAtExit = (): void => {
    server?.kill('SIGQUIT');
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  process.once('exit', removeAtExit);

  const remove = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    process.off('exit', removeAtExit);
  };

  try {
    if (user !== undefined) await chown(folder, user.uid, user.gid);
    const initdb = ['-D', dataFolder, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'];
    await run(path.join(binaries, 'initdb'), initdb, { ...settings, timeout: START_MS });
    await start();
  } catch (error) {
    await end('SIGQUIT').catch(() => undefined);
    await remove();
    throw error;
  }
  return {
    url,
    crash: () => end('SIGQUIT'),
    start,
    async stop() {
      try {
        await end('SIGINT');
      } finally {
        await remove();
      }
    },
  };
}

async function takesConnections(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
