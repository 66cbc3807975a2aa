import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findFreePort } from '../test/setup/free-port.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
const RETRY_MS = 20;
/** Linux reports processor time in hundredths of a second, whatever the kernel's clock rate. */
const MS_PER_TICK = 10;

/** A server under test, in its own process. */
export interface Contestant {
  url: string;
  pid: number;
  /** Processor time used so far by all threads; undefined where the system does not report it (only Linux does). */
  cpuMs(): Promise<number | undefined>;
  /** What it wrote to standard error. */
  complaints(): string;
  /** Ends the process and waits until it has exited. */
  stop(): Promise<void>;
}

export interface ContestantOptions {
  script: URL;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Whether the script is JavaScript already. */
  isBuilt?: boolean;
}

/**
 * Starts a server that listens on `PORT`, and waits until it accepts connections.
 *
 * @throws if it exits or does not listen within a minute; the message contains its standard error
 */
export async function startContestant(options: ContestantOptions): Promise<Contestant> {
  const port = await findFreePort();
  const script = fileURLToPath(options.script);
  const loader = options.isBuilt === true ? [] : ['--import', import.meta.resolve('tsx')];
  const child = spawn(process.execPath, [...loader, script, ...options.args], {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', PORT: String(port), ...options.env },
    // Standard output is the gateway's log. It is written as in production, and discarded.
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaints = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const origin = `http://127.0.0.1:${port}`;
  try {
    await waitUntilListening(child, origin);
  } catch (error) {
    await stop(child);
    throw new Error(`${script} did not start: ${complaints}`, { cause: error });
  }
  return {
    url: `${origin}/graphql`,
    pid: child.pid ?? 0,
    cpuMs: () => readCpuMs(child),
    complaints: () => complaints,
    stop: () => stop(child),
  };
}

async function waitUntilListening(child: ChildProcess, origin: string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await (await fetch(origin)).arrayBuffer();
      return;
    } catch (error) {
      if (hasEnded(child) || performance.now() > deadline) throw error;
      await delay(RETRY_MS);
    }
  }
}

async function readCpuMs(child: ChildProcess): Promise<number | undefined> {
  const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8').catch(() => undefined);
  // proc_pid_stat(5): the first field after the name in parentheses is number 3; 14 and 15 are user and system time.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields?.[11]) + Number(fields?.[12]);
  return Number.isNaN(ticks) ? undefined : ticks * MS_PER_TICK;
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  const force = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  child.kill('SIGTERM');
  await ended;
  clearTimeout(force);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
