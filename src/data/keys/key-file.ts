import { type FileHandle, link, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { generateMasterKey, type MasterKey } from '../../crypto/master-key.ts';
import { parseMasterKeys } from '../../crypto/parse-master-keys.ts';
import { Secret } from '../../crypto/secret.ts';
import { writeAside } from './private-file.ts';

const OTHERS_MASK = 0o077;

/** The key file cannot be used. The message is for the operator and has no key. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

/**
 * Reads the embedded database's master keys: one base64 key per line, the first seals. When there is no such file, one
 * with a new key is made, whole or not at all.
 *
 * @returns the keys, and whether they are new: then the operator should be told to back the file up
 * @throws KeyFileError when others may read the file, or a line is not a key
 */
export async function loadOrCreateKeyFile(file: string): Promise<{ keys: MasterKey[]; created: boolean }> {
  const known = await readKeyFile(file);
  if (known !== undefined) return { keys: known.map(({ key }) => key), created: false };
  const created = await createKeyFile(file);
  const entries = await readKeyFile(file);
  if (entries === undefined) throw new KeyFileError(`${file}: was removed while it was being made`);
  return { keys: entries.map(({ key }) => key), created };
}

/** A line of the key file: a key, and the text that it was read from, which the key cannot give back. */
export interface KeyFileEntry {
  key: MasterKey;
  line: Secret;
}

/** The lines of the key file in their order; undefined when there is none. @throws KeyFileError */
export async function readKeyFile(file: string): Promise<KeyFileEntry[] | undefined> {
  const handle = await openIfThere(file);
  if (handle === undefined) return undefined;
  try {
    // On the open file: what was checked is what is read.
    const { mode } = await handle.stat();
    if (process.platform !== 'win32' && (mode & OTHERS_MASK) !== 0) {
      throw new KeyFileError(`${file}: others than its owner may use it; run chmod 600 on it`);
    }
    return parseKeyFile(file, await handle.readFile('utf8'));
  } finally {
    await handle.close();
  }
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function parseKeyFile(file: string, text: string): KeyFileEntry[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new KeyFileError(`${file}: holds no key`);
  const { keys, problems } = parseMasterKeys(lines.join(','));
  if (problems.length > 0) throw new KeyFileError(`${file}: ${problems.join('; ')}`);
  return keys.map((key, index) => ({ key, line: new Secret(lines[index]?.trim() ?? '') }));
}

/**
 * Writes the file aside and gives it its name at the end: a crash leaves a whole file or none, and of two who try at
 * once one does it. Values sealed with a key that is not safely on disk would be lost, so both file and folder are
 * flushed.
 *
 * @returns false when somebody else was first
 */
async function createKeyFile(file: string): Promise<boolean> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  try {
    await writeAside(file, `${generateMasterKey()}\n`, (draft) => link(draft, file));
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
