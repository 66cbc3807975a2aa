// On both databases: triggers.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createStore, type Store } from '../../src/data/store.ts';
import { createAuditLog } from '../../src/domain/audit/audit-log.ts';
import { SYSTEM, type Viewer, viewerUserId } from '../../src/policy/viewer.ts';
import { clearLog } from './audit-rows.ts';
import { createUser, openSealedDatabase, type SealedDatabase } from './encryption-setup.ts';

let sealed: SealedDatabase;
let store: Store;
let actor: Viewer;
beforeAll(async () => {
  sealed = await openSealedDatabase();
  store = createStore(sealed.prisma);
  const user = await createUser(sealed.prisma);
  actor = { kind: 'user', userId: user.id, role: 'member', credential: { kind: 'bootstrap' } };
});
beforeEach(() => clearLog(sealed.database));
afterAll(() => sealed?.close());

const query = (sql: string) => sealed.database.query(sql);
const verify = () => createAuditLog({ store, experiments: new Set(), now: () => new Date() }).verify(SYSTEM);
const writeOne = () => store.transaction((tx) => tx.audit.append(SYSTEM, { actor: SYSTEM, action: 'chat.create' }));

test('many entries are appended at once, each with its own actor and request', async () => {
  const request = { requestId: 'request-2', address: '192.0.2.2' };
  const own = {
    actor,
    action: 'mcpTool.call',
    changes: [{ field: 'tool', before: null, after: 'ä\0\ud800"' }],
  } as const;
  const entries = [
    { entry: own, request },
    { entry: { actor: SYSTEM, action: 'mcpTool.call', reason: '\0"\ud800' } as const, request: undefined },
    { entry: own, request: undefined },
  ];
  const append = () => store.transaction((tx) => tx.audit.appendAll(SYSTEM, { entries }));
  await Promise.all([append(), writeOne(), append()]);
  const rows = await query('SELECT actor_kind, actor_email, request_id, address FROM audit_entries ORDER BY seq');
  const [email] = (await query('SELECT email FROM users')).map((row) => row['email']);
  const theirs = { actor_kind: 'user', actor_email: email };
  const index = rows.findIndex(({ request_id }) => request_id === 'request-2');
  expect(rows.slice(index, index + 3)).toEqual([
    { ...theirs, request_id: 'request-2', address: '192.0.2.2' },
    { actor_kind: 'system', actor_email: null, request_id: null, address: null },
    { ...theirs, request_id: null, address: null },
  ]);
  expect(await verify()).toMatchObject({ checked: 7, broken: null });
});

test('appending is no write that caches have to look for, and others are', async () => {
  const count = sealed.database.writeCount;
  const entries = [{ entry: { actor: SYSTEM, action: 'mcpTool.call' } as const, request: undefined }];
  const append = (work?: (tx: Parameters<Parameters<Store['transaction']>[0]>[0]) => Promise<unknown>) =>
    store.transaction(async (tx) => {
      await work?.(tx);
      await tx.audit.appendAll(SYSTEM, { entries });
    });
  const before = count();
  await append();
  expect(count()).toBe(before);
  await append((tx) => tx.chats.create(actor, { ownerId: viewerUserId(actor) ?? '', title: 'T', mcpServerIds: [] }));
  expect(count()).toBeGreaterThan(before);
});
