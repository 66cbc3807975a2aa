import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Builds the gateway as `npm start` does. */
export default function setup(): void {
  execFileSync('npm', ['run', '--silent', 'build'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: 'inherit',
  });
}
