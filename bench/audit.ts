import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { Keyring } from '../src/crypto/keyring.ts';
import { MasterKey } from '../src/crypto/master-key.ts';
import type { Database } from '../src/data/database/database.ts';
import { openEmbeddedDatabase } from '../src/data/database/embedded-database.ts';
import { createPrisma } from '../src/data/database/prisma.ts';
import { openServerDatabase } from '../src/data/database/server-database.ts';
import { applyMigrations } from '../src/data/migrations/migrations.ts';
import { type HashedEntry, hashEntry } from '../src/data/repositories/audit-hash.ts';
import { createStore } from '../src/data/store.ts';
import { createAuditLog } from '../src/domain/audit/audit-log.ts';
import { SYSTEM, type Viewer } from '../src/policy/viewer.ts';
import { openBenchDatabase } from './bench-database.ts';

const ENTRIES = 100_000;
const PAGE = 50;
const PAGES = 50;
const BATCH = 2_000;

const ADMIN: Viewer = {
  kind: 'user',
  userId: '00000000-0000-4000-8000-000000000001',
  role: 'admin',
  credential: { kind: 'bootstrap' },
};

/** Measures an audit log of 100,000 entries: its first page, a filtered page, and a full verification. */
export async function measureAudit(): Promise<string> {
  const bench = await openBenchDatabase();
  const database = await (bench.url === undefined
    ? openEmbeddedDatabase(path.join(bench.folder, 'audit'))
    : openServerDatabase(bench.url));
  try {
    await applyMigrations(database);
    await writeEntries(database);
    const prisma = createPrisma(database, new Keyring([new MasterKey(randomBytes(32))]));
    try {
      const log = createAuditLog({
        store: createStore(prisma),
        experiments: new Set(['agents']),
        now: () => new Date(),
      });
      const first = await timeMedian(() => log.list(ADMIN, { first: PAGE }));
      const targetId = '00000000-0000-4000-8000-000000000042';
      const filtered = await timeMedian(() =>
        log.list(ADMIN, { first: PAGE, filter: { targetType: 'mcp_server_config', targetId } }),
      );
      const start = performance.now();
      const { broken, checked } = await log.verify(SYSTEM);
      if (broken !== null || checked !== ENTRIES) throw new Error('the log that was just written is not whole');
      const seconds = ((performance.now() - start) / 1_000).toFixed(1);
      return `Audit log, ${ENTRIES.toLocaleString('en')} entries, ${bench.label}: first page of ${PAGE} in ${first} ms, one config's in ${filtered} ms (median of ${PAGES}), verified in ${seconds} s`;
    } finally {
      await prisma.$disconnect();
    }
  } finally {
    await database.close();
    await bench.remove();
  }
}

async function timeMedian(work: () => Promise<unknown>): Promise<string> {
  const times: number[] = [];
  for (let index = 0; index < PAGES; index += 1) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return (times.sort((a, b) => a - b)[PAGES / 2] ?? 0).toFixed(1);
}

async function writeEntries(database: Database): Promise<void> {
  let previousHash = '0'.repeat(64);
  const begin = Date.now() - ENTRIES * 1_000;
  for (let from = 1; from <= ENTRIES; from += BATCH) {
    const entries = Array.from({ length: BATCH }, (_, index) => {
      const number = from + index;
      const entry: HashedEntry = {
        seq: BigInt(number),
        occurredAt: new Date(begin + number * 1_000),
        actorKind: 'user',
        actorId: ADMIN.kind === 'user' ? ADMIN.userId : null,
        actorEmail: 'admin@example.com',
        actorRole: 'admin',
        action: 'mcpServerConfig.update',
        outcome: 'success',
        targetType: 'mcp_server_config',
        targetId: `00000000-0000-4000-8000-${String(number % 500).padStart(12, '0')}`,
        targetLabel: `server-${number % 500}`,
        changes: JSON.stringify([{ field: 'enabled', before: false, after: true }]),
        reason: null,
        requestId: `request-${number}`,
        address: '192.0.2.7',
        previousHash,
      };
      previousHash = hashEntry(entry);
      return { ...entry, hash: previousHash };
    });
    await database.query(
      `INSERT INTO audit_entries (seq, occurred_at, actor_kind, actor_id, actor_email, actor_role, action, outcome,
         target_type, target_id, target_label, changes, reason, request_id, address, previous_hash, hash)
       SELECT e."seq", e."occurredAt", e."actorKind", e."actorId", e."actorEmail", e."actorRole", e."action", e."outcome",
         e."targetType", e."targetId", e."targetLabel", e."changes", e."reason", e."requestId", e."address",
         e."previousHash", e."hash"
       FROM json_to_recordset($1::json) AS e("seq" bigint, "occurredAt" timestamptz, "actorKind" text, "actorId" uuid,
         "actorEmail" text, "actorRole" text, "action" text, "outcome" text, "targetType" text, "targetId" text,
         "targetLabel" text, "changes" text, "reason" text, "requestId" text, "address" text, "previousHash" text,
         "hash" text)`,
      [JSON.stringify(entries, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))],
    );
  }
  // Its trigger lets the end move only entry by entry.
  await database.query('ALTER TABLE audit_chain DISABLE TRIGGER USER');
  await database.query('UPDATE audit_chain SET seq = $1, hash = $2', [String(ENTRIES), previousHash]);
  await database.query('ALTER TABLE audit_chain ENABLE TRIGGER USER');
  await database.query('ANALYZE audit_entries');
}
