import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The program that `npx gatehouse` runs. */
export const GATEHOUSE_COMMAND = [
  process.execPath,
  fileURLToPath(new URL('../../bin/gatehouse.js', import.meta.url)),
] as const;

export interface RunningCommand {
  child: ChildProcess;
  output(): string;
  /** Resolves when the output contains this text; rejects if the process ends before. */
  waitFor(text: string): Promise<void>;
  /** Resolves with the exit code. */
  exit: Promise<number | null>;
}

/** Starts `gatehouse …` in a folder, with this environment and no other Gatehouse settings. */
export function startCommand(args: string[], options: { cwd: string; env?: Record<string, string> }): RunningCommand {
  const [command, ...base] = GATEHOUSE_COMMAND;
  const child = spawn(command, [...base, ...args], {
    cwd: options.cwd,
    env: { PATH: process.env['PATH'], HOME: options.cwd, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      for (const listener of listeners) listener();
    });
  }
  const exit = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
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
        void exit.then((code) => reject(new Error(`ended with ${code} before "${expected}":\n${text}`)));
      }),
  };
}

/** A TCP port on loopback that was free a moment ago. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Below the ephemeral ports: 32,768 and up on Linux, 49,152 elsewhere. */
const FIRST_SERVER_PORT = 20_000;
const LAST_SERVER_PORT = 32_000;

/**
 * A free TCP port on loopback for a server that goes down and comes back. No connection can take it in the meantime as
 * its local port, not even one to itself, which TCP makes when a client connects to an unused port and is given that
 * same port.
 */
export async function findServerPort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_SERVER_PORT, LAST_SERVER_PORT);
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

/** A folder for one test, and a way to remove it. */
export async function makeFolder(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
