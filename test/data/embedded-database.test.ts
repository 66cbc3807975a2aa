// On the embedded database: its own settings.

import { expect, onTestFinished, test, vi } from 'vitest';
import { applyMigrations } from '../../src/data/migrations/migrations.ts';
import { openTestDatabase } from '../setup/database.ts';

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
  onTestFinished(database.close);
  const started = vi.spyOn(globalThis, 'setTimeout');
  const stopped = vi.spyOn(globalThis, 'clearTimeout');
  onTestFinished(() => {
    started.mockRestore();
    stopped.mockRestore();
  });
  await applyMigrations(database);
  const ofSeconds = started.mock.results.filter((_result, index) => Number(started.mock.calls[index]?.[1]) >= 1_000);
  expect(ofSeconds).not.toEqual([]);
  const ended = new Set(stopped.mock.calls.map(([timer]) => timer));
  expect(ofSeconds.filter(({ value }) => !ended.has(value))).toEqual([]);
});
