import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { waitUntil } from '../setup/wait-until.ts';
import type { Change, ConfigState, Ledger } from './feed-ledger.ts';
import { type Plan, planTransaction } from './feed-transaction.ts';

/** How long a writer tries to connect to a server that is down. */
const CONNECT_MS = 30_000;

/** Writers that run until they are stopped. */
export interface Writers {
  /** Resolves when all have stopped; rejects with the first unexpected error. */
  stop(): Promise<void>;
}

/** Starts writers that write directly into the database, each over its own connection. */
export function startWriters(options: {
  url: string;
  ledger: Ledger;
  count: number;
  shared: readonly string[];
  /** Approximate rest between two transactions of a writer. */
  pauseMs?: number | undefined;
}): Writers {
  const { url, ledger, count, shared, pauseMs = 0 } = options;
  let isStopped = false;

  const write = async (): Promise<void> => {
    const own: string[] = [];
    let client = await connect(url);
    try {
      while (!isStopped) {
        if (pauseMs > 0) await delay(pauseMs * (0.5 + Math.random()));
        const plan = planTransaction(own, shared);
        const outcome = await runPlan(client, plan);
        if (outcome.isBroken) {
          await client.end().catch(() => undefined);
          client = await connect(url);
        }
        const isCommitted = outcome.isCommitted ?? (await wasCommitted(client, plan));
        if (!isCommitted) continue;
        ledger.commit(outcome.changes);
        for (const { id, state } of outcome.changes) {
          if (state === null) own.splice(own.indexOf(id), 1);
          else if (state.version === 1) own.push(id);
        }
      }
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const running = Promise.all(Array.from({ length: count }, write)).finally(() => {
    isStopped = true;
  });
  running.catch(() => undefined);
  return {
    async stop() {
      isStopped = true;
      await running;
    },
  };
}

interface Outcome {
  changes: Change[];
  /** Undefined if the connection broke during the COMMIT. */
  isCommitted: boolean | undefined;
  isBroken: boolean;
}

async function runPlan(client: pg.Client, { statements, isCommitted, isSlow }: Plan): Promise<Outcome> {
  const changes: Change[] = [];
  let isEnding = false;
  try {
    const texts = ['BEGIN', ...statements.map(({ sql }) => sql)];
    const results: pg.QueryResult[] = [];
    if (isSlow) for (const text of texts) results.push(await client.query(text));
    else results.push(...((await client.query(texts.join(';'))) as unknown as pg.QueryResult[]));
    for (const [index, { isUndone }] of statements.entries()) {
      const { command, rows } = results[index + 1] as pg.QueryResult<ConfigState & { id: string }>;
      if (isUndone) continue;
      for (const { id, ...state } of rows) changes.push({ id, state: command === 'DELETE' ? null : state });
    }
    isEnding = isCommitted;
    await client.query(isCommitted ? 'COMMIT' : 'ROLLBACK');
    return { changes, isCommitted, isBroken: false };
  } catch (error) {
    if (!isBreak(error)) throw error;
    return { changes, isCommitted: isEnding ? undefined : false, isBroken: true };
  }
}

/** Nobody else writes the witness: it is as this transaction left it, or as it was before. */
async function wasCommitted(client: pg.Client, { witness }: Plan): Promise<boolean> {
  const { rows } = await client.query<ConfigState>('SELECT description FROM mcp_server_configs WHERE id = $1', [
    witness.id,
  ]);
  return witness.isRemoved ? rows.length === 0 : rows[0]?.description === witness.description;
}

/** Connects as soon as there is a server. */
export async function connect(url: string): Promise<pg.Client> {
  let client = new pg.Client({ connectionString: url });
  const isConnected = async (): Promise<boolean> => {
    client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, application_name: 'writer' });
    // An error of the connection fails the statement as well.
    client.on('error', () => undefined);
    return client.connect().then(
      () => true,
      (error: unknown) => {
        if (!isBreak(error)) throw error;
        return false;
      },
    );
  };
  await waitUntil('the server takes connections', isConnected, CONNECT_MS);
  return client;
}

/** Whether the server went away or was down; any other error is a mistake of the test. */
export function isBreak(error: unknown): boolean {
  const { code, severity } = error as { code?: string; severity?: string };
  if (severity === undefined) return true;
  // Connection exceptions, and shutdown and startup of the server (PostgreSQL documentation, appendix A).
  return code !== undefined && (code.startsWith('08') || code.startsWith('57P'));
}
