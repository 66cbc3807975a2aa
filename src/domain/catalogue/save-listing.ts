import type {
  FieldChange,
  McpServerConfigRecord,
  McpToolListRecord,
  McpToolRecord,
  ToolApproval,
} from '../../data/records.ts';
import type { Repositories } from '../../data/store.ts';
import { MCP_LIMITS } from '../../limits/mcp-limits.ts';
import { SYSTEM } from '../../policy/viewer.ts';
import { toConfigTarget } from '../configs/config-audit.ts';
import { staleAfter, staleAfterChange } from './list-times.ts';
import { type ListMerge, mergeSharedList, mergeUserList } from './merge-list.ts';
import type { ListedTool } from './tool-definition.ts';

/** The most bytes of definitions in a user's own rows: what many users can make the database grow by. */
const MAX_OWN_BYTES = MCP_LIMITS.ownTools.value;
/** The most tools that one audit entry names. */
const MAX_AUDITED = 50;

/** A list that a server sent, to be stored. */
export interface ListingToSave {
  config: McpServerConfigRecord;
  /** Whose connection listed it. Null for the gateway's own credentials. */
  user: { id: string; isAdmin: boolean } | null;
  tools: readonly ListedTool[];
  /** The number of tools that were left out. */
  leftOut: number;
  /** Whether the server has more than was read. */
  isCut: boolean;
  ttlMs: number | undefined;
  isPublic: boolean;
  now: Date;
  /** The lease of the list. It ends with this. */
  leaseId: string;
}

/**
 * Stores what a server listed. A list that was made with the gateway's own credentials is everybody's. With a user's
 * connection it is everybody's if the server says so (`public`), or if an admin's connection keeps the shared list; for
 * every other user, only where it differs is stored: one user's account must not decide what others are shown.
 *
 * Call it in a transaction.
 *
 * @returns whether it was stored; not if the user's own rows would be too large
 */
export async function saveListing(tx: Repositories, listing: ListingToSave): Promise<boolean> {
  const { config, user, leftOut, ttlMs, isPublic, now, leaseId } = listing;
  const sharedKey = { configId: config.id, userId: null };
  const sharedList = await tx.tools.lockList(SYSTEM, sharedKey);
  if (sharedList === null) return false;
  const times = { listedAt: now, staleAt: staleAfter(now, ttlMs), leftOut };
  const isShared = user === null || isPublic || (user.isAdmin && (await keepsSharedList(tx, sharedList, user.id)));
  const written: Written[] = [];
  if (isShared) {
    const shared = await writeList(tx, sharedList, listing);
    written.push(shared);
    const isChanged = shared.changes.length > 0;
    const staleAt = isChanged ? staleAfterChange(now, ttlMs, sharedList.listedAt) : times.staleAt;
    const listedById = user !== null && !isPublic ? user.id : null;
    // Users' rows say how their lists differed from what the shared one was.
    const ownStaleAt = isChanged ? now : undefined;
    await tx.tools.saveList(SYSTEM, { ...sharedKey, leaseId, listing: { ...times, staleAt, listedById }, ownStaleAt });
  }
  const ownKey = user === null ? undefined : { configId: config.id, userId: user.id };
  const ownList = ownKey === undefined ? null : await tx.tools.lockList(SYSTEM, ownKey);
  if (ownKey !== undefined && ownList !== null) {
    const own = await writeList(tx, ownList, listing);
    written.push(own);
    const saved = own.isTooLarge ? { staleAt: times.staleAt } : times;
    await tx.tools.saveList(SYSTEM, { ...ownKey, leaseId, listing: saved });
  }
  await record(tx, config, written);
  return (ownKey === undefined || ownList !== null) && !written.some(({ isTooLarge }) => isTooLarge);
}

/** The shared list stays with one admin's connection, as long as there is that connection. */
async function keepsSharedList(tx: Repositories, { configId, listedById }: McpToolListRecord, adminId: string) {
  if (listedById === null || listedById === adminId) return true;
  return (await tx.userTokens.find(SYSTEM, { configId, userId: listedById })) === null;
}

/** What was written of one list. */
interface Written {
  /** Whether it was not, because the user's own rows would be too large. */
  isTooLarge: boolean;
  /** The approvals that were imported, and count now. */
  settled: readonly ToolApproval[];
  /** The tools of the shared list that came, went or changed. */
  changes: readonly FieldChange[];
}

async function writeList(
  tx: Repositories,
  { configId, userId, hasImported }: McpToolListRecord,
  { tools: listed, isCut, now }: Pick<ListingToSave, 'tools' | 'isCut' | 'now'>,
): Promise<Written> {
  const configIds = [configId];
  const shared = await tx.tools.list(SYSTEM, { configIds, userId: null });
  const isShared = userId === null;
  const stored = isShared ? shared : await tx.tools.list(SYSTEM, { configIds, userId });
  const list = { tools: listed, isCut };
  const merge = isShared ? mergeSharedList(shared, list, now) : mergeUserList(stored, list, shared, now);
  const isTooLarge = !isShared && countBytes(stored, merge) > MAX_OWN_BYTES;
  const isSame = merge.inserts.length + merge.updates.length + merge.deletes.length === 0;
  if (isTooLarge || isSame) return { isTooLarge, settled: [], changes: [] };
  await tx.tools.apply(SYSTEM, { configId, userId, ...merge, insertedAt: now });
  const settled = hasImported ? await tx.tools.settleImported(SYSTEM, { configId }) : [];
  return { isTooLarge, settled, changes: isShared ? toChanges(stored, merge) : [] };
}

/** Appends the audit entries, as the last that the transaction does. */
async function record(tx: Repositories, config: McpServerConfigRecord, written: readonly Written[]): Promise<void> {
  const entry = { actor: SYSTEM, target: toConfigTarget(config) };
  for (const { settled, changes } of written) {
    if (settled.length > 0) {
      await tx.audit.append(SYSTEM, {
        ...entry,
        action: 'mcpServerTools.approve',
        changes: settled.map(({ name, digest }) => ({ field: name, before: null, after: digest })),
        reason: 'An admin had imported these approvals.',
      });
    }
    if (changes.length > 0) {
      await tx.audit.append(SYSTEM, {
        ...entry,
        action: 'mcpServerTools.change',
        changes: changes.slice(0, MAX_AUDITED),
        reason: `${changes.length} tools changed at the server.`,
      });
    }
  }
}

function countBytes(stored: readonly McpToolRecord[], { inserts, updates, deletes }: ListMerge): number {
  const changed = new Set([...deletes, ...updates.map(({ id }) => id)]);
  const rows = [...stored.filter(({ id }) => !changed.has(id)), ...updates, ...inserts];
  return rows.reduce((sum, { definition }) => sum + Buffer.byteLength(definition), 0);
}

/** The tools that came, went or changed, with their digests. */
function toChanges(stored: readonly McpToolRecord[], { inserts, updates }: ListMerge): FieldChange[] {
  const byId = new Map(stored.map((row) => [row.id, row]));
  return [
    ...inserts.map(({ name, digest }) => ({ field: name, before: null, after: digest })),
    ...updates.flatMap(({ id, digest, status }) => {
      const before = byId.get(id);
      if (before === undefined || (before.digest === digest && before.status === status)) return [];
      const after = status === 'gone' ? null : digest;
      return [{ field: before.name, before: before.status === 'gone' ? null : before.digest, after }];
    }),
  ];
}
