import { createSharedRun } from '../../cache/shared-run.ts';
import { isMissingTable } from '../../data/database/database-error.ts';
import type { AuditEntryRecord, Page } from '../../data/records.ts';
import { hashEntry } from '../../data/repositories/audit-hash.ts';
import type { AuditChainEnds, AuditFilter } from '../../data/repositories/audit-repository.ts';
import type { Store } from '../../data/store.ts';
import { assertCan } from '../../policy/policy.ts';
import { SYSTEM, type Viewer } from '../../policy/viewer.ts';
import { assertExperiment, type Experiment } from '../experiments.ts';
import { isStorable } from '../validation/text.ts';

/** The result of verifying the whole chain. */
export interface AuditVerification {
  /** The number of entries checked. */
  checked: number;
  /** The first entry where the chain is broken (0 if all of it is lost), and why. Null when the whole chain is valid. */
  broken: { seq: bigint; problem: string } | null;
  /** The newest entry. Keep it elsewhere to detect that the end of the log was cut off and rewritten. */
  head: { seq: bigint; hash: string };
}

/** The number before the first entry: all entries are lost. */
const LOST = 0n;
/** The hash before the first entry of a log. */
const NO_HASH = '0'.repeat(64);
/** Entries read and hashed per batch. */
const BATCH = 1_000;
/** Entries removed per transaction. */
const EXPIRE_BATCH = 5_000;

/** Creates the audit log service. */
export function createAuditLog(options: { store: Store; experiments: ReadonlySet<Experiment>; now: () => Date }) {
  const { store, experiments, now } = options;

  const verifyAll = createSharedRun(async (): Promise<AuditVerification> => {
    try {
      for (;;) {
        const ends = await store.audit.ends(SYSTEM, undefined);
        if (ends === undefined) return toLost('The row of audit_chain, which says where the log ends, was removed.');
        const verification = await verifyBetween(ends);
        if (verification.broken === null) return verification;
        // Entries removed by age since the ends were read are not missing.
        const now = await store.audit.ends(SYSTEM, undefined);
        if (now?.anchorSeq === ends.anchorSeq) return verification;
      }
    } catch (error) {
      // Not a fault of the gateway: this is what a verification is for.
      if (!isMissingTable(error)) throw error;
      return toLost('The table audit_entries or audit_chain, or a column of it, was removed.');
    }
  });

  return {
    /** Newest first. @throws FORBIDDEN */
    async list(
      viewer: Viewer,
      args: { first: number; after?: bigint | undefined; filter?: AuditFilter | undefined },
    ): Promise<Page<AuditEntryRecord>> {
      assertCan(viewer, 'auditLog.read');
      return isUnfindable(args.filter) ? { rows: [], hasMore: false } : store.audit.list(viewer, args);
    },

    /** Checks that the viewer may read the history of configs. @throws FORBIDDEN, EXPERIMENT_DISABLED */
    assertConfigHistory(viewer: Viewer): void {
      assertCan(viewer, 'auditLog.read');
      assertExperiment(experiments, 'agents');
    },

    async count(viewer: Viewer, filter?: AuditFilter): Promise<number> {
      assertCan(viewer, 'auditLog.read');
      return isUnfindable(filter) ? 0 : store.audit.count(viewer, { filter });
    },

    /**
     * Recomputes the hash of every kept entry, from the oldest to the newest. Everyone who asks meanwhile gets the same
     * result.
     *
     * @throws FORBIDDEN
     */
    async verify(viewer: Viewer): Promise<AuditVerification> {
      assertCan(viewer, 'auditLog.verify');
      return verifyAll();
    },

    /** The same, and records who verified it and with what result. @throws FORBIDDEN */
    async verifyAndRecord(viewer: Viewer): Promise<AuditVerification> {
      assertCan(viewer, 'auditLog.verify');
      const verification = await verifyAll();
      const { broken, checked } = verification;
      // Nothing can be recorded in a log that is lost.
      if (broken?.seq === LOST) return verification;
      const reason = broken === null ? `${checked} entries are intact.` : `Broken at ${broken.seq}: ${broken.problem}`;
      const outcome = broken === null ? 'success' : 'failed';
      await store.transaction((tx) =>
        tx.audit.append(SYSTEM, { actor: viewer, action: 'auditLog.verify', outcome, reason }),
      );
      return verification;
    },

    /**
     * Removes entries older than a number of days, and records the removal.
     *
     * @returns how many entries were removed
     */
    async expire(days: number): Promise<number> {
      const before = new Date(now().getTime() - days * 24 * 60 * 60 * 1_000);
      let total = 0;
      for (;;) {
        const count = await store.transaction(async (tx) => {
          const removed = await tx.audit.removeBefore(SYSTEM, { before, limit: EXPIRE_BATCH });
          if (removed === 0) return 0;
          const reason = `Removed ${removed} entries from before ${before.toISOString()}.`;
          await tx.audit.append(SYSTEM, { actor: SYSTEM, action: 'auditLog.expire', reason });
          return removed;
        });
        total += count;
        if (count < EXPIRE_BATCH) return total;
      }
    },
  };

  async function verifyBetween(ends: AuditChainEnds): Promise<AuditVerification> {
    const head = { seq: ends.seq, hash: ends.hash };
    let checked = 0;
    let { anchorSeq: seq, anchorHash: hash } = ends;
    const broken = (at: bigint, problem: string): AuditVerification => ({
      checked,
      broken: { seq: at, problem },
      head,
    });
    while (seq < ends.seq) {
      const entries = await store.audit.walk(SYSTEM, { after: seq, limit: BATCH });
      for (const entry of entries) {
        // Appended after the verification began.
        if (entry.seq > ends.seq) break;
        if (entry.seq !== seq + 1n) return broken(seq + 1n, 'The entry is missing.');
        if (entry.previousHash !== hash) return broken(entry.seq, 'It does not follow the entry before it.');
        if (hashEntry(entry) !== entry.hash) return broken(entry.seq, 'The entry was modified.');
        ({ seq, hash } = entry);
        checked += 1;
      }
      if (seq < ends.seq && entries.length < BATCH) return broken(seq + 1n, 'The entry is missing.');
    }
    if (ends.straySeq !== null) return broken(ends.straySeq, 'The entry is not part of the chain.');
    if (hash !== ends.hash) return broken(seq, 'It is not the last entry that was written.');
    return { checked, broken: null, head };
  }
}

/** The verdict when there is nothing left to compare with. */
function toLost(problem: string): AuditVerification {
  return { checked: 0, broken: { seq: LOST, problem }, head: { seq: LOST, hash: NO_HASH } };
}

/** PostgreSQL fails on text that it cannot store. No entry contains such text, so nothing matches. */
function isUnfindable(filter: AuditFilter | undefined): boolean {
  return filter?.targetId !== undefined && !isStorable(filter.targetId);
}
