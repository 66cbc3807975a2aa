import { type FileHandle, link, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { generateMasterKey, type MasterKey } from '../../crypto/master-key.ts';
import { parseMasterKeys } from '../../crypto/parse-master-keys.ts';
import { Secret } from '../../crypto/secret.ts';
import { writeAside } from './private-file.ts';

const OTHERS_MASK = 0o077;

/** The key file is unusable. The message is for the operator and contains no key. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

/**
 * Reads the embedded database's master keys: one base64 key per line; the first one seals. If the file does not exist,
 * creates it atomically with a new key.
 *
 * @returns the keys, and whether they are new; if so, tell the operator to back up the file
 * @throws KeyFileError when other users may access the file, or a line is not a key
 */
export async function loadOrCreateKeyFile(file: string): Promise<{ keys: MasterKey[]; created: boolean }> {
  const known = await readKeyFile(file);
  if (known !== undefined) return { keys: known.map(({ key }) => key), created: false };
  const created = await createKeyFile(file);
  const entries = await readKeyFile(file);
  if (entries === undefined) throw new KeyFileError(`${file}: was removed while it was being created`);
  return { keys: entries.map(({ key }) => key), created };
}

/** A line of the key file: the key and the text it was parsed from. The text cannot be recovered from the key. */
export interface KeyFileEntry {
  key: MasterKey;
  line: Secret;
}

/** Reads the lines of the key file in order. Undefined if the file does not exist. @throws KeyFileError */
export async function readKeyFile(file: string): Promise<KeyFileEntry[] | undefined> {
  const handle = await openIfThere(file);
  if (handle === undefined) return undefined;
  try {
    // Check the open file, not the path, so that the checked file is the one that is read.
    const { mode } = await handle.stat();
    if (process.platform !== 'win32' && (mode & OTHERS_MASK) !== 0) {
      throw new KeyFileError(`${file}: users other than its owner can access it; run chmod 600 on it`);
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
  if (lines.length === 0) throw new KeyFileError(`${file}: contains no key`);
  const { keys, problems } = parseMasterKeys(lines.join(','));
  if (problems.length > 0) throw new KeyFileError(`${file}: ${problems.join('; ')}`);
  return keys.map((key, index) => ({ key, line: new Secret(lines[index]?.trim() ?? '') }));
}

/**
 * Writes a temporary file and then gives it its final name, so that a crash leaves a whole file or none, and only one
 * of two concurrent attempts succeeds. Values sealed with a key that is not safely on disk would be lost, so both the
 * file and its folder are flushed.
 *
 * @returns false when another process created the file first
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
