import path from 'node:path';
import type { Config } from '../config.ts';
import { Keyring } from '../crypto/keyring.ts';
import { loadOrCreateKeyFile } from '../data/keys/key-file.ts';
import { type KeyFile, openKeyFile } from '../data/keys/key-file-changes.ts';

/** The keys that a process starts with. */
export interface ConfiguredKeys {
  keyring: Keyring;
  /** Where they are kept; absent when they come from the environment. */
  keyFile: KeyFile | undefined;
}

/** The keys of the environment, else those of the key file in the data folder, which is made if need be. */
export async function openConfiguredKeys(config: Config): Promise<ConfiguredKeys> {
  if (config.encryptionKeys !== undefined) return { keyring: new Keyring(config.encryptionKeys), keyFile: undefined };
  const file = path.join(config.dataDir, 'encryption-keys');
  const { keys } = await loadOrCreateKeyFile(file);
  return { keyring: new Keyring(keys), keyFile: openKeyFile(file) };
}
