import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createStore, type Store } from '../../src/data/store.ts';
import { createAuditLog } from '../../src/domain/audit/audit-log.ts';
import { SYSTEM } from '../../src/policy/viewer.ts';
import { clearLog, writeEntryOf } from './audit-rows.ts';
import { openSealedDatabase, type SealedDatabase } from './encryption-setup.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const now = new Date();
const ago = (days: number) => new Date(now.getTime() - days * DAY_MS);

let sealed: SealedDatabase;
let store: Store;
beforeAll(async () => {
  sealed = await openSealedDatabase();
  store = createStore(sealed.prisma);
});
afterAll(() => sealed?.close());
beforeEach(() => clearLog(sealed.database));

const logOver = (over: Store) => createAuditLog({ store: over, experiments: new Set(), now: () => now });

test.each([
  ['before the beginning', -1],
  ['after the end', 3],
])('a forged entry %s of the chain is found and listed', async (_name, seq) => {
  for (const days of [2, 1]) await writeEntryOf(sealed.database, ago(days));
  await sealed.database.query(
    `INSERT INTO audit_entries (seq, occurred_at, actor_kind, action, outcome, previous_hash, hash)
     VALUES ($1, now(), 'system', 'user.delete', 'success', repeat('0', 64), repeat('0', 64))`,
    [seq],
  );
  expect((await logOver(store).verify(SYSTEM)).broken?.seq).toBe(BigInt(seq));
});

test('removing old entries during a verification is not reported as damage', async () => {
  for (const days of [400, 2, 1]) await writeEntryOf(sealed.database, ago(days));
  let isFirst = true;
  const walk: Store['audit']['walk'] = Object.assign(
    async (...args: Parameters<Store['audit']['walk']>) => {
      if (isFirst) {
        isFirst = false;
        expect(await logOver(store).expire(365)).toBe(1);
      }
      return store.audit.walk(...args);
    },
    { action: store.audit.walk.action },
  );
  const verification = await logOver({ ...store, audit: { ...store.audit, walk } }).verify(SYSTEM);
  expect(verification.broken).toBeNull();
});

test('an entry backdated by a wrong clock does not expire younger entries', async () => {
  for (const days of [400, 2, 500, 1]) await writeEntryOf(sealed.database, ago(days));
  await logOver(store).expire(365);
  const rows = await sealed.database.query(
    `SELECT seq::int AS seq FROM audit_entries WHERE action <> 'auditLog.expire' ORDER BY seq`,
  );
  expect(rows.map(({ seq }) => seq)).toEqual(expect.arrayContaining([2, 4]));
});
