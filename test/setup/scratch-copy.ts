import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type RunningCommand, startProcess } from '../setup/process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NOT_COPIED: ReadonlySet<string> = new Set([
  'node_modules',
  '.git',
  'dist',
  '.gatehouse',
  '.vitest-cache',
  'coverage',
]);

/** Text that is inserted into a file, after the first line that matches. */
export type Edit = readonly [file: string, after: RegExp, text: string];

/** A copy of the repository, in which files can be changed and commands run. It shares `node_modules`. */
export interface ScratchCopy {
  folder: string;
  edit(edits: readonly Edit[]): Promise<void>;
  /** Runs a command. @returns its output, also if it fails */
  run(command: string, ...args: string[]): Promise<{ exitCode: number | null; output: string }>;
  /** Ends what still runs in it, and removes it. */
  remove(): Promise<void>;
}

export async function createScratchCopy(): Promise<ScratchCopy> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-'));
  const filter = (source: string): boolean => !NOT_COPIED.has(path.relative(ROOT, source));
  await cp(ROOT, folder, { recursive: true, filter });
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  const running: RunningCommand[] = [];
  return {
    folder,

    async edit(edits) {
      for (const [file, after, text] of edits) {
        const lines = (await readFile(path.join(folder, file), 'utf8')).split('\n');
        const index = lines.findIndex((line) => after.test(line));
        if (index === -1) throw new Error(`${file} has no line like ${after}: find another place for this edit`);
        lines.splice(index + 1, 0, text);
        await writeFile(path.join(folder, file), lines.join('\n'));
      }
    },

    async run(command, ...args) {
      // Without the settings of the test runner around, but with its database.
      const { HOME = folder, TEST_DATABASE_URL } = process.env;
      const database = TEST_DATABASE_URL === undefined ? {} : { TEST_DATABASE_URL };
      const started = startProcess(command, args, { cwd: folder, env: { HOME, NO_COLOR: '1', ...database } });
      running.push(started);
      return { exitCode: await started.exit, output: started.output() };
    },

    async remove() {
      await Promise.all(running.map((command) => command.kill()));
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
