import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Contestant, type ContestantOptions, startContestant } from './contestant.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Longer than it takes until the gateway frees what only its start needed. */
const SETTLE_MS = 20_000;
const BYTES_PER_MB = 1_048_576;

/** Builds the gateway, as `npm start` does. What is measured here is what users run. */
export function buildGateway(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** The gateway that was built, as a server under test. */
export function builtGateway(env: Readonly<Record<string, string>>): ContestantOptions {
  return { script: new URL('../dist/main.js', import.meta.url), args: ['serve'], env, isBuilt: true };
}

/** Starts the gateway that was built. */
export function startBuilt(env: Readonly<Record<string, string>>): Promise<Contestant> {
  return startContestant(builtGateway(env));
}

/** The resident memory of a gateway that has had a few seconds to settle, in MB. Only Linux tells it. */
export async function readRestingMb({ pid }: Contestant): Promise<number> {
  await delay(SETTLE_MS);
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round((Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024) / BYTES_PER_MB);
}
