import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { generateMasterKey, MasterKey } from '../../src/crypto/master-key.ts';
import { KeyFileError, loadOrCreateKeyFile } from '../../src/data/keys/key-file.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-keys-'));
  file = path.join(folder, 'data', 'keys');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test('a key file is created once, readable only by its owner, and read again', async () => {
  const made = await loadOrCreateKeyFile(file);
  expect(made.created).toBe(true);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const text = await readFile(file, 'utf8');
  expect(text).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
  expect(made.keys.map((key) => key.digest)).toEqual([new MasterKey(Buffer.from(text, 'base64')).digest]);
  const again = await loadOrCreateKeyFile(file);
  expect(again.created).toBe(false);
  expect(again.keys.map((key) => key.digest)).toEqual(made.keys.map((key) => key.digest));
  expect(await readdir(path.dirname(file))).toEqual(['keys']);
});

test('processes that create it concurrently all get the same key', async () => {
  const results = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateKeyFile(file)));
  expect(results.filter(({ created }) => created)).toHaveLength(1);
  expect(new Set(results.map(({ keys }) => keys[0]?.digest)).size).toBe(1);
  expect(await readdir(path.dirname(file))).toEqual(['keys']);
});

test('the first line is the active key, and blank lines are ignored', async () => {
  const lines = [generateMasterKey(), generateMasterKey()];
  const written = path.join(folder, 'keys');
  await writeFile(written, `\n${lines.join('\r\n\n')}\n`, { mode: 0o600 });
  const { keys } = await loadOrCreateKeyFile(written);
  expect(keys.map((key) => key.digest)).toEqual(lines.map((line) => new MasterKey(Buffer.from(line, 'base64')).digest));
});

test.skipIf(process.platform === 'win32').each([0o644, 0o640, 0o604, 0o620, 0o660])(
  'a file with mode %o is refused',
  async (mode) => {
    await loadOrCreateKeyFile(file);
    await chmod(file, mode);
    await expect(loadOrCreateKeyFile(file)).rejects.toThrow(KeyFileError);
    await expect(loadOrCreateKeyFile(file)).rejects.toThrow(/chmod 600/);
  },
);

test.each([
  ['nothing', '\n', /contains no key/],
  ['a short key', `${generateMasterKey()}\nc2hvcnQ=\n`, /key 2 has 5 bytes/],
  ['a broken key', `not a key\n`, /key 1 is not base64/],
])('a file with %s is refused, not replaced', async (_, text, message) => {
  const written = path.join(folder, 'keys');
  await writeFile(written, text, { mode: 0o600 });
  await expect(loadOrCreateKeyFile(written)).rejects.toThrow(message);
  expect(await readFile(written, 'utf8')).toBe(text);
});
