import { expect, test } from 'vitest';
import { applyMigrations, findDrift, isUpToDate } from '../../src/data/migrations.ts';
import { openTestDatabase } from '../setup/database.ts';

test('an empty database is brought to the schema once', async () => {
  const database = await openTestDatabase({ empty: true });
  try {
    expect(await isUpToDate(database)).toBe(false);
    const applied = await applyMigrations(database);
    expect(applied).toContain('20261123000000_init');
    expect(await applyMigrations(database)).toEqual([]);
    expect(await findDrift(database)).toBeUndefined();
  } finally {
    await database.close();
  }
});
