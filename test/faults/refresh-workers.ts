import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { GetTokens, TokensGot } from './refresh-worker.ts';

export interface RefreshWorkerOptions {
  env: Record<string, string>;
  userId: string;
  configId: string;
}

/** A gateway in its own process. */
export interface RefreshWorker {
  /** The results of this many concurrent callers. */
  get(callers: number): Promise<string[]>;
  /** Kills it, as a power failure would. Killing it again does nothing. */
  kill(): Promise<void>;
}

/** Starts a gateway in its own process, which gets one user's token for one config. */
export async function startRefreshWorker({ env, userId, configId }: RefreshWorkerOptions): Promise<RefreshWorker> {
  const child = fork(fileURLToPath(new URL('./refresh-worker.ts', import.meta.url)), {
    env: { ...env, PATH: process.env['PATH'] },
    execArgv: ['--import', import.meta.resolve('tsx')],
  });
  const exit = once(child, 'exit');
  await Promise.race([once(child, 'message'), exit.then(() => Promise.reject(new Error('the worker ended')))]);
  let lastId = 0;
  return {
    get(callers) {
      lastId += 1;
      const id = lastId;
      return new Promise((resolve, reject) => {
        const receive = (message: TokensGot): void => {
          if (message.id !== id) return;
          child.off('message', receive);
          resolve(message.outcomes);
        };
        child.on('message', receive);
        void exit.then(() => reject(new Error('the worker ended')));
        child.send({ id, callers, userId, configId } satisfies GetTokens);
      });
    },
    async kill() {
      child.kill('SIGKILL');
      await exit;
    },
  };
}
