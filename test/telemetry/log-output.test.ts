import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const LOGGER = new URL('../../src/telemetry/logger.ts', import.meta.url).href;

/** Runs a program that logs. @returns the messages on its standard output, and its exit code */
async function run(program: string): Promise<{ messages: string[]; code: number }> {
  const source = `import { createLogger } from ${JSON.stringify(LOGGER)}; const log = createLogger('info'); ${program}`;
  const node = promisify(execFile)(process.execPath, [
    '--import',
    import.meta.resolve('tsx'),
    '--input-type=module',
    '--eval',
    source,
  ]);
  const { stdout, code } = await node.then(
    ({ stdout }) => ({ stdout, code: 0 }),
    (error: { stdout: string; code: number }) => error,
  );
  const lines = stdout.split('\n').slice(0, -1);
  return { messages: lines.map((line) => (JSON.parse(line) as { msg: string }).msg), code };
}

test.each<[string, string, number]>([
  ['when the process has nothing left to do', '', 0],
  ['when it exits', 'process.exit(3);', 3],
  ['when it fails', 'throw new Error("failed");', 1],
  ['when it fails later', 'setTimeout(() => { log.info("second"); null.x; });', 1],
])('no line is lost %s', async (_when, program, code) => {
  const expected = program.includes('second') ? ['first', 'second'] : ['first'];
  expect(await run(`log.info('first'); ${program}`)).toEqual({ messages: expected, code });
});

test('lines keep their order and their time', async () => {
  const source = `for (let index = 0; index < 2_000; index += 1) log.info(String(index));`;
  const { messages } = await run(source);
  expect(messages).toEqual(Array.from({ length: 2_000 }, (_, index) => String(index)));
});
