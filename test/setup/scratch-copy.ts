import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NOT_COPIED: ReadonlySet<string> = new Set(['node_modules', '.git', 'dist', '.gatehouse', 'coverage']);

/** Text that is inserted into a file, after the first line that matches. */
export type Edit = readonly [file: string, after: RegExp, text: string];

/** A copy of the repository in which files can be changed and commands run. It shares `node_modules`. */
export interface ScratchCopy {
  folder: string;
  edit(edits: readonly Edit[]): Promise<void>;
  /** Runs a command. @returns its output, also if it fails */
  run(command: string, ...args: string[]): Promise<{ exitCode: number; output: string }>;
  /** Undoes all edits, and what commands wrote into these files. */
  restore(): Promise<void>;
  remove(): Promise<void>;
}

export async function createScratchCopy(): Promise<ScratchCopy> {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-'));
  const filter = (source: string): boolean => !NOT_COPIED.has(path.relative(ROOT, source));
  await cp(ROOT, folder, { recursive: true, filter });
  await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  const originals = new Map<string, string>();
  const read = (file: string): Promise<string> => readFile(path.join(folder, file), 'utf8');
  originals.set('schema.graphql', await read('schema.graphql'));

  return {
    folder,

    async edit(edits) {
      for (const [file, after, text] of edits) {
        const before = await read(file);
        if (!originals.has(file)) originals.set(file, before);
        const lines = before.split('\n');
        const index = lines.findIndex((line) => after.test(line));
        if (index === -1) throw new Error(`${file} has no line like ${after}: find another place for this edit`);
        lines.splice(index + 1, 0, text);
        await writeFile(path.join(folder, file), lines.join('\n'));
      }
    },

    run: (command, ...args) =>
      new Promise((resolve) => {
        // Without the settings of the test runner around.
        const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], NO_COLOR: '1' };
        execFile(command, args, { cwd: folder, env, maxBuffer: 64 * 1_024 * 1_024 }, (error, stdout, stderr) =>
          resolve({ exitCode: error === null ? 0 : 1, output: `${stdout}${stderr}` }),
        );
      }),

    async restore() {
      for (const [file, text] of originals) await writeFile(path.join(folder, file), text);
    },

    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
