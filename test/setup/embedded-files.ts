import { mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { MemoryFS } from '@electric-sql/pglite';

/** The folders (without bytes) and files of an embedded database, by their paths in its folder. Folders come first. */
export type EmbeddedFiles = ReadonlyMap<string, Uint8Array | undefined>;

/** Where PGlite has its database. */
const DATA = '/pglite/data';

/**
 * The memory of a new database that begins with the files of another one: PGlite's `fs`. Its own `loadDataDir` takes three
 * times the processor time, because it looks for each folder of each file.
 */
export class FilledMemory extends MemoryFS {
  readonly #before: EmbeddedFiles | undefined;

  /** @param before what the database begins with. Undefined: PGlite creates a new one. */
  constructor(before?: EmbeddedFiles) {
    super();
    this.#before = before;
  }

  protected get files() {
    if (this.pg === undefined) throw new Error('PGlite has not taken this memory');
    return this.pg.Module.FS;
  }

  override async initialSyncFs(): Promise<void> {
    if (this.#before === undefined) return;
    this.files.mkdirTree(DATA);
    for (const [name, bytes] of this.#before) {
      if (bytes === undefined) this.files.mkdir(`${DATA}${name}`);
      else this.files.writeFile(`${DATA}${name}`, bytes);
    }
  }
}

/** The same, for a database that others begin with. */
export class KeptMemory extends FilledMemory {
  readonly #kept = new Map<string, Uint8Array | undefined>();

  /** What the database left when it was closed. */
  get kept(): EmbeddedFiles {
    if (this.#kept.size === 0) throw new Error('the database is open');
    return this.#kept;
  }

  override async closeFs(): Promise<void> {
    this.#keep('');
    await super.closeFs();
  }

  #keep(folder: string): void {
    for (const entry of this.files.readdir(`${DATA}${folder}`)) {
      if (entry === '.' || entry === '..') continue;
      const name = `${folder}/${entry}`;
      const isFolder = this.files.isDir(this.files.stat(`${DATA}${name}`).mode);
      this.#kept.set(name, isFolder ? undefined : this.files.readFile(`${DATA}${name}`));
      if (isFolder) this.#keep(name);
    }
  }
}

/** Writes an embedded database into a new folder: hundreds of files, which takes several times as long asynchronously. */
export function writeFolder(folder: string, files: EmbeddedFiles): void {
  mkdirSync(folder);
  for (const [name, bytes] of files) {
    if (bytes === undefined) mkdirSync(path.join(folder, name));
    else writeFileSync(path.join(folder, name), bytes);
  }
}

/** @returns the content of one file with all of them, for `loadFiles` */
export function packFiles(files: EmbeddedFiles): Buffer {
  return serialize(files);
}

/** Reads a file whose content is of `packFiles`. */
export async function loadFiles(file: string): Promise<EmbeddedFiles> {
  return deserialize(await readFile(file));
}
