import { generateMasterKey, type MasterKey } from '../../crypto/master-key.ts';
import { parseMasterKeys } from '../../crypto/parse-master-keys.ts';
import { Secret } from '../../crypto/secret.ts';
import { type KeyFileEntry, KeyFileError, readKeyFile } from './key-file.ts';
import { replacePrivateFile } from './private-file.ts';

/** The embedded database's key file, to be changed while the gateway runs. Each change is on disk when it is done. */
export interface KeyFile {
  /** Makes a new key and puts it at the end, where it only opens. */
  append(): Promise<MasterKey>;
  /** Puts a key first: it seals after the next start. */
  promote(digest: string): Promise<void>;
  /** Takes a key out, for good. Does nothing when it is not there. */
  remove(digest: string): Promise<void>;
}

/** Changes to an existing key file, one after the other. Only the process that holds the data folder may make them. */
export function openKeyFile(file: string): KeyFile {
  let last: Promise<unknown> = Promise.resolve();
  const change = (edit: (entries: KeyFileEntry[]) => KeyFileEntry[]): Promise<void> => {
    const next = last.then(() => rewrite(file, edit));
    last = next.catch(() => undefined);
    return next;
  };
  return {
    async append() {
      const line = generateMasterKey();
      const [key] = parseMasterKeys(line).keys;
      // One random key in 10^20 looks predictable, and would not be read back.
      if (key === undefined) throw new KeyFileError(`${file}: the new key is too regular; try again`);
      await change((entries) => [...entries, { key, line: new Secret(line) }]);
      return key;
    },
    promote: (digest) =>
      change((entries) => {
        const promoted = entries.find(({ key }) => key.digest === digest);
        if (promoted === undefined) throw new KeyFileError(`${file}: has no key with the digest ${digest}`);
        return [promoted, ...entries.filter((entry) => entry !== promoted)];
      }),
    remove: (digest) => change((entries) => entries.filter(({ key }) => key.digest !== digest)),
  };
}

async function rewrite(file: string, edit: (entries: KeyFileEntry[]) => KeyFileEntry[]): Promise<void> {
  const before = await readKeyFile(file);
  if (before === undefined) throw new KeyFileError(`${file}: is gone; restore it before the gateway stops`);
  const after = edit(before);
  if (after.length === 0) throw new KeyFileError(`${file}: would be left without a key`);
  await replacePrivateFile(file, after.map(({ line }) => `${line.expose()}\n`).join(''));
}
