import path from 'node:path';
import type { Config } from '../config.ts';
import { Keyring } from '../crypto/keyring.ts';
import { loadOrCreateKeyFile, readKeyFile } from '../data/keys/key-file.ts';
import { type KeyFile, openKeyFile } from '../data/keys/key-file-changes.ts';

/** The keys at startup. */
export interface ConfiguredKeys {
  keyring: Keyring;
  /** The file with the keys; undefined if they come from the environment. */
  keyFile: KeyFile | undefined;
}

/** Loads the keys from the environment, or else from the key file in the data folder. Creates the file if missing. */
export async function openConfiguredKeys(config: Config): Promise<ConfiguredKeys> {
  if (config.encryptionKeys !== undefined) return { keyring: new Keyring(config.encryptionKeys), keyFile: undefined };
  const file = encryptionKeyFile(config);
  const { keys } = await loadOrCreateKeyFile(file);
  return { keyring: new Keyring(keys), keyFile: openKeyFile(file) };
}

/** Reads the keys that a start would load, and creates none. @throws KeyFileError if the file cannot be used */
export async function checkConfiguredKeys(config: Config): Promise<void> {
  if (config.encryptionKeys === undefined) await readKeyFile(encryptionKeyFile(config));
}

function encryptionKeyFile(config: Config): string {
  return path.join(config.dataDir, 'encryption-keys');
}
