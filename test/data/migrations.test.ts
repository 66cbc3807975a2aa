// On both databases: the schema engine, locks, and scripts through each driver.

import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Keyring } from '../../src/crypto/keyring.ts';
import { MasterKey } from '../../src/crypto/master-key.ts';
import type { Database } from '../../src/data/database/database.ts';
import { createPrisma } from '../../src/data/database/prisma.ts';
import { openServerDatabase } from '../../src/data/database/server-database.ts';
import { type Migration, readMigrations } from '../../src/data/migrations/migration.ts';
import { applyMigrations, findDrift, isUpToDate, MigrationError } from '../../src/data/migrations/migrations.ts';
import { onMainDatabase, onServer, openTestDatabase } from '../setup/database.ts';
import { createServerDatabase } from '../setup/server-databases.ts';
import { SEED_TOKEN } from './first-migration-rows.ts';
import { ROWS } from './migration-rows.ts';

const migrations = await readMigrations();
const names = migrations.map(({ name }) => name);

/** A migration after the newest one. */
function next(sql: string): Migration[] {
  return [...migrations, { name: '20990101000000_next', sql }];
}

async function countRows(database: Database): Promise<Record<string, number>> {
  const tables = await database.query(`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`);
  const counts: Record<string, number> = {};
  for (const { name } of tables.filter((table) => table['name'] !== '_prisma_migrations')) {
    const [row] = await database.query(`SELECT count(*)::int AS count FROM "${name}"`);
    counts[String(name)] = Number(row?.['count']);
  }
  return counts;
}

let database: Database;
let opened: Database | undefined;
afterEach(async () => {
  await opened?.close();
  opened = undefined;
});

const openEmpty = async () => {
  opened = await openTestDatabase({ empty: true });
  database = opened;
};
/** A database at the newest schema: faster to open than an empty one. */
const openMigrated = async () => {
  opened = await openTestDatabase();
  database = opened;
};

/** The same for several tests. What they have migrated is taken back. */
function shareMigrated(): void {
  let shared: Database;
  beforeAll(async () => {
    shared = await openTestDatabase();
  });
  beforeEach(() => {
    database = shared;
  });
  afterEach(async () => {
    await shared.query('DROP TABLE IF EXISTS notes');
    await shared.query('DELETE FROM _prisma_migrations WHERE migration_name > $1', [names.at(-1)]);
  });
  afterAll(() => shared?.close());
}

describe('an empty database', () => {
  beforeEach(openEmpty);

  test('is migrated once and then matches schema.prisma', async () => {
    expect(await isUpToDate(database)).toBe(false);
    // On the embedded database, all callers are in this process.
    const callers = Array.from({ length: onServer ? 1 : 4 }, () => applyMigrations(database));
    expect((await Promise.all(callers)).flat()).toEqual(names);
    expect(await isUpToDate(database)).toBe(true);
    expect(await applyMigrations(database)).toEqual([]);
    expect(await findDrift(database)).toBeUndefined();
    const records = await database.query(
      'SELECT migration_name, applied_steps_count, finished_at IS NOT NULL AS finished FROM _prisma_migrations ORDER BY 1',
    );
    expect(records).toEqual(names.map((name) => ({ migration_name: name, applied_steps_count: 1, finished: true })));
  });

  test.runIf(onServer)('is migrated once by several processes that start together', async () => {
    const url = await createServerDatabase({ empty: true });
    const replicas = await Promise.all(Array.from({ length: 4 }, () => openServerDatabase(url, { poolSize: 2 })));
    try {
      const applied = await Promise.all(replicas.map((replica) => applyMigrations(replica)));
      expect(applied.flat()).toEqual(names);
    } finally {
      await Promise.all(replicas.map((replica) => replica.close()));
    }
  });
});

describe('drift', () => {
  beforeEach(openMigrated);

  // One kind shows that each driver tells of it. What is compared is the same on both.
  test(`is found${onMainDatabase ? ', of each kind' : ''}`, async () => {
    const kinds = [
      ['ALTER TABLE users ADD COLUMN nickname TEXT', 'DROP COLUMN "nickname"'],
      ['ALTER TABLE chats DROP COLUMN title', 'ADD COLUMN     "title"'],
      ['DROP INDEX api_tokens_user_id_idx', '"api_tokens_user_id_idx"'],
      ["ALTER TABLE users ALTER COLUMN role SET DEFAULT 'admin'", 'ALTER COLUMN "role" SET DEFAULT'],
      ['ALTER TABLE chats DROP CONSTRAINT chats_owner_id_fkey', 'ADD CONSTRAINT "chats_owner_id_fkey"'],
      ['CREATE TABLE notes (id INT PRIMARY KEY)', 'DROP TABLE "notes"'],
    ].slice(0, onMainDatabase ? undefined : 1);
    for (const [sql = ''] of kinds) await database.query(sql);
    const script = await findDrift(database);
    for (const [, repair = ''] of kinds) expect(script).toContain(repair);
  });
});

describe('each migration of this build', () => {
  test('has rows in the test for the next one to migrate', () => {
    expect(Object.keys(ROWS).sort()).toEqual(names);
  });

  test('contains no transaction statements', () => {
    for (const { name, sql } of migrations) {
      const statements = sql.replaceAll(/--.*$/gm, '').replaceAll(/\$\$[\s\S]*?\$\$/g, '');
      expect(statements, name).not.toMatch(
        /\b(?:BEGIN|COMMIT|ROLLBACK|START TRANSACTION|SAVEPOINT|CONCURRENTLY|VACUUM)\b/i,
      );
    }
  });
});

describe('a migration of rows from the version before', () => {
  beforeEach(openEmpty);

  /** Applies the migrations one by one and fills the database before each. */
  const applyOverRows = async (steps: readonly Migration[], keyring: Keyring) => {
    for (const [index, { name }] of steps.entries()) {
      const before = index === 0 ? {} : await countRows(database);
      expect(await applyMigrations(database, steps.slice(0, index + 1))).toEqual([name]);
      expect(await countRows(database)).toMatchObject(before);
      await ROWS[name]?.(database, keyring);
    }
  };
  const newKeyring = () => new Keyring([new MasterKey(randomBytes(32))]);

  test('keeps them, secrets can still be decrypted, and one that fails on them is detected here', async () => {
    const keyring = newKeyring();
    await applyOverRows(migrations, keyring);
    for (const [table, count] of Object.entries(await countRows(database))) expect(count, table).toBeGreaterThan(0);
    const failing = next('ALTER TABLE users ADD COLUMN nickname TEXT NOT NULL');
    await expect(applyMigrations(database, failing)).rejects.toThrow(
      new MigrationError(
        'migration 20990101000000_next failed: column "nickname" of relation "users" contains null values; none of its changes were kept',
      ),
    );
    expect(await applyMigrations(database, next('SELECT 1'))).toHaveLength(1);
    const prisma = createPrisma(database, keyring);
    const tokens = await prisma.mcpServerUserToken.findMany({ include: { config: true } });
    const values = tokens.flatMap(({ accessToken, refreshToken, config }) =>
      [accessToken, refreshToken, config.oauth2ClientSecret, config.apiKeyValue, config.customHeaders].map((value) =>
        value?.openFor(config.url).expose(),
      ),
    );
    await prisma.$disconnect();
    expect(values.filter((value) => value !== undefined).sort()).toEqual(
      [SEED_TOKEN.accessToken, '{"X-A":"v"}', 'access', 'key', 'key of v2', 'refresh', 'secret'].sort(),
    );
  });
});

describe('a migration that fails', () => {
  shareMigrated();

  test.each([
    ['CREATE TABLE notes (id INT); CREATE TABLE users (id INT);', 'relation "users" already exists'],
    ['CREATE TABLE notes (id INT); nonsense', 'syntax error at or near "nonsense"'],
    [
      'CREATE TABLE notes (id INT); INSERT INTO notes VALUES (1); ALTER TABLE notes ADD CONSTRAINT many CHECK (id > 1);',
      'check constraint "many" of relation "notes" is violated by some row',
    ],
    [`CREATE TABLE notes (id INT); DO $$ BEGIN RAISE EXCEPTION E'one\\ntwo'; END $$;`, 'one'],
  ])('is reported in one sentence, rolled back, and can be replaced: %s', async (sql, reason) => {
    const sentence = `migration 20990101000000_next failed: ${reason}; none of its changes were kept`;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(applyMigrations(database, next(sql))).rejects.toThrow(new MigrationError(sentence));
      expect(await database.query(`SELECT to_regclass('notes') AS notes`)).toEqual([{ notes: null }]);
      expect([await isUpToDate(database), await isUpToDate(database, next(sql))]).toEqual([true, false]);
    }
    const better = next('CREATE TABLE notes (id INT PRIMARY KEY)');
    expect(await applyMigrations(database, better)).toEqual(['20990101000000_next']);
    expect(await isUpToDate(database, better)).toBe(true);
  });

  test('leaves an earlier successful one applied', async () => {
    const steps = [...next('CREATE TABLE notes (id INT)'), { name: '20990102000000_broken', sql: 'nonsense' }];
    await expect(applyMigrations(database, steps)).rejects.toThrow(/^migration 20990102000000_broken failed: /);
    expect(await isUpToDate(database, steps.slice(0, -1))).toBe(true);
  });

  test('because it was edited after being applied is refused, even with newer ones pending', async () => {
    const edited = next('CREATE TABLE notes (id INT)').map((step, index) =>
      index === 0 ? { ...step, sql: `${step.sql}\n` } : step,
    );
    await expect(applyMigrations(database, edited)).rejects.toThrow(
      new MigrationError(
        `migration ${names[0]} was changed after it was applied to this database; restore the original file`,
      ),
    );
    expect(await database.query(`SELECT to_regclass('notes') AS notes`)).toEqual([{ notes: null }]);
  });
});

describe('a start that is killed', () => {
  shareMigrated();

  const notes = next('CREATE TABLE notes (id INT)');

  test('before a migration ran is completed by the next start', async () => {
    await database.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at) VALUES ('killed', 'x', '20990101000000_next', now())`,
    );
    expect(await applyMigrations(database, notes)).toEqual(['20990101000000_next']);
    expect(await isUpToDate(database, notes)).toBe(true);
  });

  test('right after a migration ran leaves it applied and recorded', async () => {
    const { migrationAdapterFactory: factory } = database;
    const killed: Database = {
      ...database,
      migrationAdapterFactory: {
        provider: factory.provider,
        adapterName: factory.adapterName,
        connectToShadowDb: () => factory.connectToShadowDb(),
        async connect() {
          const adapter = await factory.connect();
          const executeScript = adapter.executeScript.bind(adapter);
          adapter.executeScript = async (script) => {
            await executeScript(script);
            if (script.includes('CREATE TABLE notes')) throw new Error('killed');
          };
          return adapter;
        },
      },
    };
    await expect(applyMigrations(killed, notes)).rejects.toThrow('killed');
    expect(await isUpToDate(database, notes)).toBe(true);
    expect(await applyMigrations(database, notes)).toEqual([]);
  });
});
