import { PrismaPg } from '@prisma/adapter-pg';
import {
  ColumnTypeEnum,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import pg from 'pg';
import type { Database, RawRow } from './database.ts';
import { retryingStatements, retryStatement } from './retries.ts';
import { openListener } from './server-listener.ts';
import { createServerSockets } from './server-sockets.ts';
import { countingWrites, createWriteCount, mayWrite } from './write-count.ts';

/** The advisory lock for Gatehouse's migrations. The number is arbitrary, but all replicas must use the same one. */
const MIGRATION_LOCK_KEY = 4_739_152_011;

const CONNECTION_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/**
 * A process that died without closing its connection holds its locks for at most this long; meanwhile nobody else can
 * append to the audit log. Transactions of live processes never idle for more than milliseconds.
 */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 5_000;
/**
 * Those that wait behind a dead process's locks may be dead, too. Each would get the lock in turn, and hold it for as long
 * again. So all that wait give up before the first one is ended, and the live ones try again. Less than half of
 * IDLE_IN_TRANSACTION_TIMEOUT_MS: behind a dead holder of a row, a statement may wait twice, for its turn and for the row.
 */
const LOCK_TIMEOUT_MS = 2_000;
/** How long closing waits for running statements. A server that does not answer is not waited for. */
const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Opens a connection pool to a PostgreSQL server and checks it with one query.
 *
 * @param url `postgres://…`
 * @param onIdleError called when an idle connection breaks; without a listener pg would end the process
 * @throws the driver's error when the server cannot be reached
 */
export async function openServerDatabase(
  url: string,
  options: { poolSize?: number; onIdleError?: (error: Error) => void } = {},
): Promise<Database> {
  const sockets = createServerSockets();
  const pool = new pg.Pool({
    ...connectionSettings(url),
    stream: sockets.open,
    max: options.poolSize ?? 10,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
  });
  pool.on('error', (error) => options.onIdleError?.(error));
  const close = async (): Promise<void> => {
    const late = setTimeout(sockets.close, CLOSE_TIMEOUT_MS);
    try {
      await pool.end();
    } finally {
      clearTimeout(late);
      sockets.close();
    }
  };
  try {
    await pool.query('SELECT 1');
  } catch (error) {
    await close();
    throw error;
  }

  const writes = createWriteCount();
  return {
    kind: 'server',
    adapterFactory: countingWrites(retryingStatements(new PrismaPg(pool)), writes),
    migrationAdapterFactory: migrationFactory(pool),
    async query(sql, parameters = []) {
      try {
        const result = await retryStatement(() => pool.query<RawRow>(sql, [...parameters]));
        return result.rows;
      } finally {
        if (mayWrite(sql)) writes.add();
      }
    },
    withMigrationLock: (work) => withAdvisoryLock(url, work),
    async listen(channel, onNotify) {
      return openListener(
        { ...connectionSettings(url), application_name: 'gatehouse listen' },
        channel,
        onNotify,
        sockets,
      );
    },
    writeCount: writes.value,
    poolUsage: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    close,
  };
}

function connectionSettings(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    // The driver adapter parses timestamptz as UTC regardless of the server's time zone, so set the session to UTC.
    options: '-c TimeZone=UTC',
    application_name: 'gatehouse',
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    keepAlive: true,
  };
}

/** A session lock needs the same connection from lock to unlock, so it does not use the pool. */
async function withAdvisoryLock<Result>(url: string, work: () => Promise<Result>): Promise<Result> {
  const client = new pg.Client(connectionSettings(url));
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK_KEY]);
    return await work();
  } finally {
    // Ending the session releases the lock, even if the unlock statement was not sent.
    await client.end();
  }
}

/** OIDs of the one-byte type `"char"`, which the catalogues use and the stock adapter cannot read, and of `varchar`. */
const CHAR_OID = 18;
const VARCHAR_OID = 1043;

/**
 * The stock adapter splits a script at every `;`, which breaks function bodies. PostgreSQL's simple query protocol
 * takes the whole script in one implicit transaction. The stock adapter also rejects the `"char"` columns of the
 * catalogues, which the schema engine reads when it describes a database.
 */
function migrationFactory(pool: pg.Pool): SqlMigrationAwareDriverAdapterFactory {
  const charColumns = new WeakMap<readonly unknown[], number[]>();
  const catalogPool = Object.create(pool, {
    query: {
      async value(query: pg.QueryArrayConfig, values?: unknown[]) {
        const result = await pool.query(query, values);
        const found = result.fields.flatMap((field, index) => (field.dataTypeID === CHAR_OID ? [index] : []));
        for (const index of found) {
          const field = result.fields[index];
          if (field !== undefined) field.dataTypeID = VARCHAR_OID;
        }
        charColumns.set(result.rows, found);
        return result;
      },
    },
  }) as pg.Pool;
  const factory = new PrismaPg(catalogPool);
  const whole = (adapter: SqlDriverAdapter): SqlDriverAdapter => {
    adapter.executeScript = async (script) => {
      // A script is not retried, so it waits for the statements of other replicas.
      await pool.query(`SET LOCAL lock_timeout = 0;\n${script}`);
    };
    const queryRaw = adapter.queryRaw.bind(adapter);
    adapter.queryRaw = async (query) => {
      const result = await queryRaw(query);
      for (const index of charColumns.get(result.rows) ?? []) result.columnTypes[index] = ColumnTypeEnum.Character;
      return result;
    };
    return adapter;
  };
  return {
    provider: factory.provider,
    adapterName: factory.adapterName,
    connect: async () => whole(await factory.connect()),
    connectToShadowDb: async () => whole(await factory.connectToShadowDb()),
  };
}
