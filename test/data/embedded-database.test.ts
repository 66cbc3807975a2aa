// On the embedded database: its own settings.

import { expect, test } from 'vitest';
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
