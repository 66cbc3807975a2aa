// On both databases: the drivers' errors differ.

import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  DatabaseError,
  describeUniqueViolation,
  isForeignKeyViolation,
  scrubDatabaseError,
} from '../../src/data/database/database-error.ts';
import { DomainError } from '../../src/errors.ts';
import {
  configColumns,
  createUser,
  openSealedDatabase,
  type SealedDatabase,
  tokenColumns,
} from './encryption-setup.ts';

let sealed: SealedDatabase;

beforeAll(async () => {
  sealed = await openSealedDatabase();
});

afterAll(() => sealed.close());

function catchAsync(work: PromiseLike<unknown>): Promise<unknown> {
  return Promise.resolve(work).then(
    () => undefined,
    (error: unknown) => error,
  );
}

test('a unique violation names its constraint on both kinds of database', async () => {
  const { prisma, database } = sealed;
  const columns = configColumns();
  const { id } = await prisma.mcpServerConfig.create({ data: columns });
  const user = await createUser(prisma);
  const token = { mcpServerConfigId: id, userId: user.id, ...tokenColumns('a') };
  await prisma.mcpServerUserToken.create({ data: token });
  const violations = [
    [() => prisma.mcpServerConfig.create({ data: columns }), 'mcp_server_configs_slug_key'],
    [() => prisma.mcpServerConfig.create({ data: { ...configColumns(), id } }), 'mcp_server_configs_pkey'],
    [() => prisma.user.create({ data: { email: user.email.toUpperCase() } }), 'users_email_lower_key'],
    [
      () => prisma.mcpServerUserToken.create({ data: token }),
      'mcp_server_user_tokens_mcp_server_config_id_user_id_key',
    ],
    [() => prisma.$executeRaw`INSERT INTO users (id, email) VALUES (${user.id}::uuid, 'x')`, 'users_pkey'],
    [() => database.query('INSERT INTO users (id, email) VALUES ($1, $2)', [user.id, 'x']), 'users_pkey'],
  ] as const;
  for (const [work, constraint] of violations) {
    const error = await catchAsync(work());
    expect(describeUniqueViolation(error)).toEqual({ constraint });
    expect(isForeignKeyViolation(error)).toBe(false);
  }
});

test('a foreign key violation is distinguished from others', async () => {
  const { prisma } = sealed;
  const error = await catchAsync(
    prisma.apiToken.create({ data: { userId: randomUUID(), name: 'x', tokenHash: '0'.repeat(64) } }),
  );
  expect(isForeignKeyViolation(error)).toBe(true);
  expect(describeUniqueViolation(error)).toBeUndefined();
  for (const other of [new Error('x'), undefined, 'text', new DomainError('NOT_FOUND', 'x')]) {
    expect(isForeignKeyViolation(other)).toBe(false);
    expect(describeUniqueViolation(other)).toBeUndefined();
  }
});

test('a scrubbed error has codes and names, but no values', async () => {
  const { prisma, database } = sealed;
  const { id } = await prisma.mcpServerConfig.create({ data: configColumns() });
  const canary = 'canary-7f3a';
  const works = [
    [() => prisma.mcpServerConfig.findUnique({ where: { id: canary } }), /P2007.*22P02.*McpServerConfig/],
    [
      () => prisma.mcpServerConfig.update({ where: { id }, data: { displayName: canary, version: 0 } }),
      /23514.*_version_check/,
    ],
    [
      () => prisma.mcpServerConfig.update({ where: { id }, data: { [canary]: canary } as never }),
      /PrismaClientValidationError/,
    ],
    [() => prisma.$queryRawUnsafe('SELECT $1::int', canary), /SQLSTATE 22P02|P2010/],
    [() => database.query('SELECT $1::uuid', [canary]), /SQLSTATE 22P02/],
    [() => prisma.user.create({ data: { email: `${canary}\n    at ${canary}`.repeat(100) } }), /users_email_check/],
  ] as const;
  for (const [work, facts] of works) {
    const error = await catchAsync(work());
    expect(inspect(error, { depth: 9 })).toContain(canary);
    const scrubbed = scrubDatabaseError(error);
    expect(scrubbed).toBeInstanceOf(DatabaseError);
    expect(String(scrubbed)).toMatch(facts);
    expect(inspect(scrubbed, { depth: 9, showHidden: true })).not.toContain(canary);
  }
});

test('a scrubbed error keeps its stack', async () => {
  const error = await catchAsync(sealed.prisma.mcpServerConfig.findUnique({ where: { id: 'x' } }));
  expect((scrubDatabaseError(error) as Error).stack).toMatch(/\n\s+at /);
});

test('other errors stay as they are', () => {
  for (const error of [new Error('x'), new DomainError('CONFLICT', 'x'), 'text', undefined]) {
    expect(scrubDatabaseError(error)).toBe(error);
  }
});
