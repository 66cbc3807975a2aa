import { lstat, mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';
import { PACKAGE_FOLDER } from '../../package.ts';

/** The file of the build. Absent where the source runs without one. */
const FILE = new URL('dist/database/new.br', PACKAGE_FOLDER);

/** A window over the whole file finds what three databases have in common: half of the size. */
const WINDOW = constants.BROTLI_MAX_WINDOW_BITS;
const QUALITY = 7;

/** What the content begins with: a line of JSON. The bytes of the files follow, one after the other. */
interface Contents {
  /** The version of PGlite that made the folder. */
  pglite: string;
  folders: string[];
  files: [path: string, size: number][];
}

/** Packs a folder that PGlite has created and closed. @returns the content of the build's file */
export async function packFolder(folder: string): Promise<Uint8Array> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const inFolder = (entry: (typeof entries)[number]): string =>
    path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/');
  const paths = (kind: 'isDirectory' | 'isFile') =>
    entries
      .filter((entry) => entry[kind]())
      .map(inFolder)
      .sort();
  const names = paths('isFile');
  const bytes = await Promise.all(names.map((name) => readFile(path.join(folder, name))));
  const contents: Contents = {
    pglite: await readPgliteVersion(),
    folders: paths('isDirectory'),
    files: names.map((name, index) => [name, bytes[index]?.length ?? 0]),
  };
  const params = { [constants.BROTLI_PARAM_QUALITY]: QUALITY, [constants.BROTLI_PARAM_LGWIN]: WINDOW };
  return promisify(brotliCompress)(Buffer.concat([Buffer.from(`${JSON.stringify(contents)}\n`), ...bytes]), { params });
}

/**
 * Fills an empty folder with what PGlite would create there, which takes PGlite seconds. Does nothing if the folder has
 * files or cannot be moved, or if this build has none for the PGlite that is installed. The folder is either filled as a
 * whole or left empty, also if the process is killed.
 */
export async function fillFolder(folder: string, file: URL | string = FILE): Promise<void> {
  const packed = await readIfThere(file);
  if (packed === undefined || (await readdir(folder)).length > 0) return;
  const bytes = await promisify(brotliDecompress)(packed);
  const start = bytes.indexOf('\n') + 1;
  const contents = JSON.parse(bytes.toString('utf8', 0, start)) as Contents;
  if (contents.pglite !== (await readPgliteVersion())) return;
  if (!(await isPlainFolder(folder))) return;
  const draft = `${folder}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  for (const name of contents.folders) await mkdir(path.join(draft, name), { mode: 0o700 });
  let offset = start;
  for (const [name, size] of contents.files) {
    await writeFile(path.join(draft, name), bytes.subarray(offset, offset + size), { mode: 0o600 });
    offset += size;
  }
  await rmdir(folder);
  await rename(draft, folder);
}

/** Whether another folder can take its place: not if it is a link, or if another volume begins there. */
async function isPlainFolder(folder: string): Promise<boolean> {
  const [own, parent] = await Promise.all([lstat(folder), stat(path.dirname(folder))]);
  return own.isDirectory() && own.dev === parent.dev;
}

async function readPgliteVersion(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite');
  const text = await readFile(path.join(path.dirname(entry), '../package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

async function readIfThere(file: URL | string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
