import { randomUUID } from 'node:crypto';
import { open, rename, unlink } from 'node:fs/promises';
import path from 'node:path';

/** Readable and writable by the owner only. */
const PRIVATE_MODE = 0o600;

/**
 * Writes a private text to a temporary file, flushes it, and lets `publish` give it its final name. A crash leaves a
 * whole file or none.
 *
 * @param publish receives the path of the temporary file, which is deleted afterwards
 */
export async function writeAside(file: string, text: string, publish: (draft: string) => Promise<void>): Promise<void> {
  const folder = path.dirname(file);
  const draft = path.join(folder, `.${path.basename(file)}.${randomUUID()}`);
  try {
    const handle = await open(draft, 'wx', PRIVATE_MODE);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await publish(draft);
    await flushFolder(folder);
  } finally {
    await unlink(draft).catch(() => undefined);
  }
}

/** Replaces the content of a private file atomically: readers see either the old or the new text. */
export function replacePrivateFile(file: string, text: string): Promise<void> {
  return writeAside(file, text, (draft) => rename(draft, file));
}

async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
