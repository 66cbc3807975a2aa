import { execute, extendSchema, type GraphQLObjectType, parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OperationBudget } from '../../src/graphql/budget/operation-budget.ts';
import type { GraphQLContext } from '../../src/graphql/context.ts';
import { guardRootFields, ROOT_PERMISSIONS } from '../../src/graphql/permissions.ts';
import { POLICY } from '../../src/policy/policy.ts';
import { NOBODY, ROLES, type Viewer } from '../../src/policy/viewer.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { readAllRows } from './database-rows.ts';
import {
  createSubjects,
  listRootFields,
  ROOT_ARGUMENTS,
  type Subjects,
  schema,
  toOperation,
  UNREACHABLE_URL,
} from './root-fields.ts';

const OK = 'ok';
const NO = 'FORBIDDEN';

/** Which role may call what. Unauthenticated and suspended users may call nothing. */
// biome-ignore format: a table is read by its columns
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  //                                     admin auditor service member
  'Query.viewer':                        [OK,  OK,     OK,     OK],
  'Query.mcpServerConfig':               [OK,  OK,     OK,     OK],
  'Query.mcpServerConfigs':              [OK,  OK,     OK,     OK],
  'Query.discoverMcpServerOAuth':        [OK,  NO,     NO,     NO],
  'Query.effectiveMcpTools':             [OK,  OK,     OK,     OK],
  'Query.chat':                          [OK,  OK,     OK,     OK],
  'Query.chats':                         [OK,  OK,     OK,     OK],
  'Query.availableMcpServers':           [OK,  OK,     OK,     OK],
  'Query.explainMcpServer':              [OK,  OK,     OK,     OK],
  'Query.mcpServerConfigImpact':         [OK,  OK,     NO,     NO],
  'Query.auditLog':                      [OK,  OK,     NO,     NO],
  'Query.mcpServerConfigHistory':        [OK,  OK,     NO,     NO],
  'Query.verifyAuditLog':                [OK,  OK,     NO,     NO],
  'Query.exportMcpServers':              [OK,  OK,     NO,     NO],
  'Query.user':                          [OK,  OK,     OK,     OK],
  'Query.users':                         [OK,  OK,     NO,     NO],
  'Query.apiTokens':                     [OK,  OK,     OK,     OK],
  'Query.encryptionKeys':                [OK,  OK,     NO,     NO],
  'Query.gatewayStatus':                 [OK,  OK,     NO,     NO],
  'Mutation.createMcpServerConfig':      [OK,  NO,     NO,     NO],
  'Mutation.updateMcpServerConfig':      [OK,  NO,     NO,     NO],
  'Mutation.restoreMcpServerConfigVersion': [OK, NO,    NO,     NO],
  'Mutation.deleteMcpServerConfig':      [OK,  NO,     NO,     NO],
  'Mutation.discoverMcpServerOAuth':     [OK,  NO,     NO,     NO],
  'Mutation.testMcpServer':             [OK,  NO,     NO,     NO],
  'Mutation.disconnectMcpServer':        [OK,  NO,     NO,     OK],
  'Mutation.removeMcpServerUserTokens':  [OK,  NO,     NO,     NO],
  'Mutation.importMcpServers':           [OK,  NO,     NO,     NO],
  'Mutation.refreshMcpServerTools':      [OK,  NO,     NO,     NO],
  'Mutation.approveMcpTools':            [OK,  NO,     NO,     NO],
  'Mutation.callMcpTool':                [OK,  NO,     NO,     OK],
  'Mutation.createChat':                 [OK,  NO,     NO,     OK],
  'Mutation.createChatMessage':          [OK,  NO,     NO,     OK],
  'Mutation.updateChat':                 [OK,  NO,     NO,     OK],
  'Mutation.deleteChat':                 [OK,  NO,     NO,     OK],
  'Mutation.createUser':                 [OK,  NO,     NO,     NO],
  'Mutation.updateUser':                 [OK,  NO,     NO,     NO],
  'Mutation.deleteUser':                 [OK,  NO,     NO,     NO],
  'Mutation.createApiToken':             [OK,  OK,     OK,     OK],
  'Mutation.revokeApiToken':             [OK,  OK,     OK,     OK],
  'Mutation.createSignInLink':           [OK,  NO,     NO,     NO],
  'Mutation.endSession':                 [OK,  OK,     OK,     OK],
  'Mutation.verifyAuditLog':             [OK,  OK,     NO,     NO],
  'Mutation.addEncryptionKey':           [OK,  NO,     NO,     NO],
  'Mutation.rotateEncryptionKeys':       [OK,  NO,     NO,     NO],
  'Mutation.verifyEncryptedValues':      [OK,  NO,     NO,     NO],
  'Mutation.revokeEncryptionKey':        [OK,  NO,     NO,     NO],
};

/** Deletions come after the queries about their targets. */
function deletionsLast(a: string, b: string): number {
  return Number(a.includes('.delete')) - Number(b.includes('.delete'));
}

test('the tables have exactly the root fields of the schema', () => {
  const fields = listRootFields().sort();
  expect(Object.keys(EXPECTED).sort()).toEqual(fields);
  expect(Object.keys(ROOT_ARGUMENTS).sort()).toEqual(fields);
});

describe('over HTTP', () => {
  const callers = [undefined, 'suspended', ...ROLES] as const;
  let gateway: TestGateway;
  let subjects: Subjects;
  beforeAll(async () => {
    gateway = await createTestGateway();
    subjects = await createSubjects(gateway);
    // The first use of each token is recorded; after that only the operations write.
    for (const caller of callers) await outcomeOf('Query.viewer', caller);
  });
  afterAll(() => gateway?.close());

  const outcomeOf = async (rootField: string, caller: keyof TestGateway['tokens'] | undefined) => {
    const token = caller === undefined ? undefined : gateway.tokens[caller];
    const { data, errors } = await gateway.graphql(toOperation(rootField, subjects, caller), { token });
    if (errors === undefined) return OK;
    expect(data ?? null).toBeNull();
    expect(errors).toHaveLength(1);
    return errors[0].extensions.code;
  };

  test.each(listRootFields().sort(deletionsLast))('%s is allowed for the callers in the table', async (rootField) => {
    const before = await readAllRows(gateway.database);
    const expectedOf = (caller: (typeof callers)[number]) =>
      caller === undefined || caller === 'suspended' ? 'UNAUTHENTICATED' : EXPECTED[rootField]?.[ROLES.indexOf(caller)];
    const mayWrite = (caller: (typeof callers)[number]) =>
      rootField.startsWith('Mutation.') && expectedOf(caller) === OK;
    for (const caller of callers.filter((each) => !mayWrite(each))) {
      expect(await outcomeOf(rootField, caller), caller ?? 'nobody').toBe(expectedOf(caller));
    }
    expect(await readAllRows(gateway.database)).toEqual(before);
    for (const caller of callers.filter(mayWrite).reverse()) {
      expect(await outcomeOf(rootField, caller), caller).toBe(OK);
    }
  });
});

describe('the guard before the root fields', () => {
  const subjects: Subjects = {
    configId: newId(),
    slug: 'x',
    userId: newId(),
    own: {},
    keyNumber: 1,
    serverUrl: UNREACHABLE_URL,
    chatIds: {},
    deletedChatIds: {},
  };

  /** A context in which any use of a service fails: a refused call must not get that far. */
  const contextOf = (viewer: Viewer): GraphQLContext => {
    const refuse = () => {
      throw new Error('a service was called');
    };
    const unreachable = new Proxy({}, { get: () => refuse });
    const services = new Proxy({}, { get: () => unreachable });
    const rest = {
      requestId: 'test',
      onDenied: () => undefined,
      gone: () => new AbortController().signal,
      loaders: unreachable,
      budget: new OperationBudget(),
    };
    return { viewer, services, ...rest } as unknown as GraphQLContext;
  };
  const userOf = (role: (typeof ROLES)[number]): Viewer => {
    return { kind: 'user', userId: newId(), role, credential: { kind: 'bootstrap' } };
  };
  const guardedSchema = guardRootFields(schema);
  const run = async (rootField: string, viewer: Viewer, guarded = guardedSchema) => {
    const document = parse(rootField.includes('{') ? rootField : toOperation(rootField, subjects));
    const { errors } = await execute({ schema: guarded, document, contextValue: contextOf(viewer) });
    return errors?.map((error) => error.extensions['code'] ?? error.message);
  };

  test('has a policy action for each field of the schema, and no others', () => {
    for (const root of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]) {
      if (root == null) continue;
      const actions = (ROOT_PERMISSIONS as Record<string, Record<string, string>>)[root.name] ?? {};
      expect(Object.keys(actions).sort(), root.name).toEqual(Object.keys(root.getFields()).sort());
      for (const action of Object.values(actions)) expect(Object.keys(POLICY)).toContain(action);
    }
  });

  test.each(listRootFields())(
    'refuses %s to unauthenticated callers before any service is called',
    async (rootField) => {
      expect(await run(rootField, NOBODY)).toEqual(['UNAUTHENTICATED']);
    },
  );

  test.each(listRootFields())('refuses %s to callers who are not in the table', async (rootField) => {
    for (const [index, role] of ROLES.entries()) {
      const expected = EXPECTED[rootField]?.[index] === OK ? 'a service was called' : NO;
      expect(await run(rootField, userOf(role)), role).toEqual([expected]);
    }
  });

  test.each(['Query', 'Mutation'])('denies a field of %s that has no permission, to admins too', async (type) => {
    const withBackdoor = extendSchema(schema, parse(`extend type ${type} { backdoor: String }`));
    const backdoor = (withBackdoor.getType(type) as GraphQLObjectType).getFields()['backdoor'];
    if (backdoor === undefined) throw new Error('the schema was not extended');
    let wasCalled = false;
    backdoor.resolve = () => {
      wasCalled = true;
      return 'open';
    };
    expect(await run(`${type.toLowerCase()} { backdoor }`, userOf('admin'), guardRootFields(withBackdoor))).toEqual([
      NO,
    ]);
    expect(wasCalled).toBe(false);
  });

  function newId(): string {
    return crypto.randomUUID();
  }
});
