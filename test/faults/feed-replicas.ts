import { randomBytes } from 'node:crypto';
import { generateMasterKey } from '../../src/crypto/master-key.ts';
import { findFreePort } from '../setup/free-port.ts';
import { makeFolder, type RunningCommand, startCommand } from '../setup/process.ts';
import { within } from '../setup/wait-until.ts';

const START_MS = 60_000;

/** Gateways in separate processes, as behind a load balancer. */
export interface Replicas {
  urls: readonly string[];
  /** Token of the bootstrap admin. */
  token: string;
  /** Kills one, as a power failure would. */
  kill(index: number): Promise<void>;
  /** Restarts a killed one. Resolves when it listens. */
  start(index: number): Promise<void>;
  /** Tells one to stop. @returns its exit code */
  stopInOrder(index: number): Promise<number | null>;
  /** Output of the processes that ended without being killed. */
  crashes(): string[];
  stop(): Promise<void>;
}

/** Starts the replicas. @param databaseUrls how each reaches the database */
export async function startReplicas(databaseUrls: readonly string[]): Promise<Replicas> {
  const { folder, remove } = await makeFolder();
  const token = randomBytes(24).toString('base64url');
  const shared = {
    GATEHOUSE_ADMIN_TOKEN: token,
    GATEHOUSE_ENCRYPTION_KEYS: generateMasterKey(),
    GATEHOUSE_LOG_LEVEL: 'warn',
  };
  const ports = await Promise.all(databaseUrls.map(() => findFreePort()));
  const running: (RunningCommand | undefined)[] = databaseUrls.map(() => undefined);
  const crashes: string[] = [];

  const kill = async (index: number): Promise<void> => {
    const command = running[index];
    if (command === undefined) return;
    running[index] = undefined;
    command.child.kill('SIGKILL');
    await within('the process ends', 10_000, command.exit);
  };

  const start = async (index: number): Promise<void> => {
    const env = { ...shared, DATABASE_URL: databaseUrls[index] ?? '', PORT: String(ports[index]) };
    const command = startCommand(['serve'], { cwd: folder, env });
    running[index] = command;
    void command.exit.then((code) => {
      if (running[index] === command) crashes.push(`replica ${index} ended with ${code}:\n${command.output()}`);
    });
    await within('the replica starts', START_MS, command.waitFor('Gatehouse listens on'));
  };

  const stop = async (): Promise<void> => {
    await Promise.all(running.map((_, index) => kill(index)));
    await remove();
  };

  try {
    // The first one migrates.
    for (const index of databaseUrls.keys()) await start(index);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    urls: ports.map((port) => `http://127.0.0.1:${port}`),
    token,
    kill,
    start,
    async stopInOrder(index) {
      const command = running[index];
      running[index] = undefined;
      command?.child.kill('SIGTERM');
      return (await command?.exit) ?? null;
    },
    crashes: () => crashes,
    stop,
  };
}
