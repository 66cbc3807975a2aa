import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { within } from '../setup/wait-until.ts';
import type { HonestOrder, HonestReport } from './honest-caller.ts';

/** The honest caller, in a process of its own. */
export interface HonestCaller {
  /** What was measured since the last time. */
  take(): Promise<HonestReport>;
  stop(): Promise<void>;
}

/** Starts a server that nobody attacks, and calls it and the gateway in turns. Stop it. */
export async function startHonestCaller(gateway: { port: number; token: string }): Promise<HonestCaller> {
  const control = forkProgram(new URL('./control-server.ts', import.meta.url));
  const caller = forkProgram(new URL('./honest-caller.ts', import.meta.url));
  const stop = async (): Promise<void> => {
    await Promise.all([control.stop(), caller.stop()]);
  };
  try {
    const controlPort = (await control.receive()) as number;
    const order = (message: HonestOrder): void => void caller.child.send(message);
    order({ kind: 'start', ...gateway, controlPort });
    return {
      async take() {
        const report = caller.receive();
        order({ kind: 'take' });
        return (await report) as HonestReport;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function forkProgram(url: URL) {
  const file = fileURLToPath(url);
  const child: ChildProcess = fork(file, {
    env: { PATH: process.env['PATH'] },
    execArgv: ['--import', import.meta.resolve('tsx')],
  });
  const exit = once(child, 'exit');
  return {
    child,
    /** The next message. */
    async receive(): Promise<unknown> {
      const message = Promise.race([
        once(child, 'message'),
        exit.then(() => Promise.reject(new Error(`${file} ended`))),
      ]);
      return (await within(`a message of ${file}`, 120_000, message))[0];
    },
    async stop(): Promise<void> {
      child.kill('SIGKILL');
      await exit;
    },
  };
}
