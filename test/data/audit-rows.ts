import type { Database } from '../../src/data/database/database.ts';
import { type HashedEntry, hashEntry } from '../../src/data/repositories/audit-hash.ts';

/** Drops the triggers, as the owner of the database could. */
export async function withoutTriggers(database: Database, work: () => Promise<unknown>): Promise<void> {
  await database.query('ALTER TABLE audit_entries DISABLE TRIGGER USER');
  await work();
  await database.query('ALTER TABLE audit_entries ENABLE TRIGGER USER');
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
  await database.query('UPDATE audit_chain SET seq = $1, hash = $2', [entry.seq.toString(), hash]);
  return entry.seq;
}
