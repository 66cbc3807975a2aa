import { hash } from 'node:crypto';

/** The hashed content of an audit entry: every column except the hash itself. */
export interface HashedEntry {
  seq: bigint;
  occurredAt: Date;
  actorKind: string;
  actorId: string | null;
  actorEmail: string | null;
  actorRole: string | null;
  action: string;
  outcome: string;
  targetType: string | null;
  targetId: string | null;
  targetLabel: string | null;
  changes: string;
  reason: string | null;
  requestId: string | null;
  address: string | null;
  previousHash: string;
}

/**
 * The hash of an entry: SHA-256 of its columns, including the previous hash, as a JSON array. An entry therefore cannot
 * be changed, removed or inserted without changing all later ones. The format is frozen: any change would break every
 * existing chain.
 */
export function hashEntry(entry: HashedEntry): string {
  const columns = [
    'gatehouse-audit-v1',
    entry.seq.toString(),
    entry.occurredAt.toISOString(),
    entry.actorKind,
    entry.actorId,
    entry.actorEmail,
    entry.actorRole,
    entry.action,
    entry.outcome,
    entry.targetType,
    entry.targetId,
    entry.targetLabel,
    entry.changes,
    entry.reason,
    entry.requestId,
    entry.address,
    entry.previousHash,
  ];
  return hash('sha256', JSON.stringify(columns), 'hex');
}
