import { mkdirSync, writeFileSync } from 'node:fs';
import { limitWasmTiering } from '../src/cli/engine-settings.ts';
import { openEmbeddedDatabase } from '../src/data/database/embedded-database.ts';
import { applyMigrations, findDrift } from '../src/data/migrations/migrations.ts';

// Writes the next migration: the difference between the migrations and schema.prisma. Add what Prisma cannot express
// (CHECK constraints, partial indexes) by hand, then run the tests.

const name = process.argv[2];
if (name === undefined || !/^[a-z0-9_]+$/.test(name)) {
  console.error('usage: npm run db:diff -- name_of_the_change');
  process.exit(2);
}
limitWasmTiering();
const database = await openEmbeddedDatabase('memory://');
await applyMigrations(database);
const sql = await findDrift(database);
await database.close();
if (sql === undefined) {
  console.log('schema.prisma and the migrations agree; nothing to write.');
} else {
  const timestamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const folder = new URL(`../prisma/migrations/${timestamp}_${name}/`, import.meta.url);
  mkdirSync(folder);
  writeFileSync(new URL('migration.sql', folder), sql);
  console.log(`Wrote prisma/migrations/${timestamp}_${name}/migration.sql`);
}
