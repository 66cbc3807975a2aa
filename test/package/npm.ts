import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';

const outerEnvironment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_ENV$|NODE_OPTIONS$|VITEST)/i.test(name)),
);

/** Runs a program in the user's environment, without what the npm and the test runner around add to it. */
export function runProgram(
  command: string,
  args: readonly string[],
  { cwd, nodeFolder }: { cwd: string; nodeFolder: string },
): Promise<{ code: number; output: string }> {
  // The npm that is found runs on the first `node` of the PATH.
  const env = { ...outerEnvironment, PATH: `${nodeFolder}${path.delimiter}${process.env['PATH']}` };
  return new Promise((resolve) => {
    execFile(command, args, { cwd, env, timeout: 300_000, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : 1, output: `${stdout}${stderr}` }),
    );
  });
}

/** What npm has installed in a folder: how many packages, and how many million bytes their files have. */
export async function measureInstall(folder: string): Promise<{ packages: number; megabytes: number }> {
  const modules = path.join(folder, 'node_modules');
  const lock = JSON.parse(await readFile(path.join(modules, '.package-lock.json'), 'utf8'));
  const files = await readdir(modules, { recursive: true, withFileTypes: true });
  let bytes = 0;
  for (const file of files) {
    if (file.isFile()) bytes += (await stat(path.join(file.parentPath, file.name))).size;
  }
  return { packages: Object.keys(lock.packages).length, megabytes: Math.round(bytes / 1e6) };
}
