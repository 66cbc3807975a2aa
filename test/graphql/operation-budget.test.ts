import { execute, type GraphQLSchema, getNullableType, isListType, isObjectType, parse } from 'graphql';
import { createSchema } from 'graphql-yoga';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chargeFields, isCharged } from '../../src/graphql/budget/charge-fields.ts';
import {
  MAX_ANSWER_BYTES,
  MAX_ENTRIES,
  OperationBudget,
  VALUES_PER_ENTRY,
} from '../../src/graphql/budget/operation-budget.ts';
import { runWithinBudget } from '../../src/graphql/budget/run-within-budget.ts';
import { guardRootFields } from '../../src/graphql/permissions.ts';
import { buildSchema } from '../../src/graphql/schema.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';
import { createId } from './config-operations.ts';

function listFields(schema: GraphQLSchema) {
  return Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .flatMap((type) => Object.values(type.getFields()).map((field) => ({ name: `${type.name}.${field.name}`, field })));
}

describe('in the schema', () => {
  test('every field is charged, introspection included', () => {
    const fields = listFields(chargeFields(guardRootFields(buildSchema())));
    expect(fields.length).toBeGreaterThan(200);
    expect(fields.filter(({ field }) => !isCharged(field)).map(({ name }) => name)).toEqual([]);
  });

  test('every list charges each of its elements, and is empty once the budget is spent', async () => {
    const schema = buildSchema();
    const isOwn = ({ name }: { name: string }) => !name.startsWith('__');
    const lists = listFields(schema).filter(({ field }) => isListType(getNullableType(field.type)));
    const own = lists.filter(isOwn);
    expect(own.map(({ name }) => name)).toContain('Chat.mcpServers');
    const elements = Array.from({ length: 1_000 }, () => 'x');
    for (const { field } of own) field.resolve = () => elements;
    chargeFields(schema);
    for (const { name, field } of own) {
      const budget = new OperationBudget();
      const resolve = () => field.resolve?.({}, {}, { budget } as never, { path: { key: 'alias' } } as never);
      const mostCalls = (MAX_ENTRIES * VALUES_PER_ENTRY) / elements.length;
      let calls = 0;
      for (; budget.refusal === undefined && calls <= mostCalls; calls += 1) resolve();
      expect(budget.refusal?.code, name).toBe('VALIDATION_FAILED');
      expect(await resolve(), name).toEqual([]);
    }
  });
});

describe('an execution', () => {
  interface Row {
    text: string;
    rows(): Row[];
  }
  const createRow = (count: number): Row => ({
    text: 'x',
    rows: () => Array.from({ length: count }, () => createRow(1)),
  });
  const schema = chargeFields(
    createSchema({
      typeDefs: `type Query { rows: [Row!]! maybe: [Row] values: [String!]! } type Mutation { rows: [Row!]! }
        type Row { text: String! rows: [Row!]! a: Int b: Int c: Int d: Int e: Int }`,
      resolvers: {
        Query: { rows: () => rows, maybe: () => [null, createRow(0), null], values: () => values },
        Mutation: { rows: () => rows },
      },
    }),
  );
  let rows: Row[] = [];
  let values: string[] = [];
  const run = (query: string, isRunToItsEnd = false) => {
    const budget = new OperationBudget();
    if (isRunToItsEnd) budget.runToItsEnd();
    return runWithinBudget(budget, () => execute({ schema, document: parse(query), contextValue: { budget } }));
  };
  const issueOf = (result: Awaited<ReturnType<typeof run>>) =>
    (
      result.errors?.[0]?.originalError as
        | (Error & { details: { issues: { code: string; message: string }[] } })
        | undefined
    )?.details.issues[0];

  test('may have as many entries as the limit, and not one more', async () => {
    rows = Array.from({ length: MAX_ENTRIES }, () => createRow(0));
    const { data, errors } = await run('{ rows { text } }');
    expect(errors).toBeUndefined();
    expect(data?.['rows']).toHaveLength(MAX_ENTRIES);
    const refused = await run('{ rows { text } more: maybe { text } }');
    expect(refused.data).toBeNull();
    expect(refused.errors).toHaveLength(1);
    expect(issueOf(refused)).toMatchObject({ code: 'TOO_MANY', message: expect.stringContaining('10,000') });
  });

  test('charges each alias, and lists in lists, and gives one error for all of them', async () => {
    rows = Array.from({ length: 200 }, () => createRow(60));
    for (const query of [
      '{ rows { rows { text } } }',
      `{ ${'abcdefghij'.replace(/./g, '$&: rows { a: rows { a } } ')} }`,
    ]) {
      const refused = await run(query);
      expect(refused.data).toBeNull();
      expect(refused.errors).toHaveLength(1);
    }
  });

  test('charges plain values less', async () => {
    values = Array.from({ length: MAX_ENTRIES * VALUES_PER_ENTRY }, () => '');
    expect((await run('{ values }')).errors).toBeUndefined();
    values.push('');
    expect(issueOf(await run('{ values }'))).toMatchObject({ code: 'TOO_MANY' });
  });

  test.each([
    ['texts', () => '{ rows { text } }', 'é'.repeat(MAX_ANSWER_BYTES / 200 + 1)],
    ['names that the client chose', () => `{ rows { ${'n'.repeat(MAX_ANSWER_BYTES / 100)}: text } }`, ''],
    ['names of types', () => `{ rows { ${'n'.repeat(MAX_ANSWER_BYTES / 100)}: __typename } }`, ''],
  ])('may have only so many bytes: %s', async (_name, toQuery, text) => {
    rows = Array.from({ length: 100 }, () => ({ ...createRow(0), text }));
    const refused = await run(toQuery());
    expect(refused.data).toBeNull();
    expect(issueOf(refused)).toMatchObject({ code: 'TOO_LONG', message: expect.stringContaining('4 MB') });
    rows = rows.slice(0, 90);
    expect((await run(toQuery())).errors).toBeUndefined();
  });

  test('of a mutation goes on to its end, and says so', async () => {
    rows = Array.from({ length: MAX_ENTRIES + 1 }, () => createRow(0));
    const refused = await run('mutation { rows { text } }', true);
    expect(refused.data).toBeNull();
    expect(issueOf(refused)?.message).toContain('the changes are made');
  });

  test('keeps its order and its nulls when it is made in portions', async () => {
    rows = Array.from({ length: 5_000 }, (_, index) => ({ ...createRow(0), text: `${index}` }));
    const { data } = await run('{ maybe { text } rows { text } }');
    expect(data?.['maybe']).toEqual([null, { text: 'x' }, null]);
    expect((data?.['rows'] as Row[] | undefined)?.map(({ text }) => Number(text))).toEqual(
      rows.map((_, index) => index),
    );
  });

  test('lets others run in between', async () => {
    rows = Array.from({ length: 100 }, () => createRow(90));
    let turns = 0;
    let isDone = false;
    const count = (): void => {
      turns += 1;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    const { errors } = await run('{ rows { rows { text a b c d e f: text g: text h: text } } }');
    isDone = true;
    expect(errors).toBeUndefined();
    expect(turns).toBeGreaterThan(3);
  });
});

describe('an operation of a member', () => {
  let gateway: TestGateway;
  const SERVERS = 30;
  const CHATS = 25;
  beforeAll(async () => {
    gateway = await createTestGateway();
    for (let index = 0; index < SERVERS; index += 1) {
      await createId(gateway, { enabled: true, availability: 'FORCE_ON' });
    }
    for (let index = 0; index < CHATS; index += 1) await ask('mutation { createChat(input: {}) { id } }');
  });
  afterAll(() => gateway?.close());
  const ask = (query: string, variables?: unknown) =>
    gateway.graphql(query, { token: gateway.tokens.member, variables });

  test('is refused when the servers of its chats are too many, and others are not', async () => {
    const aliases = (count: number) =>
      Array.from({ length: count }, (_, index) => `a${index}: mcpServers { config { id } }`).join(' ');
    const few = await ask(`{ chats { nodes { ${aliases(12)} } } }`);
    expect(few.errors).toBeUndefined();
    expect(few.data.chats.nodes[CHATS - 1].a11).toHaveLength(SERVERS);
    const many = await ask(`{ chats { nodes { ${aliases(14)} } } }`);
    expect(many.data).toBeNull();
    expect(many.errors).toMatchObject([
      {
        message: expect.stringContaining('10,000 entries'),
        extensions: { code: 'VALIDATION_FAILED', issues: [{ path: [], code: 'TOO_MANY' }] },
      },
    ]);
  });

  test('may ask for the schema, but not for more of it than fits', async () => {
    const query = (name: string) =>
      `{ __schema { types { fields { ${'abcdefghijklmn'.replace(/./g, `$&${name}: name `)} } } } }`;
    expect((await ask(query(''))).errors).toBeUndefined();
    expect((await ask(query('n'.repeat(1_140)))).errors).toMatchObject([
      { extensions: { issues: [{ code: 'TOO_LONG' }] } },
    ]);
  });

  test('is refused before long messages are read, and can read them in pages', async () => {
    const { data } = await ask('mutation { createChat(input: {}) { id } }');
    const chatId = data.createChat.id;
    const send = 'mutation ($input: CreateChatMessageInput!) { createChatMessage(input: $input) { content } }';
    for (let index = 0; index < 25; index += 1) {
      const content = `${index} `.padEnd(65_536, 'ガ');
      const sent = await ask(send, { input: { chatId, content } });
      expect(sent.data.createChatMessage.content).toBe(content);
    }
    const read = (fields: string) => ask(`query ($id: UUID!) { chat(id: $id) { ${fields} } }`, { id: chatId });
    expect((await read('messages { nodes { content } }')).errors).toMatchObject([
      { message: expect.stringContaining('4 MB'), extensions: { issues: [{ code: 'TOO_LONG' }] } },
    ]);
    const ids = await read('messages { nodes { id createdAt } }');
    expect(ids.data.chat.messages.nodes).toHaveLength(25);
    const found: string[] = [];
    for (let after: string | null = null; found.length < 25; ) {
      const from: string = after === null ? '' : `, after: "${after}"`;
      const page = await read(`messages(first: 10${from}) { pageInfo { endCursor } nodes { content } }`);
      expect(page.errors).toBeUndefined();
      const { nodes, pageInfo } = page.data.chat.messages;
      found.push(...nodes.map(({ content }: { content: string }) => content.split(' ')[0]));
      after = pageInfo.endCursor;
    }
    expect(found.map(Number)).toEqual(Array.from({ length: 25 }, (_, index) => index));
  });

  test('counts every list that it asks for, even an empty page', async () => {
    const lists = (count: number) =>
      Array.from({ length: count }, (_, index) => `a${index}: messages(first: 0) { totalCount }`).join(' ');
    expect((await ask(`{ chats(first: 25) { nodes { ${lists(14)} } } }`)).errors).toBeUndefined();
    expect((await ask(`{ chats(first: 40) { nodes { ${lists(14)} } } }`)).errors).toBeUndefined();
    const { errors } = await ask(`{ chats(first: 500) { nodes { a: messages(first: 0) { totalCount } } } }`);
    expect(errors?.[0]).toMatchObject({ extensions: { issues: [{ path: ['first'], code: 'OUT_OF_RANGE' }] } });
  });
});
