import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_ALIASES, MAX_DEPTH, MAX_DIRECTIVES, MAX_TOKENS } from '../../src/graphql/plugins/use-limits.ts';
import { createTestGateway, type TestGateway } from '../setup/gateway.ts';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await createTestGateway();
});
afterAll(() => gateway?.close());

const repeat = (count: number, toText: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => toText(index)).join(' ');

/** Asks as a member. @returns the error codes; none if it ran */
async function codesOf(query: string): Promise<string[]> {
  const { errors } = await gateway.graphql(query, { token: gateway.tokens.member });
  return (errors ?? []).map((error) => error.extensions.code);
}

async function expectRefused(query: string): Promise<void> {
  const { errors, data } = await gateway.graphql(query, { token: gateway.tokens.member });
  expect(data ?? null).toBeNull();
  expect(new Set(errors?.map((error) => error.extensions.code))).toEqual(new Set(['VALIDATION_FAILED']));
}

describe('a document at a limit runs, one step beyond is refused', () => {
  /** Inline fragments are levels too. */
  const nested = (levels: number) =>
    `{ viewer { ${'... on User { '.repeat(levels - 2)} id ${'} '.repeat(levels - 2)} } }`;
  const aliased = (count: number) => `{ viewer { ${repeat(count, (index) => `a${index}: id`)} } }`;
  const typenames = (count: number) => `{ viewer { ${repeat(count, (index) => `a${index}: __typename`)} } }`;
  const roots = (count: number) => `{ ${repeat(count, (index) => `a${index}: viewer { id }`)} }`;
  const directed = (count: number) => `{ viewer { ${repeat(count, () => 'id @include(if: true)')} } }`;

  test.each([
    ['levels', MAX_DEPTH, nested],
    ['aliases', MAX_ALIASES, aliased],
    ['aliases of __typename', MAX_ALIASES, typenames],
    ['aliases of root fields', MAX_ALIASES, roots],
    ['directives', MAX_DIRECTIVES, directed],
  ])('%s: %i', async (_name, limit, toQuery) => {
    expect(await codesOf(toQuery(limit))).toEqual([]);
    await expectRefused(toQuery(limit + 1));
  });
});

test(`a document of ${MAX_TOKENS} tokens runs, one of a token more is refused`, async () => {
  // There are 26 tokens besides the names. FORBIDDEN comes from the guard: the document itself is valid.
  const query = (tokens: number) => `mutation {
    createMcpServerConfig(input: { displayName: "A", slug: "a", url: "a", toolAllowList: [${'"a" '.repeat(tokens - 26)}] }) { id }
  }`;
  expect(await codesOf(query(MAX_TOKENS))).toEqual(['FORBIDDEN']);
  await expectRefused(query(MAX_TOKENS + 1));
});

describe('content of fragments is counted', () => {
  test.each<[string, string]>([
    [
      'levels',
      `{ ...F0 } ${repeat(MAX_DEPTH, (index) => `fragment F${index} on Query { ...F${index + 1} }`)} fragment F${MAX_DEPTH} on Query { viewer { id } }`,
    ],
    [
      'aliases, spread again and again',
      `{ viewer { ...F0 ...F1 ...F2 } } ${repeat(3, (spread) => `fragment F${spread} on User { ${repeat(6, (index) => `a${spread}${index}: id`)} }`)}`,
    ],
    [
      'directives',
      `{ viewer { ...F ...F ...F } } fragment F on User { id @include(if: true) email @include(if: true) }`,
    ],
  ])('%s', async (_name, query) => {
    await expectRefused(query);
  });
});

describe('documents built to be expensive', () => {
  test.each<[string, string]>([
    ['a fragment that spreads itself', '{ viewer { ...F } } fragment F on User { ...F }'],
    [
      'two fragments that spread each other',
      '{ viewer { ...A } } fragment A on User { ...B } fragment B on User { ...A }',
    ],
    [
      'a circle of 100 fragments',
      `{ viewer { ...F0 } } ${repeat(100, (index) => `fragment F${index} on User { ...F${(index + 1) % 100} }`)}`,
    ],
    [
      'fragments that spread the next one twice, 25 times over',
      `{ viewer { ...F0 } } ${repeat(25, (index) => `fragment F${index} on User { ...F${index + 1} ...F${index + 1} }`)} fragment F25 on User { id }`,
    ],
    [
      'fragments that spread the next one in ten ways, 25 times over',
      `{ viewer { ...F0 } } ${repeat(25, (index) => `fragment F${index} on User { ${`...F${index + 1} `.repeat(10)} }`)} fragment F25 on User { id }`,
    ],
    ['thousands of open braces', '{ viewer '.repeat(5_000)],
    [
      'thousands of closed lists in an argument',
      `{ mcpServerConfigs(after: ${'['.repeat(5_000)}${']'.repeat(5_000)}) { totalCount } }`,
    ],
    [
      'thousands of nested objects',
      `{ mcpServerConfigs(filter: ${'{a:'.repeat(5_000)} 1 ${'}'.repeat(5_000)}) { totalCount } }`,
    ],
    ['thousands of list types', `query ($a: ${'['.repeat(5_000)}Int${']'.repeat(5_000)}) { viewer { id } }`],
    ['thousands of unknown fields', `{ ${repeat(1_400, (index) => `unknown${index}`)} }`],
    ['thousands of unknown directives', `{ viewer { id ${'@a '.repeat(700)} } }`],
    ['thousands of repeated variables', `query (${repeat(300, () => '$a: Int')}) { viewer { id } }`],
    ['thousands of operations', repeat(350, (index) => `query Q${index} { a }`)],
    ['a text of 200,000 signs that does not end', `{ viewer(a: "${'a'.repeat(200_000)}`],
    ['a block text of 50,000 lines', `{ viewer(a: """${'\n '.repeat(50_000)}""") { id } }`],
    ['80,000 comments', `{ viewer { id } }${'#\n'.repeat(80_000)} }`],
    [
      'messages to be searched for',
      `{ mcpServerConfigs(filter: { authType: "${'cannot represent '.repeat(10_000)}" }) { totalCount } }`,
    ],
    ['texts to be searched for', `{ a(a: """${'; at "found String '.repeat(10_000)}"b" """ }`],
    [
      'a schema in a schema',
      `{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }`,
    ],
    [
      'a schema in a schema through fragments',
      `{ __schema { types { ...F0 } } } ${repeat(6, (index) => `fragment F${index} on __Type { fields { type { ...F${index + 1} } } }`)} fragment F6 on __Type { name }`,
    ],
    [
      'a type in a type',
      `{ __type(name: "User") { fields { type { fields { type { fields { type { fields { name } } } } } } } } }`,
    ],
  ])('%s are refused', async (_name, query) => {
    await expectRefused(query);
  });

  test('variables with 60,000 wrong values are refused in one short answer', async () => {
    const query = 'mutation ($input: CreateMcpServerConfigInput!) { createMcpServerConfig(input: $input) { id } }';
    const input = { toolAllowList: Array.from({ length: 60_000 }, () => 1) };
    const { errors } = await gateway.graphql(query, { token: gateway.tokens.member, variables: { input } });
    expect(errors).toHaveLength(1);
    expect(JSON.stringify(errors).length).toBeLessThan(20_000);
  });

  test('variables nested thousands of levels deep are refused', async () => {
    const body = `{"query": "query ($f: McpServerConfigFilter) { mcpServerConfigs(filter: $f) { totalCount } }", "variables": {"f": ${'['.repeat(50_000)}${']'.repeat(50_000)}}}`;
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${gateway.tokens.member}` };
    const response = await gateway.fetch('/graphql', { method: 'POST', headers, body });
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'VALIDATION_FAILED' } }] });
  });
});

describe('requests of legitimate clients', () => {
  test.each([
    ['the introspection of tools', getIntrospectionQuery()],
    [
      'the introspection of tools with everything in it',
      getIntrospectionQuery({
        specifiedByUrl: true,
        inputValueDeprecation: true,
        oneOf: true,
        schemaDescription: true,
        directiveIsRepeatable: true,
      }),
    ],
    [
      'fragments that spread the next one in ten ways, within the limits',
      `{ viewer { ...F0 } } ${repeat(4, (index) => `fragment F${index} on User { ${`...F${index + 1} `.repeat(10)} }`)} fragment F4 on User { id }`,
    ],
    ['a fragment used in two places', '{ a: viewer { ...F } b: viewer { ...F } } fragment F on User { id email }'],
  ])('runs: %s', async (_name, query) => {
    expect(await codesOf(query)).toEqual([]);
  });
});
