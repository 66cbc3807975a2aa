import { extendSchema, type GraphQLObjectType, graphql, isObjectType, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { OperationBudget } from '../../src/graphql/budget/operation-budget.ts';
import { buildSchema } from '../../src/graphql/schema.ts';
import { NOBODY, ROLES, type Viewer } from '../../src/policy/viewer.ts';

const OWNER_ID = '11111111-1111-4111-8111-111111111111';
const OTHER_ID = '22222222-2222-4222-8222-222222222222';
const SELECTIONS: Readonly<Record<string, string>> = {
  apiTokens: '{ id }',
  sessions: '{ id }',
  connections: '{ pageInfo { hasNextPage } }',
};

/** A field that hands out a user to everybody, as a careless resolver could. */
const schema = extendSchema(buildSchema(), parse('extend type Query { careless: User }'));
const [query, user] = [schema.getType('Query'), schema.getType('User')];
if (!isObjectType(query) || !isObjectType(user)) throw new Error('the schema has no such types');
const careless = (query as GraphQLObjectType).getFields()['careless'];
if (careless !== undefined) careless.resolve = () => ({ id: OWNER_ID, role: 'member', status: 'active' });

/** The fields that not everybody sees, by what the schema says. */
const restricted = Object.values(user.getFields()).filter(({ description }) =>
  /null for everybody else/.test(description ?? ''),
);

/** Asks for one field of the user, and tells whether its rows were read. */
async function ask(field: string, viewer: Viewer) {
  let isRead = false;
  const read = (rows: unknown) => ({
    load: async () => {
      isRead = true;
      return rows;
    },
  });
  const contextValue = {
    viewer,
    budget: new OperationBudget(),
    loaders: {
      apiTokensByUserId: read([]),
      sessionsByUserId: read([]),
      connectionPage: read({ rows: [], hasMore: false }),
    },
  };
  const source = `{ careless { ${field} ${SELECTIONS[field]} } }`;
  const { data, errors } = await graphql({ schema, source, contextValue });
  return { value: (data?.['careless'] as Record<string, unknown> | null)?.[field], errors, isRead };
}

const viewerOf = (role: (typeof ROLES)[number], userId: string, grant: object | null = null) =>
  ({ kind: 'user', userId, role, credential: { kind: 'apiToken', id: OTHER_ID, grant } }) as unknown as Viewer;

test('the restricted fields of a user are those of this table', () => {
  expect(restricted.map(({ name }) => name).sort()).toEqual(Object.keys(SELECTIONS).sort());
});

describe.each(restricted)('the field User.$name', ({ name, description }) => {
  test.each(ROLES)('of another user, for the role %s, is as its description says', async (role) => {
    const isSeen = new RegExp(`For [^.;]*\\b${role}s\\b`).test(description ?? '');
    const { value, errors, isRead } = await ask(name, viewerOf(role, OTHER_ID));
    expect(errors).toBeUndefined();
    expect([value !== null, isRead]).toEqual([isSeen, isSeen]);
  });

  test('is seen by the user themselves, whichever their role is', async () => {
    for (const role of ROLES) expect((await ask(name, viewerOf(role, OWNER_ID))).value).not.toBeNull();
  });

  test('is null for a limited token of another member, and for nobody', async () => {
    const limited = viewerOf('member', OTHER_ID, { scopes: ['graph'], mcpServerIds: null });
    for (const viewer of [limited, NOBODY]) {
      expect(await ask(name, viewer)).toEqual({ value: null, errors: undefined, isRead: false });
    }
  });
});
