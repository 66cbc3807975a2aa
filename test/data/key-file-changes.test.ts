import { readdirSync, statSync } from 'node:fs';
import { chmod, readFile, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadOrCreateKeyFile } from '../../src/data/keys/key-file.ts';
import { type KeyFile, openKeyFile } from '../../src/data/keys/key-file-changes.ts';
import { makeFolder } from '../setup/process.ts';

let folder: string;
let remove: () => Promise<void>;
let file: string;
let keyFile: KeyFile;

beforeEach(async () => {
  ({ folder, remove } = await makeFolder());
  file = path.join(folder, 'encryption-keys');
  await loadOrCreateKeyFile(file);
  keyFile = openKeyFile(file);
});
afterEach(() => remove());

const readDigests = async () => (await loadOrCreateKeyFile(file)).keys.map(({ digest }) => digest);

test('a new key is added last, promoted to the front, and the old one removed', async () => {
  const [former] = await readDigests();
  const { digest } = await keyFile.append();
  expect(await readDigests()).toEqual([former, digest]);
  await keyFile.promote(digest);
  expect(await readDigests()).toEqual([digest, former]);
  await keyFile.remove(former ?? '');
  await keyFile.remove(former ?? '');
  expect(await readDigests()).toEqual([digest]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['encryption-keys']);
});

test('concurrent changes are all applied', async () => {
  const keys = await Promise.all(Array.from({ length: 8 }, () => keyFile.append()));
  expect((await readDigests()).slice(1).sort()).toEqual(keys.map(({ digest }) => digest).sort());
});

test('the last key is not removed, and an unknown one is not promoted', async () => {
  const [only] = await readDigests();
  await expect(keyFile.remove(only ?? '')).rejects.toThrow('would have no key left');
  await expect(keyFile.promote('0'.repeat(64))).rejects.toThrow('has no key with the digest');
  // The next change still works.
  await keyFile.append();
  expect(await readDigests()).toHaveLength(2);
});

test('a key file that is readable by others, damaged or missing is not touched', async () => {
  const text = await readFile(file, 'utf8');
  await chmod(file, 0o644);
  await expect(keyFile.append()).rejects.toThrow('chmod 600');
  expect(await readFile(file, 'utf8')).toBe(text);
  await chmod(file, 0o600);
  await writeFile(file, `${text}damaged\n`);
  await expect(keyFile.append()).rejects.toThrow('key 2 is not base64');
  expect(await readFile(file, 'utf8')).toBe(`${text}damaged\n`);
  await unlink(file);
  await expect(keyFile.append()).rejects.toThrow('is missing');
  expect(readdirSync(folder)).toEqual([]);
});
