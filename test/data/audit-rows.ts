import type { Database } from '../../src/data/database/database.ts';
import { type HashedEntry, hashEntry } from '../../src/data/repositories/audit-hash.ts';

/** Drops the triggers, as the owner of the database could. */
export async function withoutTriggers(database: Database, work: () => Promise<unknown>): Promise<void> {
  const switchTriggers = async (to: 'DISABLE' | 'ENABLE'): Promise<void> => {
    for (const table of ['audit_entries', 'audit_chain']) {
      await database.query(`ALTER TABLE IF EXISTS ${table} ${to} TRIGGER USER`);
    }
  };
  await switchTriggers('DISABLE');
  try {
    await work();
  } finally {
    await switchTriggers('ENABLE');
  }
}

/** Starts an empty log. */
export async function clearLog(database: Database): Promise<void> {
  await withoutTriggers(database, async () => {
    await database.query('DELETE FROM audit_entries');
    await database.query('DELETE FROM audit_chain');
    await database.query("INSERT INTO audit_chain (hash, anchor_hash) VALUES (repeat('0', 64), repeat('0', 64))");
  });
}

/** Writes a backdated entry with a valid hash. @returns its number */
export async function writeEntryOf(database: Database, occurredAt: Date): Promise<bigint> {
  const [head] = await database.query('SELECT seq::text AS seq, hash FROM audit_chain');
  const entry: HashedEntry = {
    seq: BigInt(String(head?.['seq'])) + 1n,
    occurredAt,
    actorKind: 'system',
    actorId: null,
    actorEmail: null,
    actorRole: null,
    action: 'chat.create',
    outcome: 'success',
    targetType: null,
    targetId: null,
    targetLabel: null,
    changes: '[]',
    reason: null,
    requestId: null,
    address: null,
    previousHash: String(head?.['hash']),
  };
  const hash = hashEntry(entry);
  await database.query(
    `INSERT INTO audit_entries (seq, occurred_at, actor_kind, action, outcome, changes, previous_hash, hash)
     VALUES ($1, $2, 'system', 'chat.create', 'success', '[]', $3, $4)`,
    [entry.seq.toString(), occurredAt, entry.previousHash, hash],
  );
  await database.query('UPDATE audit_chain SET seq = seq + 1');
  await database.query('UPDATE audit_chain SET hash = $1', [hash]);
  return entry.seq;
}
