import { generateMasterKey, type MasterKey } from '../../crypto/master-key.ts';
import { parseMasterKeys } from '../../crypto/parse-master-keys.ts';
import { Secret } from '../../crypto/secret.ts';
import { type KeyFileEntry, KeyFileError, readKeyFile } from './key-file.ts';
import { replacePrivateFile } from './private-file.ts';

/**
 * The embedded database's key file, which can change while the gateway runs. Each change is on disk when its promise
 * resolves.
 */
export interface KeyFile {
  /** Creates a key and appends it. An appended key can open values but does not seal. */
  append(): Promise<MasterKey>;
  /** Moves a key to the front, so that it seals after the next start. */
  promote(digest: string): Promise<void>;
  /** Removes a key permanently. Does nothing if the key is not in the file. */
  remove(digest: string): Promise<void>;
}

/**
 * Opens an existing key file. Changes run one after another. Only the process that holds the data folder may change it.
 */
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
      // About one random key in 10^20 looks predictable and would be rejected when read back.
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
  if (before === undefined) throw new KeyFileError(`${file}: is missing; restore it before the gateway stops`);
  const after = edit(before);
  if (after.length === 0) throw new KeyFileError(`${file}: would have no key left`);
  await replacePrivateFile(file, after.map(({ line }) => `${line.expose()}\n`).join(''));
}
