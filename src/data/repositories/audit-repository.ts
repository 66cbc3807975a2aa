import { FIELD_LIMITS } from '../../limits/field-limits.ts';
import { type Viewer, viewerUserId } from '../../policy/viewer.ts';
import { currentRequest, type RequestScope } from '../../telemetry/request-scope.ts';
import type { PrismaStore } from '../database/prisma.ts';
import type { Prisma } from '../generated/client.ts';
import type { AuditAction, AuditEntryRecord, AuditOutcome, AuditTargetType, FieldChange, Page } from '../records.ts';
import { hashEntry } from './audit-hash.ts';
import { guarded } from './guarded.ts';

/** An entry to append. The actor, time and origin are added automatically. */
export interface NewAuditEntry {
  actor: Viewer;
  /** For changes to the actor's own user: the email address before the change. */
  actorEmail?: string | undefined;
  action: AuditAction;
  outcome?: AuditOutcome | undefined;
  target?: { type: AuditTargetType; id?: string | undefined; label?: string | undefined } | undefined;
  changes?: readonly FieldChange[] | undefined;
  /** Why it was denied or failed, or other details. Never a secret. */
  reason?: string | undefined;
}

/** An entry, and the request that it is about. */
export interface RequestedEntry {
  entry: NewAuditEntry;
  request: RequestScope | undefined;
}

/** Refuses an entry by throwing. The transaction that would append it is rolled back with all its changes. */
export type AdmitEntry = (entry: NewAuditEntry) => void;

/** Selects entries. All conditions must hold. */
export interface AuditFilter {
  actorId?: string | undefined;
  action?: AuditAction | undefined;
  outcome?: AuditOutcome | undefined;
  targetType?: AuditTargetType | undefined;
  targetId?: string | undefined;
  /** Inclusive. */
  since?: Date | undefined;
  /** Exclusive. */
  until?: Date | undefined;
}

/** The ends of the hash chain. */
export interface AuditChainEnds {
  seq: bigint;
  hash: string;
  anchorSeq: bigint;
  anchorHash: string;
  /** An entry outside the two ends, if there is one. */
  straySeq: bigint | null;
}

const MAX_TEXT = FIELD_LIMITS.auditText.value;

/** The audit log: actions that were performed, attempted or denied. */
export function createAuditRepository(db: PrismaStore, admitEntry: AdmitEntry = () => undefined) {
  const appendAll = async (entries: readonly RequestedEntry[]): Promise<void> => {
    for (const { entry } of entries) admitEntry(entry);
    const actorIds = [...new Set(entries.flatMap(({ entry }) => viewerUserId(entry.actor) ?? []))];
    // The time is taken when the row is locked.
    const [end] = await db.$queryRaw<{ seq: bigint; hash: string; at: Date; emails: Record<string, string> }[]>`
      SELECT seq, hash, date_trunc('milliseconds', clock_timestamp()) AS at,
        (SELECT coalesce(jsonb_object_agg(id, email), '{}') FROM users WHERE id = ANY (${actorIds}::uuid[])) AS emails
      FROM (SELECT seq, hash FROM audit_chain WHERE id = 1 FOR UPDATE) AS chain`;
    if (end === undefined) throw new Error('the chain of audit entries has no beginning');
    let [seq, previousHash] = [end.seq, end.hash];
    const rows = entries.map((each) => {
      seq += 1n;
      const columns = { ...toColumns(each, end.emails), seq, occurredAt: end.at, previousHash };
      previousHash = hashEntry(columns);
      return { ...columns, seq: String(seq), hash: previousHash };
    });
    // The update takes its values from the new entries, so it follows them: the trigger of the chain looks for the last one.
    await db.$executeRaw`
      WITH appended AS (
        INSERT INTO audit_entries (seq, occurred_at, actor_kind, actor_id, actor_email, actor_role, action, outcome,
          target_type, target_id, target_label, changes, reason, request_id, address, previous_hash, hash)
        SELECT seq, "occurredAt", "actorKind", "actorId", "actorEmail", "actorRole", action, outcome, "targetType",
          "targetId", "targetLabel", changes, reason, "requestId", address, "previousHash", hash
        FROM json_to_recordset(${JSON.stringify(rows)}::json) AS row (seq bigint, "occurredAt" timestamptz,
          "actorKind" text, "actorId" uuid, "actorEmail" text, "actorRole" text, action text, outcome text,
          "targetType" text, "targetId" text, "targetLabel" text, changes text, reason text, "requestId" text,
          address text, "previousHash" text, hash text)
        RETURNING seq, hash
      )
      UPDATE audit_chain SET seq = last.seq, hash = last.hash
      FROM (SELECT seq, hash FROM appended ORDER BY seq DESC LIMIT 1) AS last WHERE id = 1`;
  };

  return {
    /**
     * Appends an entry. Call it last in the transaction that makes the change: from here to the commit nobody else can
     * append, which keeps the chain in commit order.
     *
     * @throws RATE_LIMITED if the actor caused too many entries
     */
    append: guarded('auditLog.append', (entry: NewAuditEntry) => appendAll([{ entry, request: currentRequest() }])),

    /** Appends entries in their order, with as few statements as one. @throws as `append` */
    appendAll: guarded('auditLog.append', ({ entries }: { entries: readonly RequestedEntry[] }) => appendAll(entries)),

    /** Newest first. @param args.after returns only entries older than this one */
    list: guarded(
      'auditLog.read',
      async (args: {
        first: number;
        after?: bigint | undefined;
        filter?: AuditFilter | undefined;
      }): Promise<Page<AuditEntryRecord>> => {
        const rows = await db.auditEntry.findMany({
          where: { AND: [toWhere(args.filter), args.after === undefined ? {} : { seq: { lt: args.after } }] },
          orderBy: { seq: 'desc' },
          take: args.first + 1,
        });
        return { rows: rows.slice(0, args.first).map(toRecord), hasMore: rows.length > args.first };
      },
    ),

    count: guarded('auditLog.read', (args: { filter?: AuditFilter | undefined }) =>
      db.auditEntry.count({ where: toWhere(args.filter) }),
    ),

    /** Reads both ends at one moment. Undefined if someone removed their row. */
    ends: guarded('auditLog.verify', async (): Promise<AuditChainEnds | undefined> => {
      const [ends] = await db.$queryRaw<AuditChainEnds[]>`
        SELECT c.seq, c.hash, c.anchor_seq AS "anchorSeq", c.anchor_hash AS "anchorHash",
          coalesce((SELECT min(e.seq) FROM audit_entries e WHERE e.seq <= c.anchor_seq),
            (SELECT min(e.seq) FROM audit_entries e WHERE e.seq > c.seq)) AS "straySeq"
        FROM audit_chain c WHERE c.id = 1`;
      return ends;
    }),

    /** The next entries in chain order, with their hashes. */
    walk: guarded('auditLog.verify', (args: { after: bigint; limit: number }) =>
      db.auditEntry.findMany({ where: { seq: { gt: args.after } }, orderBy: { seq: 'asc' }, take: args.limit }),
    ),

    /**
     * Removes old entries from the start of the chain, stopping at the first one to keep, and moves the start of the
     * chain. Call it in a transaction.
     *
     * @param args.limit the maximum to remove; other appends wait meanwhile
     * @returns how many were removed
     */
    removeBefore: guarded('auditLog.expire', async (args: { before: Date; limit: number }): Promise<number> => {
      const [chain] = await db.$queryRaw<{ anchorSeq: bigint; seq: bigint }[]>`
        SELECT anchor_seq AS "anchorSeq", seq FROM audit_chain WHERE id = 1 FOR UPDATE`;
      if (chain === undefined) return 0;
      const firstKept = await db.auditEntry.findFirst({
        where: { seq: { gt: chain.anchorSeq }, occurredAt: { gte: args.before } },
        orderBy: { seq: 'asc' },
        select: { seq: true },
      });
      const lastOld = (firstKept?.seq ?? chain.seq + 1n) - 1n;
      const lastSeq = lastOld - chain.anchorSeq > BigInt(args.limit) ? chain.anchorSeq + BigInt(args.limit) : lastOld;
      const last = await db.auditEntry.findUnique({ where: { seq: lastSeq }, select: { seq: true, hash: true } });
      if (last === null || last.seq <= chain.anchorSeq) return 0;
      await db.$queryRaw`SELECT set_config('gatehouse.audit_retention', 'on', true)`;
      // First, because the trigger compares the new beginning with the entry.
      await db.auditChain.update({ where: { id: 1 }, data: { anchorSeq: last.seq, anchorHash: last.hash } });
      const { count } = await db.auditEntry.deleteMany({ where: { seq: { lte: last.seq } } });
      await db.$queryRaw`SELECT set_config('gatehouse.audit_retention', 'off', true)`;
      return count;
    }),
  };
}

/** What an entry says by itself, without its place in the chain. @param emails of users, by id */
function toColumns({ entry, request }: RequestedEntry, emails: Readonly<Record<string, string>>) {
  const { actor, target } = entry;
  const actorId = viewerUserId(actor) ?? null;
  return {
    actorKind: actor.kind,
    actorId,
    actorEmail: entry.actorEmail ?? (actorId === null ? null : (emails[actorId] ?? null)),
    actorRole: actor.kind === 'user' ? actor.role : null,
    action: entry.action,
    outcome: entry.outcome ?? 'success',
    targetType: target?.type ?? null,
    targetId: target?.id ?? null,
    targetLabel: toText(target?.label),
    changes: JSON.stringify(entry.changes ?? []),
    reason: toText(entry.reason),
    requestId: request?.requestId ?? null,
    address: request?.address ?? null,
  };
}

function toText(text: string | undefined): string | null {
  if (text === undefined) return null;
  return [...text.toWellFormed().replaceAll('\0', '')].slice(0, MAX_TEXT).join('');
}

function toWhere(filter: AuditFilter = {}): Prisma.AuditEntryWhereInput {
  const { since, until, ...equal } = filter;
  const exact = Object.fromEntries(Object.entries(equal).filter(([, value]) => value !== undefined));
  return {
    ...exact,
    ...((since !== undefined || until !== undefined) && {
      occurredAt: { ...(since !== undefined && { gte: since }), ...(until !== undefined && { lt: until }) },
    }),
  };
}

function toRecord(row: Prisma.AuditEntryGetPayload<object>): AuditEntryRecord {
  const {
    changes,
    previousHash: _previous,
    hash: _hash,
    actorKind,
    actorRole,
    action,
    outcome,
    targetType,
    ...rest
  } = row;
  return {
    ...rest,
    actorKind: actorKind as AuditEntryRecord['actorKind'],
    actorRole: actorRole as AuditEntryRecord['actorRole'],
    action: action as AuditAction,
    outcome: outcome as AuditOutcome,
    targetType: targetType as AuditTargetType | null,
    changes: JSON.parse(changes) as FieldChange[],
  };
}
