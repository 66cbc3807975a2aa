import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openEmbeddedDatabase } from '../src/data/database/embedded-database.ts';
import { packFolder } from '../src/data/database/prepared-folder.ts';

// Makes dist/database/new.br: the embedded database before its first migration, as PGlite creates it.

const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-database-'));
const dist = new URL('../dist/database/', import.meta.url);
try {
  const database = await openEmbeddedDatabase(path.join(folder, 'database'));
  await database.close();
  mkdirSync(dist, { recursive: true });
  writeFileSync(new URL('new.br', dist), await packFolder(path.join(folder, 'database')));
} finally {
  rmSync(folder, { recursive: true });
}
