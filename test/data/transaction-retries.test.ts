import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { isRefusal } from '../../src/data/database/database-error.ts';
import { withRetries } from '../../src/data/database/retries.ts';
import { createStore, type Store } from '../../src/data/store.ts';
import { DomainError } from '../../src/errors.ts';
import { SYSTEM } from '../../src/policy/viewer.ts';
import { clearLog } from './audit-rows.ts';
import { openSealedDatabase, type SealedDatabase } from './encryption-setup.ts';

const PATIENCE_MS = 20;
const LOCK_TIMEOUT = '55P03';
const DEADLOCK = '40P01';

let sealed: SealedDatabase;
beforeAll(async () => {
  sealed = await openSealedDatabase();
});
beforeEach(() => clearLog(sealed.database));
afterAll(() => sealed?.close());

/** An error as PostgreSQL's driver reports it. */
const fail = (code: string) => Object.assign(new Error('rolled back'), { severity: 'ERROR', code });
const append = (store: Pick<Store, 'audit'>) => store.audit.append(SYSTEM, { actor: SYSTEM, action: 'chat.create' });
const countEntries = async () => (await sealed.database.query('SELECT seq FROM audit_entries')).length;

test('a transaction that waited too long for a lock is run again, and its entries count once for their actor', async () => {
  let admitted = 0;
  const store = createStore(sealed.prisma, () => {
    admitted += 1;
  });
  let attempts = 0;
  const result = await store.transaction(async (tx) => {
    attempts += 1;
    await append(tx);
    if (attempts <= 4) throw fail(LOCK_TIMEOUT);
    await append(tx);
    return 'done';
  });
  expect({ result, attempts, admitted, entries: await countEntries() }).toEqual({
    result: 'done',
    attempts: 5,
    admitted: 2,
    entries: 2,
  });
});

test('an entry that is refused in a later attempt ends the transaction', async () => {
  let admitted = 0;
  const store = createStore(sealed.prisma, () => {
    admitted += 1;
    if (admitted > 1) throw new DomainError('RATE_LIMITED', 'Too many entries.');
  });
  let attempts = 0;
  const work = store.transaction(async (tx) => {
    attempts += 1;
    await append(tx);
    if (attempts === 1) throw fail(LOCK_TIMEOUT);
    await append(tx);
  });
  await expect(work).rejects.toThrow('Too many entries.');
  expect({ attempts, entries: await countEntries() }).toEqual({ attempts: 2, entries: 0 });
});

test('reads at one moment are run again, too', async () => {
  const store = createStore(sealed.prisma);
  let attempts = 0;
  const read = store.atOneMoment(async () => {
    attempts += 1;
    if (attempts === 1) throw fail(LOCK_TIMEOUT);
    return attempts;
  });
  expect(await read).toBe(2);
});

test('a third deadlock is an error, however often it waited for locks before', async () => {
  const store = createStore(sealed.prisma);
  const codes = [LOCK_TIMEOUT, LOCK_TIMEOUT, LOCK_TIMEOUT, DEADLOCK, DEADLOCK, LOCK_TIMEOUT, DEADLOCK, LOCK_TIMEOUT];
  const left = codes.values();
  const work = store.transaction(async () => {
    throw fail(left.next().value ?? 'no more');
  });
  await expect(work).rejects.toMatchObject({ code: DEADLOCK });
  expect([...left]).toEqual([LOCK_TIMEOUT]);
});

test('waiting for locks ends when the patience is over', async () => {
  const work = withRetries(PATIENCE_MS, async () => {
    await delay(1);
    throw fail(LOCK_TIMEOUT);
  });
  await expect(work).rejects.toMatchObject({ code: LOCK_TIMEOUT });
});

test('a lock that was not available is no refusal: the same statement may succeed later', () => {
  expect(isRefusal(fail(LOCK_TIMEOUT))).toBe(false);
  expect(isRefusal(fail('55000'))).toBe(true);
});
