import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Builds the console, if its sources changed: the gateway serves it. */
export default function setup(): void {
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  execFileSync(process.execPath, ['scripts/generate.js', 'operations', 'console'], { cwd, stdio: 'inherit' });
}
