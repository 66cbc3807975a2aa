import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { makeFolder, startProcess } from './setup/process.ts';

const START = `
  import { startProcess } from ${JSON.stringify(new URL('./setup/process.ts', import.meta.url).href)};
  const { child } = startProcess('sh', ['-c', 'sleep 600 & echo "started $!"; wait'], { cwd: '.' });
  child.stdout.on('data', (text) => console.log(\`\${text} \${child.pid}.\`));
`;

/** Where the system tells so, a process that has ended is none, though it is listed until its parent has noticed. */
const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    const status = `/proc/${pid}/status`;
    return !existsSync(status) || !/^State:\s*Z/m.test(readFileSync(status, 'utf8'));
  } catch {
    return false;
  }
};

test('what a test has started ends with the process that runs the test, even if that one is killed', async () => {
  const { folder, remove } = await makeFolder();
  onTestFinished(remove);
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', START];
  const runner = startProcess(process.execPath, args, { cwd: folder });
  onTestFinished(runner.kill);
  await runner.waitFor('.');
  const pids = runner.output().match(/\d+/g)?.map(Number) ?? [];
  expect(pids).toHaveLength(2);
  expect(pids.filter(isRunning)).toEqual(pids);
  // Only this process: not the group, as if the system had run out of memory.
  runner.child.kill('SIGKILL');
  await once(runner.child, 'exit');
  await expect.poll(() => pids.filter(isRunning)).toEqual([]);
});

test('a process is killed with all that it has started', async () => {
  const { folder, remove } = await makeFolder();
  onTestFinished(remove);
  const started = startProcess('sh', ['-c', 'sleep 600 & echo "started $!"; wait'], { cwd: folder });
  await started.waitFor('\n');
  const pid = Number(/\d+/.exec(started.output())?.[0]);
  expect(isRunning(pid)).toBe(true);
  await started.kill();
  await expect.poll(() => isRunning(pid)).toBe(false);
});
