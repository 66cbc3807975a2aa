import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { watchGroup } from './watchdog.ts';

/** The program that `gatehouse` runs. */
export const GATEHOUSE_COMMAND = [
  process.execPath,
  fileURLToPath(new URL('../../bin/gatehouse.js', import.meta.url)),
] as const;

/** A process under test. It ends at the latest with the process that runs the test, however that one ends. */
export interface RunningCommand {
  child: ChildProcess;
  output(): string;
  /** Resolves when the output contains this text; rejects if the process ends before. */
  waitFor(text: string): Promise<void>;
  /** Resolves with the exit code. */
  exit: Promise<number | null>;
  /** Kills it and all that it has started. Resolves when it has ended. */
  kill(): Promise<void>;
}

/** Starts `gatehouse …` in a folder, with this environment and no other Gatehouse settings. */
export function startCommand(args: string[], options: { cwd: string; env?: Record<string, string> }): RunningCommand {
  const [command, ...base] = GATEHOUSE_COMMAND;
  return startProcess(command, [...base, ...args], options);
}

/** Starts a program in a folder, with this environment. */
export function startProcess(
  command: string,
  args: string[],
  { cwd, env }: { cwd: string; env?: Record<string, string> },
): RunningCommand {
  const child = spawn(command, args, {
    cwd,
    env: { PATH: process.env['PATH'], HOME: cwd, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, to end all of it.
    detached: true,
  });
  let text = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      for (const listener of listeners) listener();
    });
  }
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
  const group = watchGroup(child.pid);
  child.once('exit', group.release);
  return {
    child,
    output: () => text,
    exit,
    waitFor: (expected) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!text.includes(expected)) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
        const fail = (code: number | null): void =>
          reject(new Error(`ended with ${code} before "${expected}":\n${text}`));
        exit.then(fail, reject);
      }),
    async kill() {
      group.kill();
      await exit;
    },
  };
}

/** A folder for one test, and a way to remove it. */
export async function makeFolder(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }) };
}
