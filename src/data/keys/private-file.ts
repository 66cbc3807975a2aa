import { randomUUID } from 'node:crypto';
import { open, rename, unlink } from 'node:fs/promises';
import path from 'node:path';

/** Readable and writable by its owner, and by nobody else. */
const PRIVATE_MODE = 0o600;

/**
 * Writes a private text aside, flushes it, and lets `publish` give it its name: a crash leaves a whole file or none.
 *
 * @param publish gets the path of the draft, which is gone afterwards
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

/** Replaces a private file by another text: whoever reads it meets the old one or the new one, whole. */
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
