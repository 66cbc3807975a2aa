import type { TestGateway } from '../setup/gateway.ts';

/** An audit log entry as it is in the database. */
export interface AuditRow {
  seq: number;
  actor_kind: string;
  actor_id: string | null;
  actor_email: string | null;
  actor_role: string | null;
  action: string;
  outcome: string;
  target_type: string | null;
  target_id: string | null;
  target_label: string | null;
  changes: string;
  reason: string | null;
  request_id: string | null;
  address: string | null;
}

/** Runs work and returns the entries recorded by it, oldest first. */
export async function entriesOf(gateway: TestGateway, work: () => Promise<unknown>): Promise<AuditRow[]> {
  const seq = await lastSeq(gateway);
  await work();
  return readEntries(gateway, seq);
}

/** The entries after the given one, oldest first. */
export async function readEntries({ database }: TestGateway, after = 0): Promise<AuditRow[]> {
  const sql = `SELECT seq::int, actor_kind, actor_id::text, actor_email, actor_role, action, outcome, target_type,
    target_id, target_label, changes, reason, request_id, address FROM audit_entries WHERE seq > $1 ORDER BY seq`;
  return (await database.query(sql, [after])) as unknown as AuditRow[];
}

/** The newest entry's number. */
export async function lastSeq({ database }: TestGateway): Promise<number> {
  const [row] = await database.query('SELECT seq::int AS seq FROM audit_chain');
  return Number(row?.['seq']);
}
