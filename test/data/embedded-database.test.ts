// Only on the embedded database: its own settings.

import { hash } from 'node:crypto';
import { mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { fillFolder, packFolder } from '../../src/data/database/prepared-folder.ts';
import { applyMigrations } from '../../src/data/migrations/migrations.ts';
import { openTestDatabase } from '../setup/database.ts';
import { loadFiles, writeFolder } from '../setup/embedded-files.ts';
import { makeFolder } from '../setup/process.ts';

test('the embedded database has small buffers, which make its start fast, and keeps the other settings of PGlite', async () => {
  const database = await openTestDatabase();
  const rows = await database.query(
    "SELECT name, current_setting(name) AS value FROM pg_settings WHERE name IN ('shared_buffers', 'search_path', 'io_method')",
  );
  await database.close();
  expect(Object.fromEntries(rows.map(({ name, value }) => [name, value]))).toEqual({
    shared_buffers: '16MB',
    search_path: 'public',
    io_method: 'sync',
  });
});

test('a migration leaves no timer that keeps the process: it would end ten seconds late', async () => {
  const database = await openTestDatabase({ empty: true });
  const started = vi.spyOn(globalThis, 'setTimeout');
  const stopped = vi.spyOn(globalThis, 'clearTimeout');
  onTestFinished(() => {
    started.mockRestore();
    stopped.mockRestore();
  });
  await applyMigrations(database);
  // Its own timer ends with it.
  await database.close();
  const ofSeconds = started.mock.results.filter((_result, index) => Number(started.mock.calls[index]?.[1]) >= 1_000);
  expect(ofSeconds).not.toEqual([]);
  const ended = new Set(stopped.mock.calls.map(([timer]) => timer));
  expect(ofSeconds.filter(({ value }) => !ended.has(value))).toEqual([]);
});

/** All that is in a folder: folders, and files with the hashes of their bytes. */
async function readTree(folder: string): Promise<[name: string, hash: string | undefined][]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const read = entries.map(async (entry): Promise<[string, string | undefined]> => {
    const file = path.join(entry.parentPath, entry.name);
    return [path.relative(folder, file), entry.isFile() ? hash('sha256', await readFile(file), 'hex') : undefined];
  });
  return (await Promise.all(read)).sort(([a], [b]) => (a < b ? -1 : 1));
}

// test/cli/serve.test.ts shows that the gateway starts on the folder of the build.
test('an empty folder is filled with the packed one, file by file', async () => {
  const { folder, remove } = await makeFolder();
  onTestFinished(remove);
  const [original, filled] = [path.join(folder, 'original'), path.join(folder, 'filled')];
  writeFolder(original, await loadFiles(inject('embeddedSnapshots')?.empty ?? ''));
  const packed = path.join(folder, 'packed');
  await writeFile(packed, await packFolder(original));

  // As after a start that was killed while it filled the folder.
  await mkdir(`${filled}.new/base`, { recursive: true });
  await writeFile(`${filled}.new/PG_VERSION`, '1');
  await mkdir(filled);
  await fillFolder(filled, packed);
  const tree = await readTree(filled);
  expect(tree).toEqual(await readTree(original));
  expect(tree.length).toBeGreaterThan(300);
  expect(await readdir(folder)).toEqual(['filled', 'original', 'packed']);
});

test('a folder stays as it is if it has files, or if the packed one is of another PGlite, or if there is none', async () => {
  const { folder, remove } = await makeFolder();
  onTestFinished(remove);
  const packed = path.join(folder, 'packed');
  const [used, empty] = [path.join(folder, 'used'), path.join(folder, 'empty')];
  for (const each of [used, empty]) await mkdir(each);
  await writeFile(path.join(used, 'PG_VERSION'), '18');
  const content = await packFolder(used);
  await writeFile(packed, content);
  await fillFolder(empty, packed);
  expect(await readdir(empty)).toEqual(['PG_VERSION']);

  await writeFile(path.join(used, 'PG_VERSION'), '19');
  await fillFolder(used, packed);
  expect(await readFile(path.join(used, 'PG_VERSION'), 'utf8')).toBe('19');

  const [others, link] = [path.join(folder, 'others'), path.join(folder, 'link')];
  await mkdir(others);
  await symlink(others, link);
  await fillFolder(link, packed);
  expect(await readdir(others)).toEqual([]);
  expect(await readlink(link)).toBe(others);

  const ofAnother = brotliDecompressSync(content)
    .toString()
    .replace(/"pglite":"[^"]+"/, '"pglite":"0.0.1"');
  await writeFile(packed, brotliCompressSync(ofAnother));
  await fillFolder(others, packed);
  await fillFolder(others, path.join(folder, 'none'));
  expect(await readdir(others)).toEqual([]);
});
