// On both databases: the order of concurrent writers, and triggers.

import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hashEntry } from '../../src/data/repositories/audit-hash.ts';
import { createStore, type Store } from '../../src/data/store.ts';
import { createAuditLog } from '../../src/domain/audit/audit-log.ts';
import { NOBODY, SYSTEM, type Viewer } from '../../src/policy/viewer.ts';
import { runInRequest } from '../../src/telemetry/request-scope.ts';
import { onMainDatabase } from '../setup/database.ts';
import { clearLog, withoutTriggers, writeEntryOf } from './audit-rows.ts';
import { createUser, openSealedDatabase, type SealedDatabase } from './encryption-setup.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

let sealed: SealedDatabase;
let store: Store;
let actor: Viewer;
beforeAll(async () => {
  sealed = await openSealedDatabase();
  store = createStore(sealed.prisma);
  const user = await createUser(sealed.prisma);
  actor = { kind: 'user', userId: user.id, role: 'member', credential: { kind: 'bootstrap' } };
});
afterAll(() => sealed?.close());

const query = (sql: string, parameters?: unknown[]) => sealed.database.query(sql, parameters);

beforeEach(() => clearLog(sealed.database));

function verify(now = () => new Date()) {
  return createAuditLog({ store, experiments: new Set(), now }).verify(SYSTEM);
}

/** Four entries. The third has a value in every column that its actor can have; the fourth has no user. */
async function writeSome(): Promise<void> {
  const append = (entry: Parameters<Store['audit']['append']>[1]) =>
    store.transaction((tx) => tx.audit.append(SYSTEM, entry));
  await append({ actor: SYSTEM, action: 'user.provision' });
  await append({ actor: SYSTEM, action: 'encryptionKey.rotate', reason: 'Some.' });
  await runInRequest({ requestId: 'request-1', address: '192.0.2.1' }, () =>
    append({
      actor,
      action: 'mcpServerConfig.update',
      target: { type: 'mcp_server_config', id: randomUUID(), label: 'label' },
      changes: [{ field: 'description', before: 'ä\0\ud800', after: '"' }],
      reason: 'Because.',
    }),
  );
  await append({ actor: NOBODY, action: 'access.denied', outcome: 'denied' });
  await append({ actor: SYSTEM, action: 'auditLog.expire' });
}

describe('the database', () => {
  test.each([
    'UPDATE audit_entries SET reason = NULL',
    "UPDATE audit_entries SET hash = repeat('0', 64) WHERE seq = 1",
    'DELETE FROM audit_entries',
    'DELETE FROM audit_entries WHERE seq = 5',
    'TRUNCATE audit_entries',
    'TRUNCATE audit_entries, audit_chain',
    `INSERT INTO audit_entries SELECT * FROM audit_entries WHERE seq = 1
     ON CONFLICT (seq) DO UPDATE SET reason = 'other'`,
  ])('refuses %s', async (sql) => {
    await writeSome();
    await expect(query(sql)).rejects.toThrow('audit entries are not changed or deleted');
    expect(await verify()).toMatchObject({ checked: 5, broken: null });
  });

  const OTHER = "repeat('a', 64)";
  test.each([
    // The number of the end goes back, leaps or changes together with the hash.
    'UPDATE audit_chain SET seq = 4',
    'UPDATE audit_chain SET seq = 0',
    'UPDATE audit_chain SET seq = 7',
    'UPDATE audit_chain SET seq = 7, hash = (SELECT hash FROM audit_entries WHERE seq = 5)',
    'UPDATE audit_chain SET seq = 4, hash = (SELECT hash FROM audit_entries WHERE seq = 4)',
    `UPDATE audit_chain SET seq = 6, hash = ${OTHER}`,
    // The hash is not the one of the last entry.
    `UPDATE audit_chain SET hash = ${OTHER}`,
    'UPDATE audit_chain SET hash = (SELECT hash FROM audit_entries WHERE seq = 4)',
    // The beginning moves without the removal of old entries.
    'UPDATE audit_chain SET anchor_seq = 2, anchor_hash = (SELECT hash FROM audit_entries WHERE seq = 2)',
    `UPDATE audit_chain SET anchor_hash = ${OTHER}`,
    'UPDATE audit_chain SET anchor_seq = -1',
    'DELETE FROM audit_chain',
    'DELETE FROM audit_chain WHERE id = 1',
    'TRUNCATE audit_chain',
    `INSERT INTO audit_chain (hash, anchor_hash) VALUES (${OTHER}, ${OTHER})
     ON CONFLICT (id) DO UPDATE SET seq = 0, hash = excluded.hash`,
  ])('refuses %s', async (sql) => {
    await writeSome();
    await expect(query(sql)).rejects.toThrow('the ends of the audit log only move forward');
    expect(await verify()).toMatchObject({ checked: 5, broken: null });
  });

  test.each([
    'UPDATE audit_chain SET anchor_seq = 0, anchor_hash = hash',
    `UPDATE audit_chain SET anchor_seq = 3, anchor_hash = ${OTHER}`,
    'UPDATE audit_chain SET anchor_seq = 6, anchor_hash = (SELECT hash FROM audit_entries WHERE seq = 5)',
    'UPDATE audit_chain SET anchor_seq = 2, anchor_hash = (SELECT hash FROM audit_entries WHERE seq = 2), seq = 6',
    'DELETE FROM audit_chain',
  ])('refuses %s, even when it is declared as a removal of old entries', async (sql) => {
    await writeSome();
    const change = sealed.prisma.$transaction(async (tx) => {
      await tx.$queryRawUnsafe("SELECT set_config('gatehouse.audit_retention', 'on', true)");
      await tx.$executeRawUnsafe(sql);
    });
    await expect(change).rejects.toThrow();
    expect(await verify()).toMatchObject({ checked: 5, broken: null });
  });

  test('does not allow changing entries by declaring them expired', async () => {
    await writeSome();
    const change = sealed.prisma.$transaction(async (tx) => {
      await tx.$queryRawUnsafe("SELECT set_config('gatehouse.audit_retention', 'on', true)");
      await tx.$executeRawUnsafe('UPDATE audit_entries SET reason = NULL');
    });
    await expect(change).rejects.toThrow();
    expect(await verify()).toMatchObject({ checked: 5, broken: null });
    // The declaration held only for that transaction.
    await expect(query('DELETE FROM audit_entries')).rejects.toThrow('not changed or deleted');
  });
});

describe.runIf(onMainDatabase)('a walk over the chain', () => {
  beforeEach(writeSome);

  const corrupt = (sql: string) => withoutTriggers(sealed.database, () => query(sql));

  test('reports no damage in an untouched log, and names the newest entry', async () => {
    const [chain] = await query('SELECT hash FROM audit_chain');
    expect(await verify()).toEqual({ checked: 5, broken: null, head: { seq: 5n, hash: chain?.['hash'] } });
  });

  /** Replaces a character with another one that a hash may contain. */
  function otherDigitAtTheEnd(column: string): string {
    return `overlay(${column} placing CASE substr(${column}, 64) WHEN 'f' THEN 'e' ELSE 'f' END from 64)`;
  }

  /** Changes one byte in each column. */
  const CHANGES: Readonly<Record<string, string>> = {
    seq: 'seq = 33 WHERE seq = 3',
    occurred_at: "occurred_at = occurred_at + interval '1 millisecond' WHERE seq = 3",
    actor_kind: "actor_kind = 'system' WHERE seq = 4",
    actor_id: "actor_id = overlay(actor_id::text placing 'e' from 15)::uuid WHERE seq = 3",
    actor_email: "actor_email = overlay(actor_email placing '.' from 2) WHERE seq = 3",
    actor_role: "actor_role = 'admin' WHERE seq = 3",
    action: "action = overlay(action placing 'U' from 17) WHERE seq = 3",
    outcome: "outcome = 'failed' WHERE seq = 3",
    target_type: "target_type = 'user' WHERE seq = 3",
    target_id: "target_id = overlay(target_id placing 'z' from 1) WHERE seq = 3",
    target_label: "target_label = 'Label' WHERE seq = 3",
    changes: "changes = replace(changes, 'ä', 'a') WHERE seq = 3",
    reason: 'reason = NULL WHERE seq = 3',
    request_id: "request_id = 'request-2' WHERE seq = 3",
    address: "address = '192.0.2.2' WHERE seq = 3",
    previous_hash: `previous_hash = ${otherDigitAtTheEnd('previous_hash')} WHERE seq = 3`,
    hash: `hash = ${otherDigitAtTheEnd('hash')} WHERE seq = 3`,
  };

  test('covers every column', async () => {
    const columns = await query(
      "SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'audit_entries'",
    );
    expect(Object.keys(CHANGES).sort()).toEqual(columns.map(({ name }) => String(name)).sort());
  });

  test.each(Object.keys(CHANGES))('finds a changed %s', async (column) => {
    await corrupt(`UPDATE audit_entries SET ${CHANGES[column]}`);
    const { broken } = await verify();
    expect(broken?.seq).toBe(column === 'actor_kind' ? 4n : 3n);
  });

  test('distinguishes an empty value from a missing one', async () => {
    await corrupt("UPDATE audit_entries SET reason = '' WHERE seq = 4");
    expect((await verify()).broken?.seq).toBe(4n);
  });

  test.each([
    ['removed', 'DELETE FROM audit_entries WHERE seq = 3', 3n],
    ['removed at the beginning', 'DELETE FROM audit_entries WHERE seq = 1', 1n],
    ['cut off at the end', 'DELETE FROM audit_entries WHERE seq = 5', 5n],
    ['cut off with all others', 'DELETE FROM audit_entries', 1n],
    ['exchanged', 'UPDATE audit_entries SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq IN (2, 3); ', 2n],
    ['forged at the end of the chain', "UPDATE audit_chain SET hash = repeat('a', 64)", 5n],
  ] as const)('finds what was %s', async (_name, sql, seq) => {
    await corrupt(sql);
    if (sql.includes('-3')) await corrupt('UPDATE audit_entries SET seq = -seq WHERE seq < 0');
    expect((await verify()).broken?.seq).toBe(seq);
  });

  test('says that the row about the ends was removed', async () => {
    await corrupt('DELETE FROM audit_chain');
    expect(await verify()).toMatchObject({
      checked: 0,
      broken: { seq: 0n, problem: expect.stringContaining('row of') },
    });
    await expect(writeSome()).rejects.toThrow();
  });

  test.each(['audit_chain', 'audit_entries'])('says that the table %s was removed', async (table) => {
    await query(`ALTER TABLE ${table} RENAME TO hidden`);
    try {
      const { checked, broken } = await verify();
      expect([checked, broken?.seq]).toEqual([0, 0n]);
      expect(broken?.problem).toContain('was removed');
    } finally {
      await query(`ALTER TABLE hidden RENAME TO ${table}`);
    }
  });

  test.each(['audit_chain', 'audit_entries'])('says that a column of %s was removed', async (table) => {
    await query(`ALTER TABLE ${table} RENAME COLUMN hash TO hidden`);
    try {
      expect((await verify()).broken?.problem).toContain('was removed');
    } finally {
      await query(`ALTER TABLE ${table} RENAME COLUMN hidden TO hash`);
    }
  });

  test('detects an inserted entry, even when all following entries are renumbered', async () => {
    await corrupt('UPDATE audit_entries SET seq = -seq - 1 WHERE seq >= 3');
    await corrupt('UPDATE audit_entries SET seq = -seq WHERE seq < 0');
    await corrupt(
      `INSERT INTO audit_entries SELECT 3, occurred_at, actor_kind, actor_id, actor_email, actor_role, action, outcome,
       target_type, target_id, target_label, changes, reason, request_id, address, hash, hash FROM audit_entries WHERE seq = 2`,
    );
    await query('UPDATE audit_chain SET seq = 6');
    expect((await verify()).broken?.seq).toBe(3n);
  });

  test('detects one altered byte among thousands of entries', async () => {
    await query(
      `INSERT INTO audit_entries (seq, occurred_at, actor_kind, action, outcome, previous_hash, hash)
       SELECT 5 + n, now(), 'system', 'chat.create', 'success', repeat('0', 64), repeat('0', 64)
       FROM generate_series(1, 2500) n`,
    );
    await rehash();
    expect(await verify()).toMatchObject({ checked: 2_505, broken: null });
    await corrupt("UPDATE audit_entries SET action = 'chat.creatf' WHERE seq = 2004");
    expect(await verify()).toMatchObject({ checked: 2_003, broken: { seq: 2_004n } });
  });

  /** Appends hand-written entries to the chain as the gateway would. */
  async function rehash(): Promise<void> {
    const [last] = await query('SELECT hash FROM audit_entries WHERE seq = 5');
    let hash = String(last?.['hash']);
    const rows = await sealed.prisma.auditEntry.findMany({ where: { seq: { gt: 5 } }, orderBy: { seq: 'asc' } });
    const hashes = rows.map((row) => {
      const previousHash = hash;
      hash = hashEntry({ ...row, previousHash });
      return { seq: Number(row.seq), previous: previousHash, hash };
    });
    await corrupt(
      `UPDATE audit_entries SET previous_hash = new.previous, hash = new.hash
       FROM json_to_recordset('${JSON.stringify(hashes)}') AS new (seq bigint, previous text, hash text)
       WHERE audit_entries.seq = new.seq`,
    );
    const end = `seq = ${hashes.at(-1)?.seq}, hash = '${hash}'`;
    await corrupt(`UPDATE audit_chain SET ${end}`);
  }
});

describe('writers', () => {
  test('produce one chain without gaps when they run concurrently and some roll back', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) =>
        store.transaction(async (tx) => {
          await tx.audit.append(SYSTEM, { actor: SYSTEM, action: 'chat.create', reason: `Number ${index}.` });
          if (index % 4 === 0) throw new Error('given up');
        }),
      ),
    );
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(10);
    const rows = await query('SELECT seq::int AS seq, reason FROM audit_entries ORDER BY seq');
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    expect(new Set(rows.map(({ reason }) => reason)).size).toBe(30);
    expect(await verify()).toMatchObject({ checked: 30, broken: null });
  });

  test('that fail leave neither an entry nor a gap', async () => {
    await writeSome();
    const [before] = await query('SELECT * FROM audit_chain');
    const failing = store.transaction(async (tx) => {
      await tx.audit.append(SYSTEM, { actor: SYSTEM, action: 'chat.create' });
      throw new Error('given up');
    });
    await expect(failing).rejects.toThrow('given up');
    expect(await query('SELECT * FROM audit_chain')).toEqual([before]);
    await writeSome();
    expect(await verify()).toMatchObject({ checked: 10, broken: null });
  });

  test('can append several entries in one transaction', async () => {
    await store.transaction(async (tx) => {
      for (const action of ['chat.create', 'chatMessage.create'] as const) {
        await tx.audit.append(SYSTEM, { actor: SYSTEM, action });
      }
    });
    expect(await verify()).toMatchObject({ checked: 2, broken: null });
  });

  test('must be the gateway itself', async () => {
    for (const viewer of [NOBODY, actor]) {
      await expect(store.audit.append(viewer, { actor: viewer, action: 'chat.create' })).rejects.toThrow();
      await expect(store.audit.removeBefore(viewer, { before: new Date(), limit: 1 })).rejects.toThrow();
    }
  });

  test('texts that are too long or cannot be stored are shortened', async () => {
    await store.transaction((tx) =>
      tx.audit.append(SYSTEM, { actor: SYSTEM, action: 'chat.create', reason: `a\0\ud800${'😀'.repeat(500)}` }),
    );
    const [row] = await query('SELECT reason FROM audit_entries');
    expect([...String(row?.['reason'])]).toHaveLength(400);
    expect(await verify()).toMatchObject({ checked: 1, broken: null });
  });
});

describe('retention', () => {
  const now = new Date();
  const ago = (days: number) => new Date(now.getTime() - days * DAY_MS);
  const expire = (days: number) => createAuditLog({ store, experiments: new Set(), now: () => now }).expire(days);

  test('removes old entries, records the removal, and the rest still verifies', async () => {
    for (const days of [400, 366, 365.001, 364.999, 1]) await writeEntryOf(sealed.database, ago(days));
    expect(await expire(365)).toBe(3);
    const rows = await query('SELECT seq::int AS seq, action, reason FROM audit_entries ORDER BY seq');
    expect(rows.map(({ seq }) => seq)).toEqual([4, 5, 6]);
    expect(rows[2]).toMatchObject({ action: 'auditLog.expire', reason: expect.stringContaining('Removed 3 entries') });
    expect(await verify()).toMatchObject({ checked: 3, broken: null });
    // The remaining entries are still protected.
    await expect(query('DELETE FROM audit_entries')).rejects.toThrow('not changed or deleted');
    await withoutTriggers(sealed.database, () => query('DELETE FROM audit_entries WHERE seq = 4'));
    expect((await verify()).broken?.seq).toBe(4n);
  });

  test('removes and records nothing while nothing is old', async () => {
    await writeEntryOf(sealed.database, ago(1));
    expect(await expire(365)).toBe(0);
    expect(await verify()).toMatchObject({ checked: 1, broken: null });
  });

  test('may remove all entries, and the chain continues', async () => {
    await writeEntryOf(sealed.database, ago(10));
    await writeEntryOf(sealed.database, ago(9));
    expect(await expire(5)).toBe(2);
    expect(await verify()).toMatchObject({ checked: 1, broken: null, head: { seq: 3n } });
    await writeSome();
    expect(await verify()).toMatchObject({ checked: 6, broken: null, head: { seq: 8n } });
  });
});

test('the hash of an entry is unchanged since the first release', () => {
  const entry = {
    seq: 7n,
    occurredAt: new Date('2026-11-23T09:30:00.123Z'),
    actorKind: 'user',
    actorId: '5f1c9a52-6f0f-4d3c-9f51-0c5ad9a3a0d4',
    actorEmail: 'ada@example.com',
    actorRole: 'admin',
    action: 'mcpServerConfig.update',
    outcome: 'success',
    targetType: 'mcp_server_config',
    targetId: '0c8e5f0a-3a5e-4d8b-9f5e-2b6f1d9f7a10',
    targetLabel: 'issues',
    changes: '[{"field":"url","before":"a","after":"ä"}]',
    reason: null,
    requestId: 'request-1',
    address: '192.0.2.1',
    previousHash: '0'.repeat(64),
  };
  const text =
    '["gatehouse-audit-v1","7","2026-11-23T09:30:00.123Z","user","5f1c9a52-6f0f-4d3c-9f51-0c5ad9a3a0d4",' +
    '"ada@example.com","admin","mcpServerConfig.update","success","mcp_server_config",' +
    '"0c8e5f0a-3a5e-4d8b-9f5e-2b6f1d9f7a10","issues","[{\\"field\\":\\"url\\",\\"before\\":\\"a\\",\\"after\\":\\"ä\\"}]",' +
    `null,"request-1","192.0.2.1","${'0'.repeat(64)}"]`;
  expect(hashEntry(entry)).toBe(createHash('sha256').update(text).digest('hex'));
  // Frozen: if this differed, every existing chain would look broken.
  expect(hashEntry(entry)).toBe('58370a88abfe951dc091d0e5b079827c3e58b17245a92d0fe986e91d0dbebab4');
});
