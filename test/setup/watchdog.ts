import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Reads `add` and `remove` lines with process groups, and kills those that are left when the input ends: when the
 * process that writes them has ended, even if it was killed.
 */
const SCRIPT = `
left=
while read -r verb group; do
  if [ "$verb" = add ]; then left="$left $group"; continue; fi
  kept=
  for each in $left; do [ "$each" = "$group" ] || kept="$kept $each"; done
  left=$kept
done
for each in $left; do kill -s KILL -- "-$each"; done`;

let watchdog: ChildProcess | undefined;

/** A process group that does not outlive the calling process. */
export interface WatchedGroup {
  /** Kills all of its processes. Does nothing after it was released. */
  kill(): void;
  /** Call it when the group's first process has ended. Kills what that one left behind. */
  release(): void;
}

/** Watches the group of a process that was started with `detached`. @param pid undefined if the start failed */
export function watchGroup(pid: number | undefined): WatchedGroup {
  if (pid === undefined) return { kill: () => undefined, release: () => undefined };
  tell(`add ${pid}`);
  let isReleased = false;
  const kill = (): void => {
    if (isReleased) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  return {
    kill,
    release() {
      kill();
      isReleased = true;
      tell(`remove ${pid}`);
    },
  };
}

function tell(line: string): void {
  if (watchdog === undefined) {
    watchdog = spawn('sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    watchdog.unref();
    (watchdog.stdin as unknown as { unref(): void }).unref();
  }
  watchdog.stdin?.write(`${line}\n`);
}
